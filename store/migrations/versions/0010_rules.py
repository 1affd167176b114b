"""Clinics' rules by facility, time type, mode and origin; caps; citizens' choices; plannings to be made anew."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0010"
down_revision = "0009"

_PURPOSES = (
    "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored',"
    " 'offer', 'code', 'notice')"
)


def upgrade() -> None:
    op.add_column("clinics", sa.Column("weekdays_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("clinics", sa.Column("confirms", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("clinics", sa.Column("messages_per_day", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("weekdays_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("reminder_rules", sa.Column("weekdays_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("reminder_rules", sa.Column("visits_from", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "scoped_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("time_type", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("offset", sa.String(), nullable=False),
        sa.Column("template_name", sa.String(), nullable=False),
        sa.Column("channels", sa.String(), nullable=False),
        sa.Column("weekdays_only", sa.Boolean(), nullable=False),
        sa.Column("visits_from", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(_PURPOSES, name=op.f("ck_scoped_rules_purpose_known")),
        sa.CheckConstraint("mode in ('', 'on_site', 'remote')", name=op.f("ck_scoped_rules_mode_known")),
        sa.CheckConstraint("origin in ('', 'invitation', 'booking')", name=op.f("ck_scoped_rules_origin_known")),
        sa.CheckConstraint("facility || time_type || mode || origin <> ''", name=op.f("ck_scoped_rules_is_narrower")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_scoped_rules_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scoped_rules")),
        sa.UniqueConstraint(
            "clinic_id",
            "name",
            "facility",
            "time_type",
            "mode",
            "origin",
            name=op.f("uq_scoped_rules_clinic_id_name_facility_time_type_mode_origin"),
        ),
    )
    op.create_table(
        "choices",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("channels", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.String(), nullable=False),
        sa.Column("quiet_until", sa.String(), nullable=False),
        sa.Column("offsets", sa.String(), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_choices_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_choices")),
    )
    op.create_table(
        "reminded_by",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_reminded_by_clinic_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_reminded_by_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", "clinic_id", name=op.f("pk_reminded_by")),
    )
    op.create_table(
        "clinic_days",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.CheckConstraint("planned >= 0", name=op.f("ck_clinic_days_counts_up")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_clinic_days_clinic_id")),
        sa.PrimaryKeyConstraint("on", "clinic_id", name=op.f("pk_clinic_days")),
    )
    op.create_table(
        "replannings",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("after_start_at", UtcDateTime(), nullable=True),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["facility"], ["facilities.hsa_id"], name=op.f("fk_replannings_facility")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replannings")),
        sa.UniqueConstraint("facility", name=op.f("uq_replannings_facility")),
    )
    op.create_index(op.f("ix_replannings_next_at"), "replannings", ["next_at"], unique=False)
