"""Resources that operations carry: FHIR's Parameters hold results beside plain parameters.

`$submit-data`, `$process-message` and the like take and give Observations, patients and whole
Bundles in a Parameters resource. They are resources of the file like any other. Source: FHIR R4,
Parameters; 3.2 (operations).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.intake.fhir_json import Body, Found, Item
from monitor.intake.fhir_parts import objects, text_of

_DEEPEST = 3
"""Parameters within Parameters that are opened; what lies deeper is counted as it is."""


def opened(items: Iterator[Item], depth: int = 0) -> Iterator[Item]:
    """The resources of a file, and behind each Parameters those that it carries."""
    for item in items:
        yield item
        is_carrier = isinstance(item, Found) and text_of(item.body, "resourceType") == "Parameters"
        if isinstance(item, Found) and is_carrier and depth < _DEEPEST:
            base = f"{item.place}.resource." if item.place else ""
            parameters = item.body.get("parameter")
            yield from opened(_carried(item, parameters, f"{base}parameter"), depth + 1)


def _carried(found: Found, parameters: Any, name: str) -> Iterator[Item]:
    for number, parameter in enumerate(objects(parameters)):
        place = f"{name}[{number}]"
        inner = parameter.get("resource")
        if isinstance(inner, dict):
            yield from _apart(found.line, place, "", inner)
        yield from _carried(found, parameter.get("part"), f"{place}.part")


def _apart(line: int, place: str, url: str, body: Body) -> Iterator[Item]:
    """A resource; a Bundle entry by entry."""
    if text_of(body, "resourceType") != "Bundle":
        yield Found(line, place, url, body)
        return
    for number, entry in enumerate(objects(body.get("entry"))):
        inner = entry.get("resource")
        if isinstance(inner, dict):
            within = f"{place}.resource.entry[{number}]"
            yield from _apart(line, within, text_of(entry, "fullUrl"), inner)
