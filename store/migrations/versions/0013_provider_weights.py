"""How messages are shared between the providers of a channel, version by version."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "provider_weights",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("is_stopped", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("weight between 0 and 100", name=op.f("ck_provider_weights_weight_in_range")),
        sa.CheckConstraint(
            "cause in ('settings', 'errors', 'slow', 'drift', 'shut_out', 'operator')",
            name=op.f("ck_provider_weights_cause_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_weights")),
        sa.UniqueConstraint(
            "channel", "version", "provider", name=op.f("uq_provider_weights_channel_version_provider")
        ),
    )
