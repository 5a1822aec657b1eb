"""What reaches the clinic as files, and is taken back: patients stopped, enrolled again, merged and
taken apart, rows that are held and let go, whole files withdrawn, another text of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from monitor.intake.dependence import BatchRefused
from monitor.intake.quarantine import QuarantineRefused
from monitor.operations import arrivals, batches
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import Edit
from monitor.resources import schedules_folder
from monitor.store import tables

if TYPE_CHECKING:
    from tests.property.telling_world import World

RESULTS = "mrn,collected_at,analyte,value,unit,specimen_id,status,reported_at,comment"
EVENTS = "mrn,on,event,value,drug,note,status"
ENROL = "mrn,drug,started_on"
FILE = "azathioprine.toml"
EDITS = (
    ("below = 1.6", ("below = 1.6", "below = 1.3", "below = 1.45")),
    ("below = 1.0", ("below = 1.0", "below = 0.9", "below = 0.6")),
    ("below = 140", ("below = 140", "below = 120", "below = 149")),
    ("below = 3.5", ("below = 3.5", "below = 3.0")),
)
"""A limit as it is shipped, and what becomes of it."""


@cache
def shipped() -> str:
    """The protocol without its worked examples, which say the limits again."""
    text = (schedules_folder() / FILE).read_text(encoding="utf-8")
    return text.partition("\n[[examples]]\n")[0]


def edited(luck: Random) -> str:
    """Limits, grace, interval, ladders and muting as somebody may have them."""
    text = shipped()
    for limit, ways in EDITS:
        text = text.replace(f"{limit}, action", f"{luck.choice(ways)}, action", 1)
    if luck.random() < 0.3:
        mild = '{ below = 1.9, action = "review", urgency = "routine" },\n  { below = 1.'
        first = text.index("{ below = 1.", text.index('id = "neutropenia"'))
        text = text[:first] + mild + text[first + len("{ below = 1.") :]
    if luck.random() < 0.3:
        text = text.replace('muted_by = ["neutropenia"]', "muted_by = []")
    if luck.random() < 0.4:
        text = text.replace('every = "1 week"\ngrace = "2 days"',
                            f'every = "{luck.choice([4, 10])} days"\ngrace = "1 day"')  # fmt: skip
    return text


class Papers:
    """The files of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = 0
        self.merged: list[tuple[str, str]] = []

    def acts(self) -> list[Callable[[], None]]:
        """Each may be drawn."""
        return [
            self.bring, self.bring, self.hold, self.hold, self.settle_held, self.settle_held,
            self.take_back, self.merge, self.merge, self.unmerge, self.stop, self.enrol_again,
            self.edit_protocol, self.edit_protocol,
        ]  # fmt: skip

    def _file(self, header: str, *lines: str) -> Path:
        self.number += 1
        path = self.world.folder / f"paper{self.number}.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        self.world.note(f"file {self.number}: {' | '.join(lines)}")
        return path

    def _events(self, *lines: str) -> None:
        world = self.world
        path = self._file(EVENTS, *lines)
        taken = arrivals.events(world.clinic.store, world.clinic.settings, path, world.now)
        world.note(f"  {taken.report.taken} taken, {taken.report.notes}")

    def _results(self, *lines: str) -> None:
        world = self.world
        path = self._file(RESULTS, *lines)
        arrivals.load(world.clinic.store, world.clinic.settings, path, "", world.now)

    def bring(self) -> None:
        """Results in a file of their own, some of them a correction."""
        world, luck = self.world, self.world.luck
        mrn = world.someone()
        when = (world.local - timedelta(hours=luck.choice([0, 0, 26]))).replace(microsecond=0)
        names = luck.sample(["neutrophils", "white_cells", "platelets"], luck.choice([1, 2]))
        world.takes_back = True
        self._results(*(
            f"{mrn},{when.replace(tzinfo=None).isoformat()},{name},{luck.choice(world.values(name))},"
            f"10*9/L,S{self.number},final,," for name in names
        ))  # fmt: skip

    def hold(self) -> None:
        """A row that nobody can read."""
        world, luck = self.world, self.world.luck
        value, unit = luck.choice([("0.4*", "10*9/L"), ("0.3", ""), ("1.9", "furlong")])
        when = world.local.replace(microsecond=0, tzinfo=None).isoformat()
        analyte = luck.choice(["neutrophils", "platelets"])
        self._results(f"{world.someone()},{when},{analyte},{value},{unit},,final,,")

    def settle_held(self) -> None:
        """A held row is let go, held again, or tried once more."""
        world, luck = self.world, self.world.luck
        store, settings = world.clinic.store, world.clinic.settings
        rows = world.clinic.rows(tables.HeldRowTable)
        if not rows:
            return
        row = luck.choice(rows)
        do = luck.choice(["let go", "hold again", "retry"])
        world.note(f"held row {row.id}: {do}")
        world.takes_back = True
        how: dict[str, Any] = {"by": "Jo", "now": world.now}
        try:
            if do == "let go":
                arrivals.discard(store, settings, [row.id], reason="phoned", **how)
            elif do == "hold again":
                arrivals.hold_again(store, settings, [row.id], reason="by mistake", **how)
            else:
                arrivals.retry(store, settings, ids=[row.id], **how)
        except QuarantineRefused as refused:
            world.note(f"  refused: {refused}")

    def take_back(self) -> None:
        """A whole file is withdrawn."""
        world = self.world
        files = [it for it in world.clinic.rows(tables.File) if it.id != world.clinic.file_id]
        if not files:
            return
        file = world.luck.choice(files[-4:])
        world.note(f"file {file.name} is taken back")
        world.takes_back = True
        try:
            batches.revert(world.clinic.store, world.clinic.settings, file.id, by="Jo",
                           reason="wrong file", now=world.now)  # fmt: skip
        except BatchRefused as refused:
            world.note(f"  refused: {refused}")

    def merge(self) -> None:
        """Two numbers are one patient's; one of them may be nobody's yet."""
        one, other = self.world.luck.sample([*sorted(self.world.enrolments), "B9"], 2)
        self.merged.append((one, other))
        self.world.takes_back = True
        self._events(f"{one},{self.world.local:%Y-%m-%d},merge,{other},,{self.number},")

    def unmerge(self) -> None:
        """And are not."""
        if self.merged:
            one, other = self.merged.pop()
            self.world.takes_back = True
            self._events(f"{one},{self.world.local:%Y-%m-%d},unmerge,{other},,{self.number},")

    def stop(self) -> None:
        mrn = self.world.someone()
        self._events(f"{mrn},{self.world.local:%Y-%m-%d},stop,,,{self.number},")

    def enrol_again(self) -> None:
        """Begun anew, today or in some days."""
        world = self.world
        day = world.local.date() + timedelta(days=world.luck.choice([0, 0, 5]))
        world.takes_back = True  # what came since that day is the new treatment's
        path = self._file(ENROL, f"{world.someone()},azathioprine,{day}")
        arrivals.enrol(world.clinic.store, world.clinic.settings, path, world.now)

    def edit_protocol(self) -> None:
        """Another text is put in force."""
        world = self.world
        text = edited(world.luck)
        world.note("another protocol")
        world.takes_back = True
        world.protocol = text
        apply(world.clinic.store, world.clinic.settings, Edit(FILE, text), world.now, by="Dr A",
              reason="agreed")  # fmt: skip
