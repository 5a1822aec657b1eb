"""What a review leaves behind for an edit of the rules."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
additive = True


def upgrade() -> None:
    op.add_column("enrolments", sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("enrolments", sa.Column("kept_by", sa.String(), nullable=True))
    op.add_column("enrolments", sa.Column("kept_reach", sa.String(), nullable=True))
