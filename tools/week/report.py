"""What both runs came to, for a person."""

from __future__ import annotations

from collections.abc import Iterator

from tools.week.trouble import CRASH, KILL, RESTART
from tools.week.whole import Outcome


def lines_of(outcome: Outcome) -> Iterator[str]:
    wanted, hits, blows = outcome.wanted, outcome.hits, outcome.blows
    yield f"{wanted.enrolled:,} enrolled; {outcome.beginning}"
    yield (
        f"{wanted.days} days, {outcome.instants} instants; {outcome.files} files with "
        f"{outcome.rows:,} rows; {outcome.deeds} deeds of people"
    )
    yield (
        f"{blows[KILL]} kills: {hits.amid_mail} with mail going out, {hits.unanswered} between the "
        "server's acceptance and its answer"
    )
    yield (
        f"{blows[CRASH]} crashes and {blows[RESTART]} restarts of the server; "
        f"{hits.starts_without_server} daemons that began without it were started again"
    )
    yield f"{outcome.mails:,} mails, {outcome.repeats} of them came again"
    yield ", ".join(f"{name.replace('_', ' ')}: {it:,}" for name, it in outcome.counts.items())
    yield ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in outcome.seconds.items())
    yield f"differences: {len(outcome.differences)}"
    yield from outcome.differences
