"""The folder of protocol files beside what is in force: first texts are taken up, and where else
files differ is said.

Source: specification, section 8. What patients are judged by is the text in the database; a
file is a proposal. A file that is faulty, missing or renamed changes nothing. An edit of a
protocol that has enrolments goes live only by `schedule_edit.apply`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.config import Settings
from monitor.core.faults import Faults
from monitor.core.protocol_checks import minded_in
from monitor.core.protocol_file import CATALOGUE_ID, digest_of
from monitor.core.toml_text import decode
from monitor.intake.context import ENROLLING, take_turn
from monitor.operations.schedule_force import (
    CATALOGUE_FILE,
    Force,
    Proposal,
    in_force,
    propose,
    propose_text,
    read_bytes,
    refuse_second_default,
)
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm
from monitor.store.rulebook import put_in_force

_ADOPTED_BY = "schedules folder"
_FAULTS_TOLD = 20
_ENDING = ".toml"
_LIKE_IT = (_ENDING, f"{_ENDING}.txt")
"""In whatever capitals; an editor that hides endings adds its own."""
_CLOSED = (
    "{folder} cannot be read ({why}): what is in force stays, and no edit of a protocol is seen. "
    "Let the account that runs the monitor read the folder and its files."
)
_GONE = (
    "{folder} is not there: what is in force stays, and no edit of a protocol is seen. Put the "
    "folder back, or correct [schedules] folder in the config."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator should know of a file; `topic` stays the same while it lasts."""

    topic: str
    text: str
    state: str = ""
    """Differs where something else is to be known of the file: another fault, another edit."""


def tell(store: Store, settings: Settings, notices: Sequence[Notice], now: datetime) -> None:
    """By message to the operator, each once a day: an edit that is mended and breaks otherwise in
    the afternoon is told again."""
    clinic = settings.clinic
    for it in notices:
        with store.write() as connection:
            operator_alarm(
                connection, it.topic, it.text, clinic.email, now, clinic.zone, state=it.state
            )


def adopt(
    store: Store, folder: Path, now: datetime, own: dict[str, str] | None = None
) -> list[Notice]:
    """Put first texts in force, and edits of protocols that nobody is enrolled on; say where
    else the files differ from what is in force. `own` remembers, of whoever asks again and again,
    the digests of the files' texts that were in force: a file that says what it said then is no
    edit, and two with folders of their own do not put them in force in turns."""
    with store.read() as connection:
        before = in_force(connection)
    steps, notices = _compare(folder, before, own)
    if not steps:
        return notices
    with store.write() as connection:
        take_turn(connection, now, ENROLLING)
        force = in_force(connection)
        if (force.texts, force.enrolled) != (before.texts, before.enrolled):
            steps, notices = _compare(folder, force, own)
        for proposal, reason in steps:
            put_in_force(
                connection,
                proposal.id,
                proposal.text,
                proposal.digest,
                now,
                _ADOPTED_BY,
                reason,
            )
    if own is not None:
        own.update({proposal.id: proposal.digest for proposal, _ in steps})
    return notices


def differences(store: Store, folder: Path) -> list[Notice]:
    """Where the files differ from what is in force; nothing is changed."""
    with store.read() as connection:
        force = in_force(connection)
    steps, notices = _compare(folder, force)
    waiting = [
        Notice(f"schedule {it.id}", f"{folder / it.file} is not in force yet") for it, _ in steps
    ]
    return waiting + notices


def _compare(
    folder: Path, force: Force, own: dict[str, str] | None = None
) -> tuple[list[tuple[Proposal, str]], list[Notice]]:
    """What to put in force, each with the reason, and what to tell."""
    comparison = _Comparison(folder, force, {} if own is None else own)
    comparison.run()
    return comparison.steps, comparison.notices


def _files(folder: Path) -> list[Path]:
    """What looks like a protocol, by its name, without what programs put beside the files of
    people: a name with a point before it is an editor's lock or the shadow of a Mac's file."""
    try:
        names = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    found = [it for it in names if it.name.lower().endswith(_LIKE_IT)]
    return [it for it in found if not it.name.startswith(".")]


