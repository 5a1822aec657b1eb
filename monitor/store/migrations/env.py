"""Run by Alembic, always from `Store.migrate` and inside its one transaction."""

from alembic import context

from monitor.store.tables import Fact

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Fact.metadata,
    transactional_ddl=True,  # SQLite too: the transaction is begun by us, not by its driver
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
