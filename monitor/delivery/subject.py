"""What a subject may name: urgency, action, MRN; the value and initials only at full privacy.

A subject stands on locked screens and in the logs of mail servers. What it may never hold
(pregnancy, HIV, hepatitis, death) is left out, whatever a site calls its things. The wording
is in `templates/email/<kind>/subject.txt`; here are its parts.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.delivery.view import AlertView
from monitor.delivery.words import discreet, one_line, subject_action

_REMINDER = "Reminder"
_RECOVERED = "recovered"
_AGAIN = {
    "Changed",
    _REMINDER,
    "Worse",
    "Open again",
    "Beyond the limit again",
    "Not acknowledged",
    "No outcome yet",
}


def parts_of(views: Sequence[AlertView], privacy: str) -> dict[str, str | int]:
    """The parts of a subject about alerts: the first is named, which is the worst that
    still stands, and the others are counted."""
    first = views[0]
    people = len({view.person.mrn for view in views})
    late = people > 1 and all(view.kind == "overdue_test" for view in views)
    full = privacy == "full"
    words = {view.what.lower() for view in views}
    again = first.what.lower() if first.what in _AGAIN else ""
    if first.what == _REMINDER and len(words) > 1:
        again = ""  # whoever has read it leaves a reminder unread, and with it what is new
    if all(view.is_recovered for view in views):
        again = f"{again}, {_RECOVERED}" if again else _RECOVERED
    parts: dict[str, str | int] = {
        "action": "tests overdue" if late else subject_action(first.kind),
        "who": f"MRN {first.person.mrn}" + (f" {first.person.initials}" if full else ""),
        "more": people - 1,
        "people": people,
        "value": _value(first) if full and people == 1 else "",
        "what": words.pop() if len(words) == 1 else "ended",
        "again": "closed since" if first.is_closed else again,
    }
    instead = {"who": "MRN in the mail", "action": "an alert"}
    return {
        name: discreet(one_line(text), instead.get(name, "")) if isinstance(text, str) else text
        for name, text in parts.items()
    }


def _value(view: AlertView) -> str:
    return f"{view.measured} {view.value} {view.unit}" if view.value else ""
