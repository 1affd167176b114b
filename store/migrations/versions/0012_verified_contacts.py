"""Contact points that are verified by a code, or say who gave them and when."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("contact_points", sa.Column("said_by", sa.String(), nullable=False, server_default=""))
    op.add_column("contact_points", sa.Column("said_on", sa.Date(), nullable=True))
    op.add_column("contact_points", sa.Column("verified_at", UtcDateTime(), nullable=True))
    op.add_column("contact_points", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("contact_points", sa.Column("address_until", UtcDateTime(), nullable=True))
    waits = sa.text("address_until is not null")
    op.create_index(
        "ix_contact_points_forgetting", "contact_points", ["address_until"], sqlite_where=waits, postgresql_where=waits
    )
    op.create_table(
        "contact_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("address_digest", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact_points.id"], name=op.f("fk_contact_codes_contact_id_contact_points")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_codes")),
    )
    op.create_index(op.f("ix_contact_codes_contact_id"), "contact_codes", ["contact_id"])
    op.create_index("ix_contact_codes_address", "contact_codes", ["address_digest", "made_at"])
