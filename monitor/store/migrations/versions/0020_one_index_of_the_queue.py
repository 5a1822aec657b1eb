"""One index of those who wait for a review, not two: each edit of the rules, each result and each
review moved an enrolment in both."""

from alembic import op

revision = "0020"
down_revision = "0019"
additive = True  # the same rows, found by rank and instant


def upgrade() -> None:
    op.drop_index("ix_enrolments_wake", "enrolments")
