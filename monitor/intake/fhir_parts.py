"""The parts of FHIR resources that several readers look at: texts, codings, references."""

from __future__ import annotations

import re
from typing import Any

from monitor.intake.fhir_json import Body, Found

TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")
"""The end of a reference: kind of resource and id."""


def many(value: Any) -> list[Any]:
    """The elements of what may repeat: none, one or a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def objects(value: Any) -> list[Body]:
    """Those of them that are objects."""
    return [it for it in many(value) if isinstance(it, dict)]


def text_of(value: Any, name: str) -> str:
    """A text member of an object; empty where it is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found.strip() if isinstance(found, str) else ""


def codings(concept: Any) -> list[Body]:
    """The codings of a CodeableConcept."""
    return objects(concept.get("coding")) if isinstance(concept, dict) else []


def word_of(concept: Any) -> str:
    """A CodeableConcept in words: its text, else what its first coding displays or is."""
    if text := text_of(concept, "text"):
        return text
    found = (text_of(it, name) for it in codings(concept) for name in ("display", "code"))
    return next((word for word in found if word), "")


def keys_to(found: Found) -> list[str]:
    """How others refer to a resource."""
    body = found.body
    keys = keys_of(found.url)
    if number := text_of(body, "id"):
        keys.append(f"{text_of(body, 'resourceType')}/{number}")
    return list(dict.fromkeys(keys))


def keys_of(reference: str) -> list[str]:
    """A reference to the letter, and its end `Patient/id`."""
    if not reference or reference.startswith("#"):
        return []
    tail = TAIL.search(reference)
    keys = [reference.partition("/_history/")[0]]
    return keys + ([f"{tail[1]}/{tail[2]}"] if tail else [])


def base_of(address: str) -> str:
    """The server of an absolute address of a resource, however it is reached; else empty."""
    scheme, _, rest = address.partition("://")
    tail = TAIL.search(rest)
    is_absolute = scheme.casefold() in ("http", "https") and tail is not None
    return rest[: tail.start()].casefold() if tail is not None and is_absolute else ""
