"""Contact points that say why they are dead; deliveries that are followed until somebody is reached, and
who was not."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0011"
down_revision = "0010"

_ENDED = "follow_at is not null and state in ('failed', 'skipped', 'expired')"
_WAITING = "follow_at is not null"
_PURPOSES = (
    "'deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', "
    "'code', 'notice'"
)


def upgrade() -> None:
    op.add_column("contact_points", sa.Column("dead_reason", sa.String(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("ways", sa.String(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("follow_at", UtcDateTime(), nullable=True))
    for name, where in (("ix_deliveries_following", _WAITING), ("ix_deliveries_ended", _ENDED)):
        op.create_index(name, "deliveries", ["follow_at"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    has_code = sa.text("code <> ''")
    op.create_index("ix_attempts_failed", "attempts", ["id"], sqlite_where=has_code, postgresql_where=has_code)
    _make_unreached()


def _make_unreached() -> None:
    op.create_table(
        "unreached",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("visit_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(f"purpose in ({_PURPOSES})", name=op.f("ck_unreached_purpose_known")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_unreached_clinic_id_clinics")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_unreached_subject_id_subjects")),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_unreached_recipient_id_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unreached")),
        sa.UniqueConstraint(
            "purpose", "occasion", "recipient_id", name=op.f("uq_unreached_purpose_occasion_recipient_id")
        ),
    )
    op.create_index("ix_unreached_clinic", "unreached", ["clinic_id", "visit_at"])
