"""Whether one run kept its promises about mails, and whether its daemons had a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate

from tests.fault.kill_mail import Postbox
from tests.processes import ClinicFolder

_FAULTS = ("level='error'", "Traceback")


def mails(postbox: Postbox, messages: Mapping[str, str]) -> Iterator[str]:
    """None was lost, none went out that is not owed, and no more came again than disturbances
    allow: one a kill, and one for each daemon that a restart of the server cut off."""
    arrived = postbox.by_message_id()
    sent = {name for name, state in messages.items() if state == "sent"}
    if lost := sent - arrived.keys():
        yield f"{len(lost)} mails are noted as sent and were never taken"
    if unknown := arrived.keys() - sent:
        yield f"{len(unknown)} mails came that are not noted as sent"
    if failed := [name for name, state in messages.items() if state == "failed"]:
        yield f"{len(failed)} mails failed"
    for name, copies in arrived.items():
        if len({(it.to, it.subject) for it in copies}) != 1:
            yield f"{name} came with another subject or to somebody else"
    repeats = postbox.repeats_by_kill()
    most = range(postbox.kills + 1)
    for allowed, so_far in enumerate(accumulate(repeats[number] for number in most)):
        if so_far > allowed:
            yield f"{so_far} mails came again where {allowed} may have"
            break


def logs(folder: ClinicFolder) -> Iterator[str]:
    """What daemons called an error, each once with how often."""
    found: Counter[str] = Counter()
    for daemon in folder.started:
        for line in daemon.log.read_text().splitlines():
            if any(fault in line for fault in _FAULTS):
                found[line.partition("event=")[2] or line] += 1
    for line, count in found.items():
        yield f"{folder.folder.name}, {count} times in the logs: {line}"
