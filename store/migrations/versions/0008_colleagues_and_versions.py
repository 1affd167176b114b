"""Clinics' colleagues and what a missed visit costs; who approved and activated a text, and from what it was made."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "colleagues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role in ('administrator', 'writer')", name=op.f("ck_colleagues_role_known")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_colleagues_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_colleagues")),
        sa.UniqueConstraint("clinic_id", "email", name=op.f("uq_colleagues_clinic_id_email")),
    )
    op.add_column("clinics", sa.Column("missed_visit_cost", sa.Integer(), nullable=True))
    op.add_column("clinics", sa.Column("missed_visit_cost_on", sa.Date(), nullable=True))
    op.add_column("template_versions", sa.Column("approved_at", UtcDateTime(), nullable=True))
    op.add_column("template_versions", sa.Column("activated_at", UtcDateTime(), nullable=True))
    op.add_column("template_versions", sa.Column("activated_by", sa.String(), nullable=True))
    op.add_column("template_versions", sa.Column("made_from_id", sa.Uuid(), nullable=True))
