"""The words above columns, around tables and for months, read from `headers.toml`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, pairwise

_BETWEEN_WORDS = re.compile(r"[\W\d_]+")
_DROPPED = re.compile(r"[^\w%#+]|_")
_OTHER_FLUID = re.compile(r"^\s*(?:[dt]?U|Csf|CSF|Liq)-\w|\bi\.\s?U\.?\s*$")
"""Urine and liquor before a name as in the north of Europe, or behind it (`Albumin i. U.`)."""
_GENITIVE = re.compile(r"(?<=\w)['\u2019]s(?!\w)", re.IGNORECASE)
_LONGEST_NAME = 300
"""Characters of a name that are looked at."""
_BRACKETS = re.compile(r"[\[(][^\[\]()]*[\])]")


def key_of(name: str) -> str:
    """A header name as it is compared: without case, accents, spaces and punctuation."""
    return _key_of(name) if len(name) <= _LONGEST_NAME else _key_of(name[:_LONGEST_NAME])


@lru_cache(20_000)
def _key_of(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _DROPPED.sub("", bare.replace("ı", "i").replace("ø", "o").replace("ł", "l"))


def without_brackets(name: str) -> str:
    """`Datum (TT.MM.JJJJ)` without what the brackets add."""
    return _BRACKETS.sub(" ", name).strip()


@dataclass(frozen=True, slots=True)
class Words:
    """The names of one column of ours, best first; the last list may need another column."""

    tiers: tuple[frozenset[str], ...]
    beside: str = ""
    lesser: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of these, the words that serve another column of ours where one of the others is there."""
    is_quiet: bool = False
    """Which of the words it was is worth no remark."""
    only_with: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Words that count only with those of another column: the clock of one day with that day."""
    companion: str = ""
    """Which column of ours that is."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything of `headers.toml`, as keys to compare."""

    columns: Mapping[str, Words]
    blood: frozenset[str]
    says_blood: frozenset[str]
    """The same without what only names a tube."""
    blood_ends: tuple[str, ...]
    """How a word ends that names blood, in languages that part no words."""
    blood_orders: frozenset[str]
    blood_headings: tuple[str, ...]
    """How a word of a heading begins under which stands what is measured in blood."""
    urine_begins: tuple[str, ...]
    other_materials: frozenset[str]
    wards: frozenset[str]
    """Of these, what a ward or a clinic may be called too."""
    no_blood_alone: frozenset[str]
    """What is no blood as the whole of a name, and says nothing within another."""
    no_material: tuple[str, ...]
    """How two words begin together of which one names a material elsewhere."""
    other_orders: tuple[str, ...]
    """How a word, or two of them, begins that makes all of a name one of another material."""
    other_ends: tuple[str, ...]
    """How such a word ends where several are written as one."""
    specimen_begins: tuple[str, ...]
    """How a word, or two of them, begins that makes a specimen one of another material."""
    blood_of_others: tuple[str, ...]
    """The same of blood that is not the patient's own, or no longer as it was drawn."""
    loinc_of_no_blood: frozenset[str]
    not_of_now: frozenset[str]
    """Words of a name by which a number is that of an earlier sample, or a difference."""
    footers: frozenset[str]
    reckoned: frozenset[str]
    """What is reckoned below a table of all its rows."""
    banners: Mapping[str, tuple[str, ...]]
    """How a word begins that says what kind of report stands below it, by the kind."""
    banner_reports: frozenset[str]
    """What a report is called beside such a word."""
    flags: frozenset[str]
    whereabouts: frozenset[str]
    """Of the flags, what says where a value lies."""
    """Words of a flag or of the condition of a specimen that say nothing of the specimen."""
    blank: frozenset[str]
    """What stands in an empty cell of a table with a column an analyte, without case."""
    blank_beside: frozenset[str]
    """What is nothing in a column beside the value."""
    blank_specimens: frozenset[str]
    """What stands in place of a specimen's number, besides all of these."""
    derived: frozenset[str]
    """How rows are made that only repeat or sum up other rows."""
    not_void: frozenset[str]
    """What a column of deleted rows says of those that are not."""
    unit_concepts: Mapping[str, str]
    """Units by the numbers that a vocabulary gives them."""
    gene_results: frozenset[str]
    """What a result is called that any gene may have."""
    gene_parts: tuple[str, ...]
    """How a word begins by which it is none: one allele alone."""
    genes_studied: frozenset[str]
    """The codes of what names the gene beside it."""
    gene_names: Mapping[str, str]
    """What messages call a gene of ours."""
    months: Mapping[str, int]
    zones: Mapping[str, str]
    """What zones of time are called, with their distance from UTC."""
    comparators: Mapping[str, str]
    """How a column of its own says which comparator a value has, or that it has none (`=`), by
    its words without case."""
    sure_comparators: Mapping[str, str]
    """The same of words that elsewhere flag a value as low or high."""
    ranges: Mapping[str, tuple[str, ...]]
    """between, below, above: as written, the longest first."""

    def column_of(self, name: str) -> str:
        """Which column of ours a header name may mean; "" for none."""
        return _by_key().get(key_of(name)) or _by_key().get(key_of(without_brackets(name)), "")

    def column_among(self, name: str, names: Iterable[str]) -> str:
        """The same, beside these others: another of ours, where one of them is the better name."""
        role = self.column_of(name)
        words = self.columns.get(role)
        for other, lesser in words.lesser.items() if words else ():
            if key_of(name) in lesser and any(
                self.column_of(it) == role and key_of(it) not in lesser for it in names
            ):
                return other
        return role

    def is_of_no_blood(self, name: str) -> bool:
        """Whether an order or a test is called like one of urine and the like, and of no blood
        besides."""
        return _is_of_no_blood(name[:_LONGEST_NAME])

    def names_no_blood(self, text: str) -> bool:
        """Whether a cell is the name of another material and nothing else, wherever it stands."""
        key = key_of(text)
        return key in self.other_materials and key not in self.wards

    def is_specimen_of_no_blood(self, name: str) -> bool:
        """Whether a specimen is called like one of no blood, or of somebody else's."""
        return _is_specimen_of_no_blood(name[:_LONGEST_NAME])

    def is_blood_material(self, name: str) -> bool:
        """Whether a kind of specimen is blood, or a tube for it: `Blood - EDTA (purple)`."""
        return _is_blood_material(name[:_LONGEST_NAME])

    def is_not_of_now(self, name: str) -> bool:
        """Whether a test is called like the result before: `Platelets, previous`."""
        return not self.not_of_now.isdisjoint(_words_of(name[:_LONGEST_NAME]))

    def is_of_blood(self, name: str) -> bool:
        """Whether a word of a name is blood, serum or plasma."""
        return not self.says_blood.isdisjoint(_words_of(name[:_LONGEST_NAME]))


