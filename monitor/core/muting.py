"""Inhibition: an alert that asks to stop or hold the drug, or to check its dose, speaks for the
lesser ones of the same cause. Which speaks for which is data of the protocol (`muted_by`).

Muted is not hidden: the alert stays on the list, marked, and is told as soon as the graver one
no longer speaks. A critical alert is never muted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.protocol import Protocol
from monitor.core.vocabulary import Kind, Urgency

_GRAVE = frozenset({Kind.DISCONTINUE.value, Kind.WITHHOLD.value, Kind.DOSE_CHECK.value})
RULE = "rule:"
KIDNEY = "dose_check:renal"
"""The one alert that is not a rule's and may speak for one: it names the same creatinine."""
CAUSES = (RULE, KIDNEY)
"""How the causes begin of alerts that mute or are muted."""


def cause_of(name: str) -> str:
    """The cause of an alert that `muted_by` names: a rule, or the dose check of the kidney."""
    return name if name == KIDNEY else f"{RULE}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A live alert of one enrolment; `speaks` unless it has recovered or is snoozed."""

    key: int
    cause: str
    kind: str
    urgency: Urgency
    speaks: bool


def muters(voices: Sequence[Voice], protocol: Protocol) -> Mapping[int, Voice]:
    """For each alert that is muted, the alert that speaks for it, by `key`."""
    muted_by = {f"{RULE}{rule.id}": rule.muted_by for rule in protocol.rules if rule.muted_by}
    if not muted_by:
        return {}
    grave = [it for it in voices if it.speaks and it.kind in _GRAVE]
    found: dict[int, Voice] = {}
    for voice in voices:
        names = muted_by.get(voice.cause, ())
        if voice.urgency is Urgency.CRITICAL or not names:
            continue
        for name in names:
            louder = [
                it
                for it in grave
                if it.cause == cause_of(name) and it.urgency.rank >= voice.urgency.rank
            ]
            if louder:
                found[voice.key] = louder[0]
                break
    return found
