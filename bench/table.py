"""The table of `docs/performance.md`, between two marks; what stands around it is by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.record import Record, Sheet

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- table: written by `make bench` -->", "<!-- end of the table -->"
_COLUMNS = {
    "what": "---", "database": "---", "size": "---:", "median": "---:",
    "lowest to highest": "---:", "beside it": "---", "ratio": "---:", "to reach": "---",
    "memory": "---:",
}  # fmt: skip


def write(sheets: Sequence[Sheet], page: Path = PAGE) -> None:
    """Put the table of these sheets into the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n".join(_lines(sheets))
    page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def _lines(sheets: Sequence[Sheet]) -> Iterator[str]:
    if not sheets:
        return
    yield from _machine(sheets)
    yield from _goals(sheets)
    for title in dict.fromkeys(sheet.title for sheet in sheets):
        yield f"\n### {title}\n"
        yield f"| {' | '.join(_COLUMNS)} |"
        yield f"| {' | '.join(_COLUMNS.values())} |"
        for sheet in sheets:
            if sheet.title == title:
                yield from (_row(sheet, record) for record in sheet.records)
        notes = [r.note for s in sheets if s.title == title for r in s.records if r.note]
        for note in dict.fromkeys(notes):
            yield f"\n{note}"


def _goals(sheets: Sequence[Sheet]) -> Iterator[str]:
    """What was to be reached and what was, at the largest size that was measured."""
    named = {r.goal for sheet in sheets for r in sheet.records} - {""}
    yield "\n### What was to be reached\n"
    yield "| goal | SQLite, or no database | PostgreSQL |\n| --- | --- | --- |"
    order = [r.goal for sheet in sheets for r in sheet.records if r.goal in named]
    for goal in dict.fromkeys(order):
        small, large = _largest(sheets, goal, "sqlite", ""), _largest(sheets, goal, "postgresql")
        yield f"| {goal} | {small} | {large} |"
    yield (
        "\nEach beside what it had to be, at the largest size measured, with the day and what that "
        "machine takes to import everything (seconds of CPU), which says how fast it is."
    )


def _largest(sheets: Sequence[Sheet], goal: str, *databases: str) -> str:
    found = [
        (sheet, record)
        for sheet in sheets
        for record in sheet.records
        if record.goal == goal and sheet.database in databases
    ]
    if not found:
        return ""
    sheet, record = max(found, key=lambda it: it[0].size)
    sign = "≥" if record.more_is_better else "≤"
    said = []
    if record.reach_ratio is not None and record.ratio is not None:
        said.append(f"**{record.ratio:.2f} x** ({sign} {record.reach_ratio:g})")
    if record.reach is not None:
        said.append(f"**{_figure(record.median)} {record.unit}** ({sign} {_figure(record.reach)})")
    if record.reach_mib is not None and record.peak_mib:
        said.append(f"{median(record.peak_mib):.0f} MiB (≤ {record.reach_mib:.0f})")
    met = "" if record.reached else ": **not reached**"
    imports = sheet.machine.get("imports_s")
    speed = "" if imports is None else f", {imports:g} s"
    return f"{', '.join(said)}{met}; {sheet.size:,}, {sheet.at[:10]}{speed}"


def _machine(sheets: Sequence[Sheet]) -> Iterator[str]:
    newest = max(sheets, key=lambda sheet: sheet.at)
    facts = newest.machine
    databases = sorted({str(sheet.machine["database"]) for sheet in sheets} - {""})
    libraries = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
    busiest = max(float(sheet.machine["load_before"]) for sheet in sheets)
    days = sorted({sheet.at[:10] for sheet in sheets})
    repeats = sorted({sheet.repeats for sheet in sheets})
    yield (
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory_gib']} GiB, "
        f"{facts['system']}, Python {facts['python']}, {', '.join(databases)}; {libraries}. "
        f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))}, medians of "
        f"{' or '.join(map(str, repeats))}; load of the machine before a run up to {busiest:g}."
    )


def _row(sheet: Sheet, record: Record) -> str:
    beside = "; ".join(f"{peer.name} {_figure(peer.median)}" for peer in record.peers)
    spread = f"{_figure(min(record.values))} to {_figure(max(record.values))}"
    cells = [
        record.what,
        {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(sheet.database, ""),
        f"{sheet.size:,}",
        f"**{_figure(record.median)} {record.unit}**",
        spread if len(record.values) > 1 else "",
        beside,
        "" if record.ratio is None else f"{record.ratio:.2f}",
        _to_reach(record),
        f"{median(record.peak_mib):.0f} MiB" if record.peak_mib else "",
    ]
    return f"| {' | '.join(cells)} |"


def _to_reach(record: Record) -> str:
    word = "at least" if record.more_is_better else "at most"
    said = []
    if record.reach_ratio is not None:
        said.append(f"{word} {record.reach_ratio:g} x")
    if record.reach is not None:
        said.append(f"{word} {_figure(record.reach)} {record.unit}")
    if record.reach_mib is not None:
        said.append(f"at most {record.reach_mib:.0f} MiB")
    if not said:
        return ""
    return f"{', '.join(said)}: {'reached' if record.reached else '**not reached**'}"


def _figure(number: float) -> str:
    """Three digits that count."""
    if abs(number) >= 100:
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.3g}"
