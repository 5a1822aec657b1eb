"""Whose numbers a row carries: what it says itself, what its source or the config says of it.

Readings and their reasons: `docs/choices/identity.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.intake.people import Known, Number, Person, mrn_key, read_number


@dataclass(frozen=True, slots=True)
class Claim:
    """A row's number as it is to be understood."""

    number: Number
    surely: bool
    """People said whose numbers these are (in the number itself, or by naming the issuer's
    spelling); False where only the laboratory's row names an issuer, or nobody does."""
    own_of: str = ""
    """Whose number a plain one is, if that source has patients of its own: its name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whose row it is. `newly` is the issuer's name, where it was first seen with this row."""

    person: Person
    newly: Number | None = None


@dataclass(frozen=True, slots=True)
class Another:
    """The number is known, of another issuer; `persons` are those who have it."""

    persons: tuple[Person, ...]


class Issuers:
    """The issuers of one source.

    `spellings` maps how laboratories write an issuer to the clinic's own name for it ("" is
    the clinic itself); `plain` is whose a number without issuer is.
    """

    def __init__(
        self, source: str = "", plain: str = "", spellings: Mapping[str, str] | None = None
    ) -> None:
        self._source = source
        self._plain = plain
        self._spellings = {mrn_key(theirs): ours for theirs, ours in (spellings or {}).items()}
        self._own_is_named = any(not ours for ours in self._spellings.values())

    def claim(self, mrn: str, issuer: str) -> Claim:
        """What a row's number and issuer say."""
        if not issuer.strip():
            number = read_number(mrn)
            if number.issuer:
                return Claim(self._ours(number), surely=True)
            if self._plain:
                return Claim(Number(self._plain, number.number), surely=True)
            return Claim(number, surely=False, own_of=self._source)
        number = Number(issuer.strip(), mrn.strip())
        named = mrn_key(issuer) in self._spellings
        return Claim(self._ours(number), surely=named or self._own_is_named)

    def _ours(self, number: Number) -> Number:
        return Number(self._spellings.get(mrn_key(number.issuer), number.issuer), number.number)


def match(claim: Claim, known: Sequence[Known]) -> Found | Another | None:
    """Who has the number that a row claims, among all who have it of whatever issuer.

    A plain number of the clinic is taken for the number of the one issuer that a source's rows
    name for it, as long as nobody has said whose these numbers are; a second issuer's is not.
    """
    if claim.own_of:
        own = _of(Number(claim.own_of, claim.number.number), known)
        if own is not None:
            return Found(own.person)
    exact = _of(claim.number, known)
    if exact is not None:
        return Found(exact.person)
    plain = _of(Number("", claim.number.number), known)
    if plain is not None and not claim.surely:
        seen = [it for it in known if it.seen and it.person.home_id == plain.person.home_id]
        if not seen:
            return Found(plain.person, claim.number)
    persons = {it.person.id: it.person for it in known}
    return Another(tuple(persons.values())) if persons else None


def _of(number: Number, known: Sequence[Known]) -> Known | None:
    return next((it for it in known if it.number.key == number.key), None)
