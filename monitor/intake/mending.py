"""A held row mended, and all others like it: what it takes, and what it does.

A fix is one sentence about how the laboratory writes: this code is that analyte, this unit is
that one, this number is that patient's, this issuer is ours. It is remembered for the source,
and the rows it is about are tried again at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, select

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.core.held_rows import is_watched
from monitor.core.meanings import read_meanings
from monitor.core.units import Refusal, to_canonical
from monitor.intake.columns import fold
from monitor.intake.context import take_turn
from monitor.intake.fixes import FixKind, fixes, forget, reading, remember
from monitor.intake.held import HELD
from monitor.intake.outcomes import OF_THE_PATIENT
from monitor.intake.people import People, read_number
from monitor.intake.quarantine import QuarantineRefused, Retry
from monitor.intake.raw import RawRow, as_written, restored
from monitor.intake.retry import retry_held
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import RuleBook, load_rulebook

OWN = "own"
"""How the clinic itself is named as an issuer."""
_ONE = Decimal(1)
_NAMED_BY_A_PERSON = {"issuer": "", "family_name": "", "given_name": "", "birth_date": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What a person says of a held row; exactly one of these."""

    analyte: str = ""
    unit: str = ""
    patient: str = ""
    issuer: str = ""
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """A mend as it is remembered, and as it is done to one row alone."""

    kind: FixKind
    theirs: str
    ours: str
    instead: dict[str, str] | None
    """None: it cannot be said of one row alone."""
    reasons: tuple[str, ...] = ()
    """Reasons for which rows are held that it may free; empty: that of the row."""
    only_once: str = ""
    """Why it can be said of one row alone, where it can."""


def fix(
    store: Store,
    settings: Settings,
    row_id: int,
    mend: Mend,
    *,
    by: str,
    now: datetime,
    once: bool = False,
) -> Retry:
    """Mend a row and all alike, remembered for its source; `once`: this row alone, and nothing
    is remembered. Raises QuarantineRefused, saying what would work."""
    if not by.strip():
        raise QuarantineRefused("say who does this: --by WHO")
    with store.write() as connection:
        take_turn(connection, now)
        held = connection.execute(
            select(HELD).where(HELD.c.id == row_id, HELD.c.state == "held")
        ).one_or_none()
        if held is None:
            raise QuarantineRefused(f"not held in quarantine: {row_id}")
        rulebook = load_rulebook(connection)
        planned = _Planning(connection, settings, rulebook, held).plan(mend)
        which, instead = _alike(held, planned), None
        if once:
            which, instead = HELD.c.id == row_id, planned.instead
            if instead is None:
                raise QuarantineRefused(
                    "that is about all such rows: leave out --once",
                    "that is about all such rows: it cannot be said of one alone",
                )
        elif planned.only_once:
            raise QuarantineRefused(
                planned.only_once,
                planned.only_once.replace(" with --once", ""),
            )
        elif not _is_said(connection, settings, held.source, planned):
            remember(
                connection, held.source, planned.kind, planned.theirs, planned.ours, by.strip(), now
            )
        done = retry_held(
            connection, settings, rulebook.catalogue, which, now, by=by.strip(), instead=instead
        )
        touched = wake(connection, done.patients, now)
        bring_to(connection, now)
    return Retry(done.tried, done.taken, done.outcomes["held"], dict(done.outcomes), touched)


def unfix(store: Store, fix_id: int, *, by: str, now: datetime) -> None:
    """Remove a remembered fix; what came in by it stays. Raises QuarantineRefused."""
    if not by.strip():
        raise QuarantineRefused("say who does this: --by WHO")
    with store.write() as connection:
        take_turn(connection, now)
        if not forget(connection, fix_id, by.strip(), now):
            known = ", ".join(str(it.id) for it in fixes(connection)) or "none"
            raise QuarantineRefused(f"there is no fix {fix_id}; in force: {known}")
        bring_to(connection, now)


def needs_somebody(analyte: str, rulebook: RuleBook) -> bool:
    """Whether a protocol in force watches an analyte, so that no code of it may be ignored."""
    return any(is_watched(analyte, it) for it in rulebook.protocols.values())


def _alike(held: Any, planned: _Plan) -> Any:
    reasons = planned.reasons or (held.reason_code,)
    return and_(HELD.c.source == held.source, HELD.c.reason_code.in_(reasons))


def _is_said(connection: Connection, settings: Settings, source: str, planned: _Plan) -> bool:
    """Whether just this was said before. Raises QuarantineRefused where something else was said of
    the same word: what came is stored by that, and what comes would be by this."""
    about, word = _about(planned.kind, planned.theirs)
    for known in fixes(connection, source=source):
        if _about(known.kind, known.theirs) != (about, word):
            continue
        if (known.kind, known.ours) == (planned.kind, planned.ours):
            return True
        when = instant_text(known.made_at, settings.clinic.zone)
        said = "that" if about is FixKind.PATIENT else f'"{known.written}"'
        other = f"{known.made_by} said something else of {said}, {when}"
        raise QuarantineRefused(
            f"{other}; if it is wrong: monitor quarantine unfix {known.id}",
            f"{other}; if it is wrong, forget it first, under What is remembered",
        )
    return False


