"""Letters for those whom no channel reached: what was printed, about which occasions, and who was handed it."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0015"
down_revision = "0014"

_PURPOSES = (
    "'deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', "
    "'code', 'notice'"
)


def upgrade() -> None:
    _make_letters()
    op.create_table(
        "letter_occasions",
        sa.Column("unreached_id", sa.Uuid(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_occasions_letter_id_letters")),
        sa.ForeignKeyConstraint(
            ["unreached_id"], ["unreached.id"], name=op.f("fk_letter_occasions_unreached_id_unreached")
        ),
        sa.PrimaryKeyConstraint("unreached_id", name=op.f("pk_letter_occasions")),
    )
    op.create_index(op.f("ix_letter_occasions_letter_id"), "letter_occasions", ["letter_id"])
    op.create_table(
        "letter_prints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=False),
        sa.Column("printed_by", sa.String(), nullable=False),
        sa.CheckConstraint("printed_by <> ''", name=op.f("ck_letter_prints_by_somebody")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_prints_letter_id_letters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_prints")),
    )
    op.create_index(op.f("ix_letter_prints_letter_id"), "letter_prints", ["letter_id"])


def _make_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(f"purpose in ({_PURPOSES})", name=op.f("ck_letters_purpose_known")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_letters_clinic_id_clinics")),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_letters_recipient_id_subjects")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_letters_subject_id_subjects")),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_versions.id"],
            name=op.f("fk_letters_template_version_id_template_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("number", name=op.f("uq_letters_number")),
    )
    op.create_index(op.f("ix_letters_booking_id"), "letters", ["booking_id"])
    op.create_index("ix_letters_clinic", "letters", ["clinic_id", "made_at"])
