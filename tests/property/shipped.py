"""The shipped catalogue and protocol, and the made ones, by name.

Not fixtures: a property that fails prints its arguments, and the catalogue is long.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import parse_protocol
from tests.property.made_protocols import PLAIN, STEPS

SCHEDULES = Path(__file__).parents[2] / "schedules"
MADE = {STEPS.id: STEPS, PLAIN.id: PLAIN}
NAMES = ("azathioprine", *MADE)
SHIPPED = tuple(sorted(it.stem for it in SCHEDULES.glob("*.toml") if it.stem != "analytes"))


@cache
def catalogue() -> Catalogue:
    file = SCHEDULES / "analytes.toml"
    return load_catalogue(file.read_text(encoding="utf-8"), file.name)


@cache
def protocol(name: str) -> Protocol:
    """`azathioprine` by the product's own strict reader; else one made for the tests."""
    if name in MADE:
        return MADE[name]
    file = SCHEDULES / f"{name}.toml"
    return parse_protocol(file.read_text(encoding="utf-8"), file.name, catalogue())
