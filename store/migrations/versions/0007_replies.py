"""Texts that people have sent us."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("sender_digest", sa.String(), nullable=False),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "intent in ('stop', 'start', 'help', 'wrong_person', 'unknown')", name=op.f("ck_replies_intent_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_replies_provider_provider_id")),
    )
    op.create_index("ix_replies_sender", "replies", ["sender_digest", "received_at"], unique=False)
    op.create_index(op.f("ix_replies_received_at"), "replies", ["received_at"], unique=False)