@cache
def vocabulary() -> Vocabulary:
    """The words, read once a process."""
    text = files("monitor.intake").joinpath("headers.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    columns = {
        name: Words(
            (
                frozenset((key_of(name),)),
                *(frozenset(map(key_of, words)) for words in entry["words"]),
            ),
            entry.get("beside", ""),
            {
                other: frozenset(map(key_of, words))
                for other, words in entry.get("lesser", {}).items()
            },
            entry.get("quiet", False),
            {
                key_of(word): frozenset(map(key_of, others))
                for word, others in entry.get("only_with", {}).items()
                if word != "with"
            },
            entry.get("only_with", {}).get("with", ""),
        )
        for name, entry in values["columns"].items()
    }
    months = {
        key_of(word): int(number) for number, words in values["months"].items() for word in words
    }
    blood = frozenset(map(key_of, values["materials"]["blood"]))
    return Vocabulary(
        columns=columns,
        blood=blood,
        says_blood=blood - frozenset(map(key_of, values["materials"]["tubes"])),
        blood_ends=tuple(map(key_of, values["materials"]["blood_ends"])),
        blood_orders=frozenset(map(key_of, values["materials"]["blood_orders"])),
        blood_headings=tuple(map(key_of, values["materials"]["blood_headings"])),
        urine_begins=tuple(map(key_of, values["materials"]["urine_begins"])),
        other_materials=frozenset(map(key_of, values["materials"]["other"])),
        wards=frozenset(map(key_of, values["materials"]["wards"])),
        no_blood_alone=frozenset(map(key_of, values["materials"]["alone"])),
        no_material=tuple(map(key_of, values["materials"]["no_material"])),
        other_orders=tuple(map(key_of, values["materials"]["order_begins"])),
        other_ends=tuple(map(key_of, values["materials"]["order_ends"])),
        specimen_begins=tuple(map(key_of, values["materials"]["specimen_begins"])),
        blood_of_others=tuple(map(key_of, values["materials"]["blood_of_others"])),
        loinc_of_no_blood=frozenset(values["materials"]["loinc_of_no_blood"]),
        not_of_now=frozenset(map(key_of, values["materials"]["not_of_now"])),
        footers=frozenset(map(key_of, values["footers"]["words"])),
        reckoned=frozenset(map(key_of, values["footers"]["reckoned"])),
        banners={
            kind: tuple(map(key_of, words)) for kind, words in values["banners"]["kinds"].items()
        },
        banner_reports=frozenset(map(key_of, values["banners"]["reports"])),
        flags=frozenset(map(key_of, [*values["flags"]["words"], *values["flags"]["where"]])),
        whereabouts=frozenset(map(key_of, values["flags"]["where"])),
        blank=frozenset(map(str.casefold, values["blank"]["cells"])),
        blank_beside=frozenset(map(str.casefold, values["blank"]["beside"])),
        blank_specimens=frozenset(map(str.casefold, values["blank"]["specimens"])),
        derived=frozenset(map(key_of, values["derived"]["words"])),
        not_void=frozenset(map(str.casefold, values["voids"]["no"])),
        unit_concepts=values["unit_concepts"],
        months=months,
        zones=values["zones"],
        gene_results=frozenset(map(key_of, values["genes"]["results"])),
        gene_parts=tuple(map(key_of, values["genes"]["parts"])),
        genes_studied=frozenset(map(key_of, values["genes"]["studied"])),
        gene_names={
            key_of(name): gene for gene, names in values["genes"]["names"].items() for name in names
        },
        comparators=_signs(values["comparators"]["words"]),
        sure_comparators=_signs(values["comparators"]["sure"]),
        ranges={
            name: tuple(sorted(words, key=len, reverse=True))
            for name, words in values["ranges"].items()
        },
    )


