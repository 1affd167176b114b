"""Alembic's entry: runs the numbered versions on the connection that `store.database.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import store.migrations.env_tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
