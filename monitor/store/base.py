"""What every table has in common."""

from __future__ import annotations

from sqlmodel import SQLModel


class Table(SQLModel):
    """A row of a table. The schema that pydantic would check rows by is made when one is checked,
    which no command does: what comes in is checked where it is read. A tenth of the start-up of
    all tables."""

    model_config = {"defer_build": True}
