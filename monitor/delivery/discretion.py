"""What a reader may see at the privacy level `minimal`: no name, birth date or value outside
the page, except that a critical mail gives the value (interfaces, "Mail")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from monitor.core.repeats import asks_to_repeat
from monitor.core.vocabulary import Kind, Urgency
from monitor.delivery.view import AlertView

NOT_SHOWN = "the details are not shown here"
_SAID_ALONE = "The details are not shown here."
_NUMBER = re.compile(r"\d")
_WITHOUT_VALUES = frozenset(
    {Kind.OVERDUE_TEST.value, Kind.TASK_DUE.value, Kind.BASELINE_MISSING.value}
)
"""Alerts that are about days and what is missing, not about values."""
_NOTHING_MEASURED = frozenset({Kind.SAMPLE_UNUSABLE.value})
"""Alerts whose summary is about a test that gave no value, though earlier ones stand beside it."""
_READING = re.compile(r" not known \(.*?\)(?=; |$)")
"""A genotype that could not be read, as the laboratory wrote it."""
_NOTE = re.compile(r"^((?:Held since|Declined on) [^(]*?) \(.*\)(?=[.,:])", re.DOTALL)
"""What a person noted with a hold or a refusal: it may hold values, or a name."""


def withholds(urgency: str, privacy: str) -> bool:
    """Whether values stay behind."""
    return privacy == "minimal" and urgency != Urgency.CRITICAL.value


def shows_notes(privacy: str) -> bool:
    """Whether what a person wrote of a patient is told, why something waits or what was done: it
    may hold values, or a name."""
    return privacy == "full"


def without_notes(sentences: Sequence[str], privacy: str) -> tuple[str, ...]:
    """What is said with an alert, without what a person noted unless this reader may see it."""
    if shows_notes(privacy):
        return tuple(sentences)
    return tuple(_NOTE.sub(r"\1", sentence) for sentence in sentences)


def discreet_view(view: AlertView, privacy: str) -> AlertView:
    """The view as a reader of this privacy level may see it: where values stay behind, what it
    is about, what the protocol says, and where to look."""
    view = replace(view, say=without_notes(view.say, privacy))
    if not withholds(view.urgency, privacy):
        return view
    if view.kind in _WITHOUT_VALUES:
        return _said(view, _without_readings(view.summary))
    if view.kind not in _NOTHING_MEASURED:
        view = _said(view, summary_without_values(view.analyte, _SAID_ALONE))
    return replace(
        view,
        value="",
        distance="",
        limit_text="",
        latest="",
        values=(),
        legend="",
        figure=None,
        alt=(),
        held=(),
        say=_without_numbers(view.say),
        cautions=_without_numbers(view.cautions),
    )


def _said(view: AlertView, summary: str) -> AlertView:
    """With this summary; it is also the reason of what is told for the first time."""
    return replace(view, summary=summary, reason=summary if view.is_new else view.reason)


def discreet_summary(
    kind: str, urgency: str, summary: str, shown: dict[str, Any], privacy: str
) -> str:
    """The summary of an alert in a list, for a reader of this privacy level."""
    if not withholds(urgency, privacy):
        return summary
    if kind in _WITHOUT_VALUES:
        return _without_readings(summary)
    if kind in _NOTHING_MEASURED:
        return summary
    return summary_without_values(shown.get("analyte_title") or "", "")


def summary_without_values(analyte: str, otherwise: str) -> str:
    """`Neutrophils: the value is not shown here`, or what else it is where there is none."""
    return f"{analyte}: the value is not shown here" if analyte else otherwise


def _without_readings(summary: str) -> str:
    return _READING.sub(" not known", summary)


def _without_numbers(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that hold a number, but for the day of a recheck: that is the protocol's."""
    return tuple(text for text in sentences if asks_to_repeat(text) or not _NUMBER.search(text))
