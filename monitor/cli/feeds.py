"""`monitor feeds`: what each source usually does, and what of that it does no longer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.core.calendar import instant_text
from monitor.core.feed import WEEKDAYS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from monitor.operations.feed_shift import Judged
    from monitor.operations.feed_watch import Feed
    from monitor.operations.shifted_values import Shift


def feeds(
    shifts: Annotated[
        bool,
        typer.Option("--shifts", help="Who may have been wrongly reassured or alarmed by a shift."),
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Each source: when it last brought results, when it should next, and whether all is as usual.

    Told to the operator while `monitor run` works: a source that is silent, an analyte that came
    and comes no longer, several patients overdue on one day, values that are suddenly 10, 100
    or 1000 times what they were.
    """
    from monitor.operations import feed_watch
    from monitor.operations.feed_shift import judged_otherwise

    with reading(config, at) as work:
        found = feed_watch.feeds(work.store, work.settings, work.now)
        judged = {
            (feed.source, shift.analyte): judged_otherwise(
                work.store, work.settings, shift, work.now
            )
            for feed in found
            for shift in (feed.shifts if shifts else ())
        }
    zone = work.settings.clinic.zone
    if as_json:
        print_json([_document(feed, judged, zone) for feed in found])
        return
    columns = ["source", "state", "last file", "expected next", "usually by", "analytes"]
    table(columns, [_line(feed, zone) for feed in found], empty="No source has brought results.")
    for feed in found:
        for topic, text in feed.alarms():
            say(f"\n{topic}\n  {text}")
        for shift in feed.shifts:
            if (it := judged.get((feed.source, shift.analyte))) is not None:
                _tell(feed, shift, it)


def _line(feed: Feed, zone: ZoneInfo) -> tuple[object, ...]:
    usual = ", ".join(it.text for it in feed.expected) or "not known yet"
    last, coming = (_at(it, zone) for it in (feed.last, feed.next))
    return feed.source or "(none)", feed.state, last, coming, usual, len(feed.analytes)


def _tell(feed: Feed, shift: Shift, judged: Judged) -> None:
    say(f"\n{shift.analyte} of {feed.source or '(none)'}, {shift.factor} times what it was:")
    for words, mrns in (
        ("wrongly reassured", judged.reassured),
        ("wrongly alarmed", judged.alarmed),
        ("judged alike", judged.others),
    ):
        say(f"  {words}: {', '.join(mrns) or 'nobody'}")
    source = feed.source or "NAME"
    say("  To set it right, if the unit is wrong:")
    say(f'    in the config, [sources.{source}]: unit_spellings = {{ "THEIRS" = "WHAT IT MEANS" }}')
    for number, name in zip(shift.file_ids, shift.files, strict=True):
        say(f'    monitor batch revert {number} --by WHO --reason "{shift.analyte}: wrong unit"')
        say(f"    monitor load {name} --source {source}")


def _at(instant: datetime | None, zone: ZoneInfo) -> str:
    return "" if instant is None else instant_text(instant, zone)


def _document(feed: Feed, judged: dict[tuple[str, str], Judged], zone: ZoneInfo) -> dict[str, Any]:
    def told(instant: datetime | None) -> str | None:
        return None if instant is None else instant.astimezone(zone).isoformat()

    return {
        "source": feed.source,
        "state": feed.state,
        "last_file_at": told(feed.last),
        "expected_next_at": told(feed.next),
        "expected": [
            {"weekday": WEEKDAYS[it.weekday], "by": f"{it.by:%H:%M}"} for it in feed.expected
        ],
        "learned": feed.is_learned,
        "missed": [told(it) for it in feed.missed],
        "analytes": list(feed.analytes),
        "vanished": [
            {"analyte": name, "since": since.date().isoformat()} for name, since in feed.vanished
        ],
        "shifts": [
            {
                "analyte": shift.analyte,
                "power": shift.power,
                "files": [
                    {"id": number, "name": name}
                    for number, name in zip(shift.file_ids, shift.files, strict=True)
                ],
                "patients": len(shift.patient_ids),
                **_judged(judged.get((feed.source, shift.analyte))),
            }
            for shift in feed.shifts
        ],
        "newly_overdue": feed.newly_overdue,
        "alarms": [topic for topic, _ in feed.alarms()],
    }


def _judged(judged: Judged | None) -> dict[str, list[str]]:
    if judged is None:
        return {}
    return {
        "wrongly_reassured": list(judged.reassured),
        "wrongly_alarmed": list(judged.alarmed),
        "judged_alike": list(judged.others),
    }
