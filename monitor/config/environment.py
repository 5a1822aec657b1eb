"""Keys of `config.toml` that variables of the environment override: `MONITOR__MAIL__PORT`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from monitor.config.models import section_models
from monitor.core.faults import Fault

PREFIX = "MONITOR__"


@dataclass(frozen=True)
class Overrides:
    """What the environment said."""

    origins: dict[tuple[str, ...], str]
    """The variable that gave the value of a key."""
    faults: list[Fault]
    """Variables that point at nothing."""


def overrides(values: dict[str, Any], environment: Mapping[str, str]) -> Overrides:
    """Put what the variables say into the tables of the file."""
    told = Overrides({}, [])
    for name in sorted(environment):
        if name.startswith(PREFIX) and not _override(values, name, environment[name], told.origins):
            problem = "points at nothing"
            valid = f"{PREFIX}SECTION__KEY; of a list, the number of one that is there, from 0"
            told.faults.append(Fault("environment", name, "", problem, valid))
    return told


def _override(
    values: dict[str, Any], name: str, text: str, origins: dict[tuple[str, ...], str]
) -> bool:
    """Put one variable's value where its name points, made to the type of that key; False where
    nothing of the file can stand there."""
    parts = name.removeprefix(PREFIX).split("__")
    place: Any = values
    walked: list[str] = []
    for part in parts[:-1]:
        step = _step(place, part)
        walked.append(str(step))
        if isinstance(place, list):
            place = place[step] if isinstance(step, int) and step < len(place) else None
        else:
            place = place.setdefault(step, {})
        if not isinstance(place, dict | list):
            return False
    step = _step(place, parts[-1])
    if not isinstance(place, dict):
        return False
    origins[(*walked, str(step))] = name
    place[step] = _typed(text, [*walked, str(step)])
    return True


def _step(place: Any, part: str) -> str | int:
    """The key a part of a variable's name means: as the file spells it, else lower case."""
    if isinstance(place, list) and part.isdecimal():
        return int(part)
    known = [key for key in place if key.lower() == part.lower()] if place else []
    return known[0] if known and isinstance(place, dict) else part.lower()


def _typed(text: str, keys: list[str]) -> Any:
    """Text for a key of text, else what TOML makes of it; the check of types comes later."""
    if _wants_text(keys):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _wants_text(keys: list[str]) -> bool:
    model = section_models().get(keys[0])
    field = model.model_fields.get(keys[-1]) if model else None
    if field is None:
        return len(keys) > 1
    kinds = (field.annotation, *get_args(field.annotation))
    return not any(
        kind in (int, float, bool) or getattr(kind, "__origin__", kind) in (list, dict)
        for kind in kinds
    )
