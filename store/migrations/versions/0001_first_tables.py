"""The first tables: everything from a citizen's consent to a delivered message.

Long, because it is one list of statements in the order of their foreign keys: nothing in it is decided.
"""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("decision_reference", sa.String(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinics")),
        sa.UniqueConstraint("name", name=op.f("uq_clinics_name")),
    )
    op.create_index(
        "uq_clinics_operator",
        "clinics",
        ["is_operator"],
        unique=True,
        sqlite_where=sa.text("is_operator"),
        postgresql_where=sa.text("is_operator"),
    )
    op.create_table(
        "logical_addresses",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("seen_in_evidence_at", UtcDateTime(), nullable=True),
        sa.Column("silent_since", UtcDateTime(), nullable=True),
        sa.Column("last_failure", sa.String(), nullable=False),
        sa.Column("direct_refused_at", UtcDateTime(), nullable=True),
        sa.Column("not_visible_since", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source", "address", name=op.f("pk_logical_addresses")),
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempt_public_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("applied_as", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("provider", "provider_id", "status", name=op.f("uq_receipts_provider_provider_id_status")),
    )
    op.create_index(op.f("ix_receipts_attempt_public_id"), "receipts", ["attempt_public_id"], unique=False)
    op.create_index(op.f("ix_receipts_due_at"), "receipts", ["due_at"], unique=False)
    op.create_table(
        "subjects",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("oid", sa.String(), nullable=False),
        sa.Column("sealed_number", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("protected_on", sa.Date(), nullable=True),
        sa.Column("deceased_on", sa.Date(), nullable=True),
        sa.Column("population_as_of", UtcDateTime(), nullable=True),
        sa.Column("population_asked_as_of", UtcDateTime(), nullable=True),
        sa.Column("next_planning_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("sealed_number like 'k1.%'", name=op.f("ck_subjects_sealed_number_sealed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_subjects_pseudonym")),
    )
    op.create_index(op.f("ix_subjects_next_planning_at"), "subjects", ["next_planning_at"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', 'code', 'notice')",
            name=op.f("ck_suppressions_purpose_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "contact_digest", "purpose", "channel", name=op.f("uq_suppressions_contact_digest_purpose_channel")
        ),
    )
    op.create_table(
        "calendars",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.Column("past_days", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("next_change_at", UtcDateTime(), nullable=True),
        sa.Column("emptied_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("level in ('busy', 'visit', 'clinic', 'full')", name=op.f("ck_calendars_level_known")),
        sa.CheckConstraint("revision >= 0 and past_days >= 0", name=op.f("ck_calendars_counts")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_calendars_subject_id")),
        sa.ForeignKeyConstraint(["viewer_id"], ["subjects.id"], name=op.f("fk_calendars_viewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
        sa.UniqueConstraint("viewer_id", "subject_id", name=op.f("uq_calendars_viewer_id_subject_id")),
    )
    op.create_index(op.f("ix_calendars_next_change_at"), "calendars", ["next_change_at"], unique=False)
    op.create_index(op.f("ix_calendars_subject_id"), "calendars", ["subject_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint("withdrawn_on >= given_on", name=op.f("ck_consents_withdrawn_after_given")),
        sa.ForeignKeyConstraint(["given_by"], ["subjects.id"], name=op.f("fk_consents_given_by")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_consents_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_subject_id"), "consents", ["subject_id"], unique=False)
    op.create_table(
        "contact_points",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sealed_address", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("dead_since", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind in ('phone', 'email')", name=op.f("ck_contact_points_kind_known")),
        sa.CheckConstraint("sealed_address like 'k1.%'", name=op.f("ck_contact_points_sealed_address_sealed")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_contact_points_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_points")),
        sa.UniqueConstraint("subject_id", "kind", "digest", name=op.f("uq_contact_points_subject_id_kind_digest")),
    )
    op.create_index(op.f("ix_contact_points_digest"), "contact_points", ["digest"], unique=False)
    op.create_index(op.f("ix_contact_points_subject_id"), "contact_points", ["subject_id"], unique=False)
    op.create_table(
        "engagements",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("next_poll_at", UtcDateTime(), nullable=True),
        sa.Column("answer_begun_at", UtcDateTime(), nullable=True),
        sa.Column("first_evidence_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_engagements_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("subject_id", "source", name=op.f("uq_engagements_subject_id_source")),
    )
    op.create_index(op.f("ix_engagements_next_poll_at"), "engagements", ["next_poll_at"], unique=False)
    op.create_table(
        "facilities",
        sa.Column("hsa_id", sa.String(), nullable=False),
        sa.Column("spelling", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("message_name", sa.String(), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("cancel_deadline", sa.String(), nullable=False),
        sa.Column("remote_time_types", sa.JSON(), nullable=False),
        sa.Column("shows_end", sa.Boolean(), nullable=False),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.Column("imported_at", UtcDateTime(), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("parent <> hsa_id", name=op.f("ck_facilities_parent_is_another")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_facilities_clinic_id")),
        sa.ForeignKeyConstraint(["parent"], ["facilities.hsa_id"], name=op.f("fk_facilities_parent")),
        sa.PrimaryKeyConstraint("hsa_id", name=op.f("pk_facilities")),
    )
    op.create_index(op.f("ix_facilities_clinic_id"), "facilities", ["clinic_id"], unique=False)
    op.create_index(op.f("ix_facilities_parent"), "facilities", ["parent"], unique=False)
    op.create_table(
        "reminder_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("offset", sa.String(), nullable=False),
        sa.Column("template_name", sa.String(), nullable=False),
        sa.Column("channels", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', 'code', 'notice')",
            name=op.f("ck_reminder_rules_purpose_known"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_reminder_rules_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rules")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_reminder_rules_clinic_id_name")),
    )
    op.create_index(
        "uq_reminder_rules_default",
        "reminder_rules",
        ["name"],
        unique=True,
        sqlite_where=sa.text("clinic_id is null"),
        postgresql_where=sa.text("clinic_id is null"),
    )
    op.create_table(
        "subject_keys",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.String(), nullable=False),
        sa.CheckConstraint("wrapped like 'k1.%'", name=op.f("ck_subject_keys_wrapped_sealed")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_subject_keys_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_keys")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.CheckConstraint(
            "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', 'code', 'notice')",
            name=op.f("ck_templates_purpose_known"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_templates_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("clinic_id", "name", "channel", name=op.f("uq_templates_clinic_id_name_channel")),
    )
    op.create_index(
        "uq_templates_shipped",
        "templates",
        ["name", "channel"],
        unique=True,
        sqlite_where=sa.text("clinic_id is null"),
        postgresql_where=sa.text("clinic_id is null"),
    )
    op.create_table(
        "bookings",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("logical_address", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=True),
        sa.Column("time_flag", sa.String(), nullable=False),
        sa.Column("is_invitation", sa.Boolean(), nullable=False),
        sa.Column("may_cancel", sa.Boolean(), nullable=False),
        sa.Column("may_rebook", sa.Boolean(), nullable=False),
        sa.Column("time_type_id", sa.String(), nullable=False),
        sa.Column("sealed_details", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("stands_since", UtcDateTime(), nullable=False),
        sa.Column("gone_directly", sa.Boolean(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.Column("time_version_at", UtcDateTime(), nullable=False),
        sa.Column("amended_at", UtcDateTime(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("candidate_until", UtcDateTime(), nullable=True),
        sa.Column("missed_at", UtcDateTime(), nullable=True),
        sa.Column("missed_on_evidence_at", UtcDateTime(), nullable=True),
        sa.Column("missed_directly_at", UtcDateTime(), nullable=True),
        sa.Column("second_look_at", UtcDateTime(), nullable=True),
        sa.Column("passes_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("sealed_details like 'k1.%'", name=op.f("ck_bookings_sealed_details_sealed")),
        sa.CheckConstraint(
            "standing in ('booked', 'gone', 'cancelled', 'passed')", name=op.f("ck_bookings_standing_known")
        ),
        sa.CheckConstraint("end_at is null or end_at > start_at", name=op.f("ck_bookings_ends_after_start")),
        sa.CheckConstraint("time_version >= 1 and sequence >= 0", name=op.f("ck_bookings_versions_rise")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_bookings_engagement_id")),
        sa.ForeignKeyConstraint(["facility"], ["facilities.hsa_id"], name=op.f("fk_bookings_facility")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_bookings_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint(
            "subject_id",
            "source",
            "logical_address",
            "booking_id",
            name=op.f("uq_bookings_subject_id_source_logical_address_booking_id"),
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_bookings_uid")),
    )
    op.create_index(op.f("ix_bookings_engagement_id"), "bookings", ["engagement_id"], unique=False)
    op.create_index("ix_bookings_facility_start", "bookings", ["facility", "start_at"], unique=False)
    op.create_index(op.f("ix_bookings_passes_at"), "bookings", ["passes_at"], unique=False)
    op.create_index(op.f("ix_bookings_subject_id"), "bookings", ["subject_id"], unique=False)
    op.create_table(
        "calendar_bodies",
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("sealed_body", sa.String(), nullable=False),
        sa.Column("sealed_gzip", sa.String(), nullable=False),
        sa.CheckConstraint("sealed_body like 'k1.%'", name=op.f("ck_calendar_bodies_sealed_body_sealed")),
        sa.CheckConstraint("sealed_gzip like 'k1.%'", name=op.f("ck_calendar_bodies_sealed_gzip_sealed")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_calendar_bodies_calendar_id")),
        sa.PrimaryKeyConstraint("calendar_id", name=op.f("pk_calendar_bodies")),
    )
    op.create_table(
        "calendar_components",
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sealed_body", sa.String(), nullable=True),
        sa.CheckConstraint("sealed_body like 'k1.%'", name=op.f("ck_calendar_components_sealed_body_sealed")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_calendar_components_calendar_id")),
        sa.PrimaryKeyConstraint("calendar_id", "booking_id", name=op.f("pk_calendar_components")),
    )
    op.create_table(
        "deliveries",
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("visit_at", UtcDateTime(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=False),
        sa.Column("useful_until", UtcDateTime(), nullable=False),
        sa.Column("crash_count", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', 'code', 'notice')",
            name=op.f("ck_deliveries_purpose_known"),
        ),
        sa.CheckConstraint(
            "state in ('queued', 'sending', 'accepted', 'delivered', 'failed', 'skipped', 'expired', 'uncertain')",
            name=op.f("ck_deliveries_state_known"),
        ),
        sa.CheckConstraint(
            "state not in ('failed', 'skipped', 'expired') or reason <> ''", name=op.f("ck_deliveries_exit_has_reason")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_deliveries_clinic_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_points.id"], name=op.f("fk_deliveries_contact_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_deliveries_recipient_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_deliveries_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_deliveries_subject", "deliveries", ["subject_id", "created_at"], unique=False)
    op.create_index(
        "ix_deliveries_unsettled",
        "deliveries",
        ["claimed_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_table(
        "engagement_addresses",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_since", UtcDateTime(), nullable=False),
        sa.Column("first_evidence_at", UtcDateTime(), nullable=True),
        sa.Column("last_evidence_at", UtcDateTime(), nullable=True),
        sa.Column("last_direct_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagements.id"], name=op.f("fk_engagement_addresses_engagement_id")
        ),
        sa.PrimaryKeyConstraint("engagement_id", "address", name=op.f("pk_engagement_addresses")),
    )
    op.create_table(
        "feed_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_fetched_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendars.id"], name=op.f("fk_feed_links_calendar_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_links")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_feed_links_token_digest")),
    )
    op.create_index(op.f("ix_feed_links_calendar_id"), "feed_links", ["calendar_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("facility", sa.String(), nullable=True),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sealed_content", sa.String(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("sealed_content like 'k1.%'", name=op.f("ck_quarantine_sealed_content_sealed")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_quarantine_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("engagement_id", "digest", name=op.f("uq_quarantine_engagement_id_digest")),
    )
    op.create_index(op.f("ix_quarantine_seen_at"), "quarantine", ["seen_at"], unique=False)
    op.create_table(
        "template_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subject_line", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state in ('draft', 'approved', 'active', 'retired')", name=op.f("ck_template_versions_state_known")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_template_versions_counted_from_one")),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_template_versions_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_versions")),
        sa.UniqueConstraint(
            "template_id", "language", "number", name=op.f("uq_template_versions_template_id_language_number")
        ),
    )
    op.create_index(op.f("ix_template_versions_template_id"), "template_versions", ["template_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("wording_digest", sa.String(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "outcome in ('accepted', 'refused', 'unreachable', 'unknown')", name=op.f("ck_attempts_outcome_known")
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_attempts_provider_provider_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_attempts_public_id")),
    )
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"], unique=False)
    op.create_table(
        "booking_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settles_at", UtcDateTime(), nullable=False),
        sa.Column("tell", sa.Boolean(), nullable=False),
        sa.Column("sealed_before", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind in ('booked', 'moved', 'amended', 'cancelled', 'gone', 'restored', 'passed')",
            name=op.f("ck_booking_changes_kind_known"),
        ),
        sa.CheckConstraint("sealed_before like 'k1.%'", name=op.f("ck_booking_changes_sealed_before_sealed")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_changes_booking_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_booking_changes_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_changes")),
    )
    op.create_index(op.f("ix_booking_changes_booking_id"), "booking_changes", ["booking_id"], unique=False)
    op.create_index(
        "ix_booking_changes_untold",
        "booking_changes",
        ["subject_id"],
        unique=False,
        sqlite_where=sa.text("tell"),
        postgresql_where=sa.text("tell"),
    )
    op.create_table(
        "delivery_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("dropped_reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "purpose in ('deadline', 'reminder', 'preparations', 'confirmation', 'moved', 'gone', 'cancelled', 'restored', 'offer', 'code', 'notice')",
            name=op.f("ck_delivery_parts_purpose_known"),
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_parts_delivery_id")),
        sa.ForeignKeyConstraint(
            ["template_version_id"], ["template_versions.id"], name=op.f("fk_delivery_parts_template_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_parts")),
        sa.UniqueConstraint(
            "purpose",
            "occasion",
            "channel",
            "recipient",
            name=op.f("uq_delivery_parts_purpose_occasion_channel_recipient"),
        ),
    )
    op.create_index(op.f("ix_delivery_parts_booking_id"), "delivery_parts", ["booking_id"], unique=False)
    op.create_index(op.f("ix_delivery_parts_delivery_id"), "delivery_parts", ["delivery_id"], unique=False)
    op.create_table(
        "wordings",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_text", sa.String(), nullable=False),
        sa.Column("keep_until", UtcDateTime(), nullable=False),
        sa.CheckConstraint("sealed_text like 'k1.%'", name=op.f("ck_wordings_sealed_text_sealed")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_wordings_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_wordings")),
    )
    op.create_index(op.f("ix_wordings_keep_until"), "wordings", ["keep_until"], unique=False)
