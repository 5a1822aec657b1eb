"""Numbers with their issuers, merges that can be taken back, remembered fixes, whole files
taken back. Every patient known so far has one identifier: the plain number."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _identifiers()
    _merges()
    _memory()
    _columns()


def _identifiers() -> None:
    op.create_table(
        "identifiers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("issuer_key", sa.String(), nullable=False),
        sa.Column("number_key", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("issuer_key", "number_key"),
    )
    op.create_index("ix_identifiers_number", "identifiers", ["number_key"])
    op.create_index("ix_identifiers_patient_id", "identifiers", ["patient_id"])
    op.execute(
        "INSERT INTO identifiers (patient_id, issuer, number, issuer_key, number_key) "
        "SELECT id, '', mrn, '', mrn_key FROM patients"
    )


def _merges() -> None:
    op.create_table(
        "merges",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("old_id", sa.Integer(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("new_id", sa.Integer(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.Integer(), sa.ForeignKey("files.id"), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("taken_back", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    for name in ("old_id", "new_id", "file_id"):
        op.create_index(f"ix_merges_{name}", "merges", [name])


def _memory() -> None:
    op.create_table(
        "repeats",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), sa.ForeignKey("files.id"), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
    )
    op.create_index("ix_repeats_row", "repeats", ["what", "row_id"])
    op.create_index("ix_repeats_file_id", "repeats", ["file_id"])
    op.create_table(
        "person_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("file_id", sa.Integer(), sa.ForeignKey("files.id"), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
    )
    op.create_index("ix_person_changes_cell", "person_changes", ["what", "row_id", "name"])
    op.create_index("ix_person_changes_file_id", "person_changes", ["file_id"])
    op.create_table(
        "fixes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(), nullable=True),
    )
    op.create_index("ix_fixes_source", "fixes", ["source"])


def _columns() -> None:
    with op.batch_alter_table("files") as files:
        files.add_column(sa.Column("reverted_at", sa.DateTime(timezone=True), nullable=True))
        files.add_column(sa.Column("reverted_by", sa.String(), nullable=True))
        files.add_column(sa.Column("reverted_because", sa.String(), nullable=True))
    with op.batch_alter_table("patients") as patients:
        patients.add_column(_foreign("patients", "person_id", "patients"))
    with op.batch_alter_table("enrolments") as enrolments:
        enrolments.add_column(_foreign("enrolments", "home_id", "patients"))
        enrolments.add_column(_flag("stands", sa.true()))
        enrolments.add_column(_foreign("enrolments", "merged_into", "enrolments"))
        enrolments.add_column(_foreign("enrolments", "file_id", "files"))
    with op.batch_alter_table("events") as events:
        events.add_column(_foreign("events", "withdrawn_in", "files"))
        events.add_column(_foreign("events", "home_id", "patients"))
        events.add_column(_flag("taken_back", sa.false()))
    with op.batch_alter_table("results") as results:
        results.add_column(_foreign("results", "home_id", "patients"))
        results.add_column(sa.Column("issuer", sa.String(), nullable=False, server_default=""))
        results.add_column(_flag("taken_back", sa.false()))
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(_foreign("alerts", "home_id", "enrolments"))
    for table, name in (
        ("patients", "person_id"),
        ("enrolments", "home_id"),
        ("enrolments", "file_id"),
        ("events", "home_id"),
        ("results", "home_id"),
    ):
        op.create_index(f"ix_{table}_{name}", table, [name])


def _foreign(table: str, name: str, other: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{other}.id", name=f"fk_{table}_{name}")
    return sa.Column(name, sa.Integer(), key, nullable=True)


def _flag(name: str, default: sa.ColumnElement[bool]) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=default)
