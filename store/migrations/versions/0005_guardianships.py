"""Who is a child's guardian, by the population register's word."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "guardianships",
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("custody", sa.String(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.CheckConstraint("custody in ('stands', 'ended', 'unsaid')", name=op.f("ck_guardianships_custody_known")),
        sa.CheckConstraint("guardian_id <> child_id", name=op.f("ck_guardianships_two_people")),
        sa.ForeignKeyConstraint(["guardian_id"], ["subjects.id"], name=op.f("fk_guardianships_guardian_id")),
        sa.ForeignKeyConstraint(["child_id"], ["subjects.id"], name=op.f("fk_guardianships_child_id")),
        sa.PrimaryKeyConstraint("guardian_id", "child_id", name=op.f("pk_guardianships")),
    )
    op.create_index(op.f("ix_guardianships_child_id"), "guardianships", ["child_id"], unique=False)