class _Comparison:
    def __init__(self, folder: Path, force: Force, own: dict[str, str]) -> None:
        self._folder = folder
        self._own = own
        self._force = force
        self._coming: Force | None = None
        """As it would be with the catalogue of the folder, where that waits to be applied."""
        self._seen: set[str] = set()
        self.steps: list[tuple[Proposal, str]] = []
        self.notices: list[Notice] = []

    def run(self) -> None:
        try:
            files = _files(self._folder)
        except OSError as error:
            self._tell("folder", _CLOSED.format(folder=self._folder, why=error.strerror))
            return
        if self._force.texts and not self._folder.exists():  # once, not of each of its files
            self._tell("folder", _GONE.format(folder=self._folder))
            self._seen.update(self._force.texts)
        catalogue = self._folder / CATALOGUE_FILE
        others = [path for path in files if path.suffix == _ENDING and path != catalogue]
        if catalogue in files:
            self._take(self._read(catalogue))
        # A file that bears the name of its protocol goes before any other that claims to be it.
        found = [entry for path in others if (entry := self._read(path)) is not None]
        for entry in sorted(found, key=lambda entry: entry[0].stem != entry[1]):
            self._take(entry)
        self._tell_unread(files)
        self._tell_missing()

    def _tell_unread(self, files: Sequence[Path]) -> None:
        """What looks like a protocol and would be passed over without a word."""
        for path in files:
            if path.suffix == _ENDING:
                continue
            meant = path.name[: path.name.lower().rindex(_ENDING)]
            self._seen.add(meant)
            self._tell(
                path.name,
                f"{path} is not read, for its name must end in .toml, in small letters: rename or "
                f"remove it; {self._what_stays(meant)}.",
            )

    def _tell_missing(self) -> None:
        for protocol_id, text in self._force.texts.items():
            if protocol_id not in self._seen:
                enrolled = self._force.enrolled_on(protocol_id)
                by_it = f", and {enrolled} are judged by it" if enrolled else ""
                self._tell(
                    protocol_id,
                    f"{self._folder / protocol_id}.toml is missing: {protocol_id} stays in force "
                    f"as it was on {text.applied_at:%Y-%m-%d}{by_it}. Put the file back under "
                    "this name.",
                )
        for protocol_id, enrolled in self._force.enrolled.items():
            if protocol_id not in self._force.protocols:
                self._tell(
                    protocol_id,
                    f"{enrolled} are enrolled on {protocol_id}, of which no text is in force: "
                    "they are not watched. Put its file into "
                    f"{self._folder}, or restore a backup.",
                )
        if self._force.catalogue is None and CATALOGUE_ID not in self._seen:
            self._tell(
                CATALOGUE_ID,
                f"{self._folder / CATALOGUE_FILE} is missing, and without it no result can be "
                "judged: copy the one that came with the program",
            )

    def _read(self, path: Path) -> tuple[Path, str, Proposal | None] | None:
        """The file, whose text it holds, and what it proposes (None: just what is in force)."""
        try:
            text = decode(read_bytes(path), path.name)
            if known := self._force.holding(text):
                self._own[known] = digest_of(text)
                self._odd(path, known, text)
                return path, known, None
            proposal = propose_text(text, path.name, self._force)
        except Faults as faults:
            if not self._waits_for_catalogue(path):
                self._faulty(path, faults)
            return None
        return path, proposal.id, proposal

    def _waits_for_catalogue(self, path: Path) -> bool:
        """Whether the file is sound beside a catalogue that nobody has applied yet: then that is
        said, and not every name the one in force does not know."""
        if self._coming is None or path.name == CATALOGUE_FILE:
            return False
        try:
            propose(path, self._coming)
        except Faults:
            return False
        self._seen.add(path.stem)
        self._tell(
            path.stem,
            f"{path} is read with the {CATALOGUE_FILE} beside it, which is not in force: apply "
            f"that first, by `monitor schedule apply {self._folder / CATALOGUE_FILE} --by WHO "
            f"--reason TEXT`; {self._what_stays(path.stem)}.",
        )
        return True

    def _take(self, entry: tuple[Path, str, Proposal | None] | None) -> None:
        if entry is None:
            return
        path, protocol_id, proposal = entry
        if not self._rightly_named(path, protocol_id):
            return
        self._seen.add(protocol_id)
        if proposal is not None:
            self._proposed(path, proposal)

    def _rightly_named(self, path: Path, protocol_id: str) -> bool:
        """A protocol lives in the file of its name. A first text may come under any name; a
        file that was renamed, or holds another protocol's text, changes nothing."""
        if path.stem == protocol_id:
            return True
        proper = self._folder / f"{protocol_id}.toml"
        if path.stem in self._force.texts:
            self._seen.add(path.stem)
            self._tell(
                path.stem,
                f"{path} now says id = {protocol_id!r}; {path.stem} stays in force as it was. "
                f"Another protocol belongs into a file of its own, {proper}.",
            )
            return False
        known = protocol_id in self._force.texts
        already = protocol_id in self._seen
        if known or already:
            self._seen.add(protocol_id)
            why = "is there, too" if already else f"is where {protocol_id} belongs"
            self._tell(
                f"{protocol_id} in {path.name}",
                f"{path} holds protocol {protocol_id}, but {proper} {why}: the file {path.name} "
                f"changes nothing. Rename or remove it.",
            )
            return False
        return True

    def _proposed(self, path: Path, proposal: Proposal) -> None:
        known = self._force.texts.get(proposal.id)
        enrolled = self._force.enrolled_on(proposal.id)
        if known is not None and enrolled:
            if proposal.is_catalogue:
                self._coming = self._force.with_proposal(proposal)
            self._tell(
                proposal.id,
                f"{path} differs from the {proposal.id} in force since "
                f"{known.applied_at:%Y-%m-%d}. {enrolled} are enrolled, so it goes live only by "
                f"`monitor schedule apply {path} --by WHO --reason TEXT`; "
                f"`monitor schedule preview {path}` shows what it would change.",
                proposal.digest,
            )
            return
        if known is not None and self._own.get(proposal.id) == proposal.digest:
            self._tell(
                proposal.id,
                f"{path} says what was in force before: another text has been since "
                f"{known.applied_at:%Y-%m-%d}, from another schedules folder or from the pages. "
                "Give all daemons and commands of this database the same files, with what is to be "
                "in force.",
            )
            return
        if not proposal.is_catalogue:
            try:
                protocol = proposal.protocols[proposal.id]
                refuse_second_default(protocol, path.name, proposal.text, self._force)
            except Faults as faults:
                self._faulty(path, faults)
                return
        reason = "first text" if known is None else "edited while nobody is enrolled"
        self.steps.append((proposal, reason))
        self._force = self._force.with_proposal(proposal)

    def _faulty(self, path: Path, faults: Faults) -> None:
        self._seen.add(path.stem)
        stays = self._what_stays(path.stem)
        lines = [str(fault) for fault in faults.faults[:_FAULTS_TOLD]]
        if len(faults.faults) > _FAULTS_TOLD:
            lines.append(f"... and {len(faults.faults) - _FAULTS_TOLD} more")
        count = "1 fault" if len(faults.faults) == 1 else f"{len(faults.faults)} faults"
        text = "\n".join([f"{path} has {count}; {stays}.", *lines])
        self._tell(path.stem, text, digest_of("\n".join(lines)))

    def _odd(self, path: Path, known: str, text: str) -> None:
        """What this version of the program minds of the text in force."""
        protocol, catalogue = self._force.protocols.get(known), self._force.catalogue
        if protocol is None or catalogue is None:
            return
        faults = [str(fault) for fault in minded_in(protocol, text, path.name, catalogue)]
        if faults:
            stays = (
                f"{path} stays in force, and this version of the program would not take it any "
                f"more: mend the file, and apply it by `monitor schedule apply {path} --by WHO "
                "--reason TEXT`."
            )
            said = "\n".join([stays, *faults[:_FAULTS_TOLD]])
            self._tell(known, said, digest_of("\n".join(faults)))

    def _what_stays(self, protocol_id: str) -> str:
        known = self._force.texts.get(protocol_id)
        if known is None:
            return "it is not in force"
        return f"the text in force since {known.applied_at:%Y-%m-%d} stays"

    def _tell(self, about: str, text: str, state: str = "") -> None:
        self.notices.append(Notice(f"schedule {about}", text, state))
