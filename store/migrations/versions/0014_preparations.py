"""What clinics tell before visits, where it may lead, the links to it, and who has read it."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0014"
down_revision = "0013"

_ACTIONS = "action in ('confirm', 'cancel', 'unsubscribe', 'wrong_person', 'start', 'read')"


def upgrade() -> None:
    op.add_column(
        "clinics", sa.Column("decision_covers_texts", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _widen_actions()
    _make_leaflets()
    op.create_table(
        "preparations_read",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_preparations_read_booking_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["subjects.id"], name=op.f("fk_preparations_read_reader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preparations_read")),
        sa.UniqueConstraint("booking_id", "reader_id", name=op.f("uq_preparations_read_booking_id_reader_id")),
    )
    op.create_index(op.f("ix_preparations_read_reader_id"), "preparations_read", ["reader_id"], unique=False)


def _make_leaflets() -> None:
    op.create_table(
        "clinic_leaflets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("time_type_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("amended_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_clinic_leaflets_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic_leaflets")),
        sa.UniqueConstraint(
            "clinic_id",
            "facility",
            "time_type_id",
            "language",
            name=op.f("uq_clinic_leaflets_clinic_id_facility_time_type_id_language"),
        ),
    )
    op.create_table(
        "link_hosts",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_link_hosts_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "host", name=op.f("pk_link_hosts")),
    )


def _widen_actions() -> None:
    """A link may now lead to what is to be read. SQLite alters no constraint: the table is made anew, and the one that
    names it with it, else that would go on naming the old one."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_action_links_action_known"), "action_links", type_="check")
        op.create_check_constraint(op.f("ck_action_links_action_known"), "action_links", _ACTIONS)
        return
    op.drop_index("ix_action_links_recipient_id", "action_links")
    op.drop_index("ix_action_links_expires_at", "action_links")
    for table in ("action_link_visits", "action_links"):
        op.rename_table(table, f"{table}_before")
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
        sa.CheckConstraint(_ACTIONS, name=op.f("ck_action_links_action_known")),
        sa.ForeignKeyConstraint(["recipient_id"], ["subjects.id"], name=op.f("fk_action_links_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_action_links_digest")),
    )
    op.create_table(
        "action_link_visits",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("time_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["action_links.id"], name=op.f("fk_action_link_visits_link_id")),
        sa.PrimaryKeyConstraint("link_id", "booking_id", name=op.f("pk_action_link_visits")),
    )
    op.execute("insert into action_links select * from action_links_before")  # the same columns, in the same order
    op.execute("insert into action_link_visits select * from action_link_visits_before")
    op.drop_table("action_link_visits_before")
    op.drop_table("action_links_before")
    op.create_index(op.f("ix_action_links_recipient_id"), "action_links", ["recipient_id"], unique=False)
    op.create_index(op.f("ix_action_links_expires_at"), "action_links", ["expires_at"], unique=False)
