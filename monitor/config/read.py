"""From the text of `config.toml` and the environment to settings, or to every fault at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from monitor.config.models import Settings, section_models
from monitor.config.section import Section
from monitor.core.faults import Fault, Faults, nearest

PREFIX = "MONITOR__"
_SECRET = re.compile(r"password|secret|token|url", re.IGNORECASE)
_SHOWN = 60


def load_settings(path: Path) -> Settings:
    """Read the file and the process's environment.

    Raises Faults with everything that is wrong in both.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        problem, valid = "there is no such file", "run `monitor init` to write one"
        raise Faults((Fault(str(path), "", "", problem, valid),)) from None
    except IsADirectoryError:
        raise Faults((Fault(str(path), "", "", "this is a folder", "a TOML file"),)) from None
    except (OSError, UnicodeDecodeError):
        problem = "the file cannot be read as UTF-8 text"
        raise Faults((Fault(str(path), "", "", problem, "a readable TOML file"),)) from None
    return read_settings(text, path, os.environ)


def read_settings(text: str, path: Path, environment: Mapping[str, str]) -> Settings:
    """Settings from the text of the file at `path` and the variables of an environment.

    Raises Faults.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise Faults((Fault(str(path), "", "", f"not TOML: {error}", "", line),)) from None
    origins: dict[tuple[str, ...], str] = {}
    for name in sorted(environment):
        if name.startswith(PREFIX):
            _override(values, name, environment[name], origins)
    folder = path.absolute().parent
    try:
        return Settings.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        places = _Places(str(path), text, origins)
        faults = [places.fault(details) for details in error.errors(include_url=False)]
        raise Faults(tuple(faults)) from None


def _override(
    values: dict[str, Any], name: str, text: str, origins: dict[tuple[str, ...], str]
) -> None:
    """Put one variable's value where its name points, made to the type of that key."""
    parts = name.removeprefix(PREFIX).split("__")
    place: Any = values
    walked: list[str] = []
    for part in parts[:-1]:
        step = _step(place, part)
        walked.append(str(step))
        if isinstance(place, list):
            place = place[step] if isinstance(step, int) and step < len(place) else {}
        else:
            place = place.setdefault(step, {})
        if not isinstance(place, dict | list):
            return
    step = _step(place, parts[-1])
    origins[(*walked, str(step))] = name
    if isinstance(place, dict):
        place[step] = _typed(text, [*walked, str(step)])


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
    except tomllib.TOMLDecodeError:
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


class _Places:
    """Where in the file or the environment the faults of a validation are."""

    def __init__(self, file: str, text: str, origins: Mapping[tuple[str, ...], str]) -> None:
        self._file = file
        self._lines = text.splitlines()
        self._origins = origins

    def fault(self, details: Any) -> Fault:
        """One complaint of the models in the reader's words."""
        keys = tuple(str(part) for part in details["loc"])
        problem, valid = _words(details, keys)
        value = _shown(details["input"], keys)
        line = self._line(keys)
        for place, variable in self._origins.items():
            if place == keys or (line is None and place[: len(keys)] == keys):
                return Fault("environment", variable, value, problem, valid)
        return Fault(self._file, _dotted(keys), value, problem, valid, line)

    def _line(self, keys: tuple[str, ...]) -> int | None:
        """The line of a key (counted from 1), or of its table; None where neither stands."""
        names = [key for key in keys if not key.isdecimal()]
        wanted = int(next((key for key in keys if key.isdecimal()), "0"))
        header = re.compile(rf"\s*\[+\s*{re.escape(names[0])}\b") if names else None
        inside, found = False, None
        for number, line in enumerate(self._lines, start=1):
            if header is not None and re.match(r"\s*\[", line):
                inside = header.match(line) is not None
                if inside and line.lstrip().startswith("[["):
                    inside, wanted = wanted == 0, wanted - 1
                found = number if inside else found
            elif (inside or len(names) == 1) and re.match(rf"\s*{re.escape(names[-1])}\s*=", line):
                return number
        return found


def _dotted(keys: tuple[str, ...]) -> str:
    return "".join(f"[{int(key) + 1}]" if key.isdecimal() else f".{key}" for key in keys)[1:]


def _words(details: Any, keys: tuple[str, ...]) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    kind, given = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return "not a known key", _known(keys)
    if kind == "missing":
        return "this key is missing", f"a line {keys[-1]} = ..., as config.example.toml has it"
    if kind == "value_error":
        return str(given["error"]), ""
    if kind == "literal_error":
        return "not one of the words this key takes", str(given["expected"])
    return str(details["msg"]).replace("Input should be", "must be"), ""


def _known(keys: tuple[str, ...]) -> str:
    names: list[str] = list(section_models())
    if len(keys) > 1:
        model: type[BaseModel] = section_models().get(keys[0], Section)
        names = list(model.model_fields)
    if "password" in keys[-1]:
        return "a password is named by password_env or password_file"
    return nearest(keys[-1], names) or (", ".join(names) if names else "no key")


def _shown(value: Any, keys: tuple[str, ...]) -> str:
    if isinstance(value, dict | list):
        return ""
    if any(_SECRET.search(key) for key in keys):
        return "(not shown)"
    return str(value)[:_SHOWN]
