"""Each planning reads what the recipient was promised: by an index, not through every delivery ever made."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index(op.f("ix_deliveries_recipient_id"), "deliveries", ["recipient_id"], unique=False)
