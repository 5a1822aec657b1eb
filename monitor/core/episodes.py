"""Breaching results as stories: one episode, one alert (specification, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitor.core.answer import Life
from monitor.core.calendar import Duration
from monitor.core.judged import Judged, Unknown
from monitor.core.protocol import Rule
from monitor.core.threshold import worse

_NINE_TENTHS = Decimal("0.9")
_ELEVEN_TENTHS = Decimal("1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Breaching results that belong together, in order of collection."""

    breaches: tuple[Judged, ...]
    confirmed: tuple[Judged, ...]
    """From the breach on at which the rule's `confirm` was reached; empty: not reached."""
    ended_by: Judged | None
    """The first other result after the last breach; None while the episode goes on."""

    @property
    def going_on(self) -> bool:
        return self.ended_by is None

    def concerns(self, enrolled_on: date) -> bool:
        """Whether it alerts: it went on at the enrolment or since; older ones are history.

        An episode that went on at the enrolment alerted then, and stays an alert when it
        recovers: whether anyone looked in between makes no difference.
        """
        return self.ended_by is None or self.ended_by.collected_on >= enrolled_on

    def is_before(self, first_dose_on: date) -> bool:
        """Whether no breach of it was collected under the drug."""
        return all(it.collected_on < first_dose_on for it in self.breaches)

    def worst(self, *, downward: bool) -> Judged:
        return max(self.breaches, key=lambda it: it.severity(downward=downward))


def watched(series: Sequence[Judged | Unknown], life: Life) -> list[Judged | Unknown]:
    """What of a series is watched: from before the start to the end of the wash-out, and
    beyond it while an episode goes on."""
    if life.watch_until is None:
        return [judged for judged in series if judged.collected_on >= life.watch_from]
    kept: list[Judged | Unknown] = []
    going_on = False
    for judged in series:
        day = judged.collected_on
        if day < life.watch_from:
            continue
        if day > life.watch_until and not going_on:
            break
        kept.append(judged)
        if isinstance(judged, Judged):
            going_on = judged.breaches
    return kept


def episodes(series: Sequence[Judged], gap: Duration, confirm: int) -> list[Episode]:
    """Cut a watched series into episodes.

    Breaches belong together while no other result lies between them, or where one does,
    while each follows the breach before it by no more than `gap`.
    """
    found: list[Episode] = []
    current: list[Judged] = []
    confirmed: list[Judged] = []
    run, other = 0, None
    for judged in series:
        if not judged.breaches:
            run, other = 0, other or judged
            continue
        if current and other is not None and _too_late(current[-1], judged, gap):
            found.append(_episode(current, confirmed, other))
            current, confirmed = [], []
        run, other = run + 1, None
        current.append(judged)
        if confirmed or run >= confirm:
            confirmed.append(judged)
    if current:
        found.append(_episode(current, confirmed, other))
    return found


def _too_late(before: Judged, now: Judged, gap: Duration) -> bool:
    return now.collected_on > gap.after(before.collected_on)


def _episode(
    breaches: Sequence[Judged], confirmed: Sequence[Judged], ended_by: Judged | None
) -> Episode:
    return Episode(breaches=tuple(breaches), confirmed=tuple(confirmed), ended_by=ended_by)


def speaking(found: Sequence[Episode], rule: Rule) -> list[Episode]:
    """The episodes that speak: confirmed, and not again within `again_after` unless worse."""
    spoken: list[Episode] = []
    last_spoken_on: date | None = None
    for episode in found:
        for judged in episode.confirmed:
            day = judged.collected_on
            if (
                last_spoken_on is None
                or rule.again_after is None
                or day >= rule.again_after.after(last_spoken_on)
                or _worse_than(judged, spoken[-1], downward=rule.downward)
            ):
                spoken.append(episode)
                last_spoken_on = day
                break
    return spoken


def _worse_than(judged: Judged, episode: Episode, *, downward: bool) -> bool:
    worst = episode.worst(downward=downward)
    return judged.level > worst.level or markedly_worse(
        judged.measured.value, worst.measured.value, downward=downward
    )


def markedly_worse(value: Decimal, than: Decimal, *, downward: bool) -> bool:
    """At least 10 % worse: what makes people be told again inside an episode."""
    if not worse(value, than, downward=downward):
        return False
    return value <= than * _NINE_TENTHS if downward else value >= than * _ELEVEN_TENTHS
