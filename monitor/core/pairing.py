"""Which alert is about which finding: of one cause, and of episodes those that share a breach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.core.answer import Finding
from monitor.core.changes import Alert, Change, ChangeWhat
from monitor.core.vocabulary import AlertState


@dataclass(slots=True)
class Pairing:
    """Each finding with its alert (None: it needs one), the younger alerts that became one with
    an older, the live alerts that no finding is about, and those among the closed that a person
    was to look at again."""

    pairs: list[tuple[Finding, Alert | None]]
    merges: list[Change]
    gone: list[Alert]
    void: list[Alert]


def pair(found: Sequence[Finding], alerts: Sequence[Alert]) -> Pairing:
    """Pair findings with alerts of the same cause; episodes by a breach they share."""
    by_cause: dict[str, list[Alert]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda it: it.id):
        if alert.state is not AlertState.CLOSED or alert.closed_by is not None:
            by_cause[alert.cause].append(alert)
    pairing = Pairing([], [], [], [])
    taken: set[int] = set()
    for finding in found:
        free = [it for it in by_cause[finding.cause] if it.id not in taken and _same(finding, it)]
        live = [it for it in free if it.state is not AlertState.CLOSED]
        chosen = next(iter(live or free[-1:]), None)
        pairing.pairs.append((finding, chosen))
        taken.update(it.id for it in live)
        if chosen is not None:
            taken.add(chosen.id)
            pairing.merges.extend(_merged(it, chosen) for it in live[1:])
    pairing.gone = [it for it in alerts if it.state is not AlertState.CLOSED and it.id not in taken]
    pairing.void = [it for it in alerts if _waits(it) and not any(_is_about(f, it) for f in found)]
    return pairing


_ONE_WITH = "one episode with alert "


def merged_into(outcome: str) -> int | None:
    """The alert that a younger one was closed for, as its outcome names it."""
    older = outcome.removeprefix(_ONE_WITH)
    return int(older) if older != outcome and older.isdecimal() else None


def as_apart(alerts: Sequence[Alert]) -> list[Alert]:
    """These alerts of one enrolment, with those standing again, as they did, that were merged
    into one that has left: two numbers were one patient's and are no longer."""
    here = {alert.id for alert in alerts}
    return [
        replace(
            it,
            state=AlertState.OPEN if it.acknowledged_until is None else AlertState.ACKNOWLEDGED,
            closed_at=None,
            came_apart=True,
        )
        if it.merged_into is not None and it.merged_into not in here
        else it
        for it in alerts
    ]


def _waits(alert: Alert) -> bool:
    """A person closed it while its episode went on."""
    by_a_person = alert.state is AlertState.CLOSED and alert.closed_by is not None
    return by_a_person and alert.review_by is not None and bool(alert.breaches)


def _is_about(finding: Finding, alert: Alert) -> bool:
    return finding.cause == alert.cause and not set(finding.breaches).isdisjoint(alert.breaches)


def _same(finding: Finding, alert: Alert) -> bool:
    if not finding.breaches:
        return alert.state is not AlertState.CLOSED
    return not set(finding.breaches).isdisjoint(alert.breaches)


def _merged(younger: Alert, older: Alert) -> Change:
    return Change(
        what=ChangeWhat.MERGED,
        reason=f"{_ONE_WITH}{older.id}",
        tell=False,
        alert=younger,
        into=older.id,
        urgency=younger.urgency,
    )
