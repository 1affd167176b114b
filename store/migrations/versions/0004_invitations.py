"""Open invitations, and when to look for them."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("logical_address", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("sealed_details", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("amended_at", UtcDateTime(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("missed_at", UtcDateTime(), nullable=True),
        sa.Column("over_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("sealed_details like 'k1.%'", name=op.f("ck_invitations_sealed_details_sealed")),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_invitations_sequence_rises")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_invitations_engagement_id")),
        sa.ForeignKeyConstraint(["facility"], ["facilities.hsa_id"], name=op.f("fk_invitations_facility")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_invitations_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint(
            "subject_id",
            "source",
            "logical_address",
            "booking_id",
            name=op.f("uq_invitations_subject_id_source_logical_address_booking_id"),
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_invitations_uid")),
    )
    op.create_index(op.f("ix_invitations_engagement_id"), "invitations", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_invitations_facility"), "invitations", ["facility"], unique=False)
    op.create_table(
        "invitation_looks",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("next_look_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["engagements.id"], name=op.f("fk_invitation_looks_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_looks")),
    )
    op.create_index(op.f("ix_invitation_looks_next_look_at"), "invitation_looks", ["next_look_at"], unique=False)
    op.execute(  # whoever is asked about already is looked for when next asked about
        "insert into invitation_looks (id, next_look_at, failures, last_error, fence, wakes)"
        " select id, next_poll_at, 0, '', 0, 0 from engagements"
    )
