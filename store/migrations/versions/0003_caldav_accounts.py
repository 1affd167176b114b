"""CalDAV accounts: app passwords, components of two kinds, a revision for each collection, an epoch after a restore."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("calendars", sa.Column("account", sa.String(), nullable=True))
    op.create_index(op.f("ix_calendars_account"), "calendars", ["account"], unique=True)
    op.add_column("calendars", sa.Column("invitations_revision", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("calendars", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "calendar_components",
        sa.Column(
            "kind",
            sa.String(),
            sa.CheckConstraint("kind in ('visit', 'invitation')", name=op.f("ck_calendar_components_kind_known")),
            nullable=False,
            server_default="visit",
        ),
    )
    op.add_column("calendar_components", sa.Column("ends_at", UtcDateTime(), nullable=True))
    op.create_index("ix_calendar_components_changes", "calendar_components", ["calendar_id", "revision", "booking_id"])
    op.create_table(
        "app_passwords",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sealed_name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("sealed_name like 'k1.%'", name=op.f("ck_app_passwords_sealed_name_sealed")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_app_passwords_calendar_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_passwords")),
        sa.UniqueConstraint("digest", name=op.f("uq_app_passwords_digest")),
    )
    op.create_index(op.f("ix_app_passwords_calendar_id"), "app_passwords", ["calendar_id"], unique=False)