def _signs(listed: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    return {word.casefold(): sign for sign, words in listed.items() for word in words}


@lru_cache(20_000)
def _is_of_no_blood(name: str) -> bool:
    if _OTHER_FLUID.search(name) or key_of(name) in vocabulary().no_blood_alone:
        return True
    known, words = vocabulary(), _words_of(name)
    if not known.says_blood.isdisjoint(words):
        return False
    others = _of_other_material(words)
    if known.blood_orders.isdisjoint(words):
        return bool(others)
    return not all(it.startswith(known.urine_begins) for it in others)


@lru_cache(4096)
def _is_specimen_of_no_blood(name: str) -> bool:
    if _is_of_no_blood(name):
        return True
    known, words = vocabulary(), _words_of(name)
    if _begins(words, known.blood_of_others):
        return True
    is_other = _begins(words, known.specimen_begins)
    return is_other and known.says_blood.isdisjoint(words)


@lru_cache(20_000)
def _is_blood_material(name: str) -> bool:
    known, words = vocabulary(), _words_of(name)
    named = any(
        len(it) > 1 and (it in known.blood or it.endswith(known.blood_ends)) for it in words
    )
    named = named and not _begins(words, known.blood_of_others) and not _of_other_material(words)
    return named or key_of(name) in known.blood


def _begins(words: Sequence[str], beginnings: tuple[str, ...]) -> bool:
    """Whether a word, or two of them, begins so."""
    pairs = (f"{one}{other}" for one, other in pairwise(words))
    return any(it.startswith(beginnings) for it in chain(words, pairs))


def _of_other_material(words: Sequence[str]) -> list[str]:
    """The words, or two of them, that name another material than blood."""
    known = vocabulary()
    pairs = (f"{one}{other}" for one, other in pairwise(words))
    begins = [it for it in chain(words, pairs) if it.startswith(known.other_orders)]
    ends = [it for it in words if it.endswith(known.other_ends)]
    return [*begins, *ends, *(it for it in words if it in known.other_materials)]


def _words_of(name: str) -> list[str]:
    """Its words, as keys; the S of a genitive (`Mother's milk`) is no serum, and the tissue of
    transglutaminase no material."""
    words = [key_of(word) for word in _BETWEEN_WORDS.split(_GENITIVE.sub("", name)) if word]
    pairs = (f"{one}{other}" for one, other in pairwise(words))
    idle = [at for at, pair in enumerate(pairs) if pair.startswith(vocabulary().no_material)]
    return [word for at, word in enumerate(words) if at not in idle and at - 1 not in idle]


@cache
def _by_key() -> Mapping[str, str]:
    return {
        key: name
        for name, words in vocabulary().columns.items()
        for tier in words.tiers
        for key in tier
    }


def is_blank(cell: str) -> bool:
    """Whether a cell of a table with a column an analyte or a specimen holds nothing."""
    text = cell.strip()
    return not text or text.casefold() in vocabulary().blank


def specimen_number(text: str) -> str:
    """The number of a specimen; empty for what stands in its place where there is none."""
    number = text.strip()
    told = number.casefold()
    is_none = is_blank(number) or told in vocabulary().blank_specimens or not told.strip("0")
    return "" if is_none else number


def told_beside(text: str) -> str:
    """What a cell beside the value says; nothing where a program wrote that it has nothing."""
    return "" if text.strip().casefold() in vocabulary().blank_beside else text
