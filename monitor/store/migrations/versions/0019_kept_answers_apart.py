"""What is kept of answers lies apart from the enrolments: an edit of the rules wakes everybody, and
writes each enrolment twice."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """What was kept is not taken along: after a migration nothing is that was."""
    op.create_table(
        "kept_answers",
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolments.id"]),
        sa.PrimaryKeyConstraint("enrolment_id"),
    )
    op.drop_column("enrolments", "kept_reach")
