"""Reads the tables of the manual, so that its pages are tests."""

from __future__ import annotations

from pathlib import Path

MANUAL = Path(__file__).parents[2] / "docs" / "manual"


def table(page: str, heading: str) -> list[dict[str, str]]:
    """The rows of the first table under a heading of a manual page, by column name."""
    text = (MANUAL / page).read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


def tables(page: str) -> list[tuple[str, dict[str, str]]]:
    """Every row of a page's tables, each with its heading (the page's title above the first)."""
    found: list[tuple[str, dict[str, str]]] = []
    heading = ""
    header: list[str] = []
    for line in (MANUAL / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading, header = line.lstrip("# "), []
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not header:
                header = cells
            elif not set("".join(cells)) <= {"-"}:
                found.append((heading, dict(zip(header, cells, strict=True))))
    return found


def ids(rows: list[dict[str, str]]) -> list[str]:
    return [" ".join(value for value in row.values() if value)[:80] for row in rows]
