"""The page of the founding brief, made of the other pages of the manual.

Those pages are run row by row, so an index of them that fits cannot be wrong.
"""

from __future__ import annotations

from functools import cache

from tests.spec.brief_rows import BRIEF, TEST, Case
from tests.spec.manual import MANUAL, tables

SAID = ("says", "said", "alerts", "what is said")
SILENCE = ("", "quiet")

HEAD = """\
# The founding brief, row by row

What the founding brief says of azathioprine, what encodes it in `schedules/azathioprine.toml` (by its id
or key), and for each row of it at least: a case in which it speaks, one in which it just does not, and one
in which something is not known. Written by `tests/spec/test_brief.py` (`UPDATE_GOLDEN=1 make test`) from
the tables of the other pages of this manual, whose every row is run as a test through the whole core; an
id that is in the file and not here, or a case that is gone, fails the suite. The start day is Monday
5 January 2026.

"""


@cache
def rows(page: str) -> list[tuple[str, dict[str, str]]]:
    """Every row of a page's tables, with its heading."""
    return tables(f"{page}.md")


def found(it: Case) -> list[tuple[str, dict[str, str]]]:
    """The rows that hold all the words of a case; `$`: the words are all that goes in."""
    whole = "$" in it.words
    words = [word for word in it.words if word != "$"]
    hits = []
    for heading, row in rows(it.page):
        text = " ".join(value for value in row.values() if value)
        if words == [goes_in(row)] if whole else all(word in text for word in words):
            hits.append((heading, row))
    return hits


def goes_in(row: dict[str, str]) -> str:
    return " ".join(
        value for key, value in row.items() if value and key not in (*SAID, "why", "due", "state")
    )


def said(row: dict[str, str]) -> str:
    """What is said; of the pages about days, the day and the state."""
    for key in SAID:
        if key in row:
            due = f" ({row['due']})" if row.get("due") else ""
            return row[key] + due
    return f"{row['due']} {row['state']}".strip()


def page() -> str:
    """The page as it should be."""
    lines = [HEAD.rstrip("\n")]
    for number, it in enumerate(BRIEF, start=1):
        names = ", ".join(f"`{name}`" for name in it.names)
        note = f" {it.note[0].upper()}{it.note[1:]}." if it.note else ""
        lines += ["", f"## {number}. {it.says}", "", f"By {names}.{note}", ""]
        lines += ["| case | where | what goes in | what is said |", "| --- | --- | --- | --- |"]
        for one in it.cases:
            if one.page == TEST:
                path, _, name = one.words[0].partition("::")
                lines.append(f"| {one.kind} | `{path}` | | {_sentence(name)} |")
                continue
            for heading, row in found(one):
                where = f"[{heading}]({one.page}.md#{_anchor(heading)})"
                text = said(row) if said(row) not in SILENCE else "nothing"
                lines.append(f"| {one.kind} | {where} | {goes_in(row)} | {text} |")
    return "\n".join(lines) + "\n"


def _sentence(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _anchor(heading: str) -> str:
    return "".join(it for it in heading.lower().replace(" ", "-") if it.isalnum() or it == "-")


PATH = MANUAL / "brief.md"