def _about(kind: FixKind, theirs: str) -> tuple[FixKind, str]:
    """What a fix is about: a code means one thing, or is ignored."""
    if kind in (FixKind.CODE, FixKind.IGNORE):
        return FixKind.CODE, fold(theirs)
    return kind, theirs


class _Planning:
    """Checks a mend against the row, the rule book, the config and the patients."""

    def __init__(
        self, connection: Connection, settings: Settings, rulebook: RuleBook, held: Any
    ) -> None:
        if "line" in held.raw:
            raise QuarantineRefused(
                "this line could not be split into cells: mend the file and load it again, or "
                "discard the row"
            )
        self._connection = connection
        self._catalogue = rulebook.catalogue
        self._rulebook = rulebook
        self._held = held
        self._row: RawRow = restored(held.line, held.raw)
        self._config = settings.sources.get(held.source)
        self._reading = reading(connection, settings, held.source)

    def plan(self, mend: Mend) -> _Plan:
        said = [name for name in Mend.__slots__ if getattr(mend, name)]
        if len(said) != 1:
            raise QuarantineRefused(
                "say one thing: --analyte NAME, --unit UNIT, --patient MRN, --issuer NAME or "
                "--ignore",
                "say one thing: what its code, unit, number or issuer means",
            )
        if mend.analyte:
            return self._analyte(mend.analyte)
        if mend.unit:
            return self._unit(mend.unit)
        if mend.patient:
            return self._patient(mend.patient)
        if mend.issuer:
            return self._issuer(mend.issuer)
        return self._ignored()

    def _analyte(self, name: str) -> _Plan:
        analyte = self._catalogue.find(name)
        if analyte is None:
            raise QuarantineRefused(f'no analyte "{name}": {self._catalogue.suggest(name)}')
        code, known = self._code(), self._held.analyte
        if known and known != analyte.name and self._held.reason_code in OF_THE_PATIENT:
            raise QuarantineRefused(
                f'"{code}" is {known.replace("_", " ")}, and the row is held for whose it is: '
                "read as another analyte it would change everybody's results"
            )
        return _Plan(FixKind.CODE, code, analyte.name, {"analyte": analyte.name})

    def _ignored(self) -> _Plan:
        may_be = read_meanings(self._held.analyte, self._held.possible_values)
        if any(needs_somebody(it, self._rulebook) for it in may_be):
            what = " or ".join(may_be).replace("_", " ")
            why = (
                f'"{self._code()}" is {what}, by which patients '
                "are watched: to ignore it would hide their results too; let these rows go instead"
            )
            raise QuarantineRefused(f"{why}: monitor quarantine discard", why)
        return _Plan(FixKind.IGNORE, self._code(), "", None)

    def _code(self) -> str:
        code = self._row.analyte.strip() or next(iter(self._row.also), "")
        if not code:
            raise QuarantineRefused("the row names no code")
        config = self._config
        mapped = {fold(it) for it in (*config.codes, *config.ignore)} if config else set()
        if fold(code) in mapped:
            raise QuarantineRefused(
                f'the config says what "{code}" is, in [sources.{self._held.source}]: correct it '
                "there, then retry"
            )
        return code

    def _unit(self, unit: str) -> _Plan:
        analyte = self._catalogue.find(self._held.analyte) if self._held.analyte else None
        if analyte is None:
            raise QuarantineRefused(
                "it is not known what the row measures: name --analyte first",
                "it is not known what the row measures: say first what its code means",
            )
        if isinstance(to_canonical(analyte, _ONE, unit), Refusal):
            raise QuarantineRefused(
                f'"{unit}" is no unit of {analyte.name}; known: {", ".join(analyte.units)}'
            )
        theirs, instead = self._row.unit.strip(), {"unit": unit}
        if not theirs:
            return _Plan(FixKind.MISSING_UNIT, analyte.name, unit, instead)
        spelt = self._reading.mapping.unit_spellings.get(theirs, theirs)
        only_once = ""
        if not isinstance(to_canonical(analyte, _ONE, spelt), Refusal):
            only_once = (
                f'"{theirs}" is a unit of its own, and other rows are right in it: mend this row '
                "alone with --once, or the source's unit_spellings in the config"
            )
        return _Plan(FixKind.UNIT, theirs, unit, instead, only_once=only_once)

    def _patient(self, mrn: str) -> _Plan:
        people = People(self._connection)
        person = people.find(read_number(mrn))
        if person is None:
            raise QuarantineRefused(f"nobody is enrolled under {mrn}")
        instead = _NAMED_BY_A_PERSON | {"mrn": mrn.strip()}
        return _Plan(FixKind.PATIENT, as_written(self._row), mrn.strip(), instead, OF_THE_PATIENT)

    def _issuer(self, name: str) -> _Plan:
        theirs = self._row.issuer.strip() or read_number(self._row.mrn).issuer
        ours = "" if name.strip().casefold() == OWN else name.strip()
        return _Plan(
            FixKind.ISSUER, theirs, ours, None, ("another_issuer", "unknown_patient", "identity")
        )
