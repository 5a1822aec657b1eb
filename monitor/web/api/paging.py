"""Long lists in parts: `limit`, and the address of what follows in a Link header (RFC 8288)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Query, Request
from starlette.responses import Response

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="As Link gives it.")]


_Row = TypeVar("_Row")


def part_of(rows: list[_Row], limit: int) -> tuple[list[_Row], bool]:
    """The rows of this part, and whether more follow, of rows read to one more than `limit`."""
    return rows[:limit], len(rows) > limit


def more_at(request: Request, response: Response, **place: int) -> None:
    """Name the address of the next part, relative to this one: proxies change the rest."""
    query = request.url.include_query_params(**place).query
    response.headers["Link"] = f'<?{query}>; rel="next"'


def plain(found: DataclassInstance) -> dict[str, Any]:
    """A dataclass as JSON has it: days and instants as text."""
    return {
        name: it.isoformat() if isinstance(it, date) else it for name, it in asdict(found).items()
    }
