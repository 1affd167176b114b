"""Links by which people answer, what they answered about visits, and the audit log."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0009"
down_revision = "0008"

_INTENTS = "intent in ('stop', 'start', 'help', 'wrong_person', 'confirm', 'cancel', 'unknown')"


def upgrade() -> None:
    _widen_intents()
    op.create_table(
        "action_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("contact_digest", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "action in ('confirm', 'cancel', 'unsubscribe', 'wrong_person', 'start')",
            name=op.f("ck_action_links_action_known"),
        ),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_action_links_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_action_links_digest")),
    )
    op.create_index(op.f("ix_action_links_recipient_id"), "action_links", ["recipient_id"], unique=False)
    op.create_index(op.f("ix_action_links_expires_at"), "action_links", ["expires_at"], unique=False)
    op.create_table(
        "action_link_visits",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["action_links.id"], name=op.f("fk_action_link_visits_link_id")),
        sa.PrimaryKeyConstraint("link_id", "booking_id", name=op.f("pk_action_link_visits")),
    )
    op.create_table(
        "visit_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("handled_by", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('confirm', 'cancel')", name=op.f("ck_visit_answers_kind_known")),
        sa.CheckConstraint(
            "(handled_at is null) = (handled_by = '')", name=op.f("ck_visit_answers_handled_by_somebody")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_visit_answers_clinic_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_visit_answers_recipient_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_visit_answers_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_answers")),
        sa.UniqueConstraint(
            "kind", "booking_id", "time_version", "recipient_id",
            name=op.f("uq_visit_answers_kind_booking_id_time_version_recipient_id"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_visit_answers_booking_id"), "visit_answers", ["booking_id"], unique=False)
    op.create_index(op.f("ix_visit_answers_subject_id"), "visit_answers", ["subject_id"], unique=False)
    op.create_index(
        "ix_visit_answers_open",
        "visit_answers",
        ["clinic_id"],
        unique=False,
        sqlite_where=sa.text("kind = 'cancel' and handled_at is null"),
        postgresql_where=sa.text("kind = 'cancel' and handled_at is null"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("contact_digest", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "act in ('opted_out', 'opted_in', 'wrong_person', 'confirmed', 'cancel_asked', 'cancel_handled')",
            name=op.f("ck_audit_act_known"),
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_audit_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_subject_id"), "audit", ["subject_id"], unique=False)


def _widen_intents() -> None:
    """A text may now confirm a visit or ask to cancel it. SQLite alters no constraint: the table is made anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_replies_intent_known"), "replies", type_="check")
        op.create_check_constraint(op.f("ck_replies_intent_known"), "replies", _INTENTS)
        return
    op.drop_index("ix_replies_sender", "replies")
    op.drop_index("ix_replies_received_at", "replies")
    op.rename_table("replies", "replies_before")
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("sender_digest", sa.String(), nullable=False),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(_INTENTS, name=op.f("ck_replies_intent_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_replies_provider_provider_id")),
    )
    op.execute("insert into replies select * from replies_before")  # the columns are the same, in the same order
    op.drop_table("replies_before")
    op.create_index("ix_replies_sender", "replies", ["sender_digest", "received_at"], unique=False)
    op.create_index(op.f("ix_replies_received_at"), "replies", ["received_at"], unique=False)
