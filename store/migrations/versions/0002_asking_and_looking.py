"""Asking providers about what nobody knows, living processes, the pause, and polls that stop at equal octets."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("ask_at", UtcDateTime(), nullable=True))
    op.add_column("deliveries", sa.Column("asked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("unknown_since", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_deliveries_asking",
        "deliveries",
        ["ask_at"],
        sqlite_where=sa.text("ask_at is not null"),
        postgresql_where=sa.text("ask_at is not null"),
    )
    op.drop_index("ix_deliveries_unsettled", table_name="deliveries")
    op.create_index(
        "ix_deliveries_to_send",
        "deliveries",
        ["visit_at", "id"],
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["claimed_until"],
        sqlite_where=sa.text("claimed_until is not null"),
        postgresql_where=sa.text("claimed_until is not null"),
    )
    op.create_index(
        "ix_deliveries_unknown",
        "deliveries",
        ["unknown_since"],
        sqlite_where=sa.text("unknown_since is not null"),
        postgresql_where=sa.text("unknown_since is not null"),
    )
    op.create_index(
        "ix_engagements_answered",
        "engagements",
        ["answer_begun_at"],
        sqlite_where=sa.text("next_poll_at is not null"),
        postgresql_where=sa.text("next_poll_at is not null"),
    )
    op.add_column("facilities", sa.Column("released_at", UtcDateTime(), nullable=True))
    op.add_column("engagements", sa.Column("answer_digest", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "heartbeats",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind in ('web', 'worker', 'clock')", name=op.f("ck_heartbeats_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
    )
    op.create_index(op.f("ix_heartbeats_kind"), "heartbeats", ["kind"], unique=False)
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("gap_from", UtcDateTime(), nullable=True),
        sa.Column("gap_until", UtcDateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
