"""`[tasks.ID]`, `[[targets]]` and `[missed]` of a protocol file: what recurs without a laboratory,
what treatment should reach, and when too many tests in a row were missed.

What the values mean to a patient is in `tasks.py`, `targets.py` and `missed.py`; the keys are in
docs/protocol-files.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core.calendar import Duration
from monitor.core.indications import read_indications
from monitor.core.toml_reader import Table
from monitor.core.vocabulary import Urgency

if TYPE_CHECKING:
    from monitor.core.catalogue import Catalogue

CARE_KEYS: Mapping[str, tuple[str, ...]] = {
    "tasks.ID": ("title", "every", "repeat", "indications", "except", "say", "source"),
    "targets[]": (
        "id", "title", "analytes", "default_uln", "after", "again_after", "indications",
        "except", "say", "source",
    ),
    "missed": ("more_than", "urgency", "say", "source"),
}  # fmt: skip
_MOST_MISSED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done again and again that no laboratory reports: a skin check."""

    id: str
    title: str
    every: Duration
    repeat: Duration
    """Between reminders while it is due."""
    say: str
    source: str
    indications: tuple[str, ...] = ()
    except_indications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Values that treatment should bring to normal, and from when on it is said that they are
    not. `default_uln` stands in for the upper limit a laboratory did not send."""

    id: str
    title: str
    analytes: tuple[str, ...]
    after: Duration
    again_after: Duration
    say: str
    source: str
    default_uln: tuple[tuple[str, Decimal], ...] = ()
    indications: tuple[str, ...] = ()
    except_indications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """How many scheduled tests in a row may be missed before going on counts as unsafe."""

    more_than: int
    urgency: Urgency
    say: str
    source: str


def read_tasks(top: Table) -> tuple[Task, ...]:
    """The tasks of a file; faults go into the report of `top`."""
    return tuple(
        Task(
            id=name,
            title=table.text("title"),
            every=table.duration("every"),
            repeat=table.duration("repeat"),
            say=table.text("say"),
            source=table.text("source"),
            indications=read_indications(table, "indications"),
            except_indications=read_indications(table, "except"),
        )
        for name, table in top.named_tables("tasks", CARE_KEYS["tasks.ID"])
    )


def read_targets(top: Table, catalogue: Catalogue) -> tuple[Target, ...]:
    """The targets of a file; faults go into the report of `top`."""
    return tuple(_target(table, catalogue) for table in top.tables("targets", _TARGET))


_TARGET = CARE_KEYS["targets[]"]


def _target(table: Table, catalogue: Catalogue) -> Target:
    table.report.label(table.path, f"target {table.peek('id')}")
    analytes = table.texts("analytes")
    for name in analytes:
        if name not in catalogue.analytes:
            problem = f"names {name}, which is no analyte of analytes.toml"
            table.fault("analytes", problem, catalogue.suggest(name))
    if not analytes and table.sound:
        table.report.add(table.at("analytes"), "", "is missing", "at least one analyte")
    limits = Table(table.report, table.at("default_uln"), table.mapping("default_uln"), analytes)
    return Target(
        id=table.name("id"),
        title=table.text("title"),
        analytes=analytes,
        after=table.duration("after"),
        again_after=table.duration("again_after"),
        say=table.text("say"),
        source=table.text("source"),
        default_uln=tuple((name, limits.number(name) or Decimal(1)) for name in limits.data),
        indications=read_indications(table, "indications"),
        except_indications=read_indications(table, "except"),
    )


def read_missed(top: Table) -> Missed | None:
    """When too many tests were missed; None where the file does not say."""
    if "missed" not in top:
        return None
    table = top.table("missed", CARE_KEYS["missed"])
    return Missed(
        more_than=table.whole("more_than", 1, _MOST_MISSED),
        urgency=table.choice("urgency", tuple(Urgency)),
        say=table.text("say"),
        source=table.text("source"),
    )
