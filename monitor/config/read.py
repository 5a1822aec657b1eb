"""From the text of `config.toml` and the environment to settings, or to every fault at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from monitor.config.environment import overrides
from monitor.config.models import Misplaced, Settings, section_models
from monitor.config.section import Section
from monitor.core.faults import Fault, Faults, nearest
from monitor.core.toml_lines import Path as Keys
from monitor.core.toml_lines import line_numbers

_SECRET = re.compile(r"password|secret|token|url", re.IGNORECASE)
_SHOWN = 60
_TYPES = {
    "model_type": ("must be a table", "[{key}], in single brackets"),
    "dict_type": ("must be a table", "[{key}], or {{ name = ... }} behind the key"),
    "list_type": ("must be a list", "a list in [brackets]; tables as [[{key}]], one by one"),
    "string_type": ("must be text", "text in quotes"),
    "int_type": ("must be a whole number", "a number without quotes"),
    "int_parsing": ("must be a whole number", "a number without quotes"),
    "int_parsing_size": ("must be a whole number", "a smaller one"),
    "int_from_float": ("must be a whole number", "a number without a point"),
    "finite_number": ("must be a number", "one that is finite"),
    "float_type": ("must be a number", "a number without quotes"),
    "float_parsing": ("must be a number", "a number without quotes"),
    "bool_type": ("must be true or false", "true or false, without quotes"),
    "bool_parsing": ("must be true or false", "true or false, without quotes"),
    "is_instance_of": ("must be text", "text in quotes"),
    "date_type": ("must be a day", "one written like 2026-12-25, without a time"),
    "dataclass_exact_type": ("must be text", 'text in quotes, with its unit, such as "3 days"'),
    "too_short": ("is an empty list", "at least one, in quotes"),
}
"""What pydantic says of a type, in the words of the file."""


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
    except PermissionError:
        problem, valid = "this account may not read the file", "a file of the account that runs us"
        raise Faults((Fault(str(path), "", "", problem, valid),)) from None
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text: the byte {error.object[error.start]:02x} is no letter there"
        line = error.object.count(b"\n", 0, error.start) + 1
        valid = "save the file as UTF-8, as editors name that encoding"
        raise Faults((Fault(str(path), "", "", problem, valid, line),)) from None
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror}"
        raise Faults((Fault(str(path), "", "", problem, "a readable TOML file"),)) from None
    return read_settings(text, path, os.environ)


def read_settings(text: str, path: Path, environment: Mapping[str, str]) -> Settings:
    """Settings from the text of the file at `path` and the variables of an environment.

    Raises Faults.
    """
    values = _tables(text, path)
    told = overrides(values, environment)
    faults = list(told.faults)
    folder = path.absolute().parent
    try:
        settings = Settings.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        places = _Places(str(path), text, told.origins)
        faults += [places.fault(details) for details in error.errors(include_url=False)]
    if faults:
        raise Faults(sorted(faults, key=lambda fault: fault.line or 0))
    return settings


def _tables(text: str, path: Path) -> dict[str, Any]:
    """What stands in the file. Raises Faults where it is no TOML."""
    line, valid = None, ""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        problem = str(error)
        if problem.startswith("Invalid value"):
            valid = "text stands in quotes, a number and true or false without"
    except RecursionError:
        problem = "brackets within brackets, too deep to read"
    except ValueError:
        problem = "it holds a number that cannot be read"
    raise Faults((Fault(str(path), "", "", f"not TOML: {problem}", valid, line),))


class _Places:
    """Where in the file or the environment the faults of a validation are."""

    def __init__(self, file: str, text: str, origins: Mapping[tuple[str, ...], str]) -> None:
        self._file = file
        self._lines = line_numbers(text)
        self._origins = origins

    def fault(self, details: Any) -> Fault:
        """One complaint of the models in the reader's words."""
        error = details.get("ctx", {}).get("error")
        keys: Keys = error.keys if isinstance(error, Misplaced) else tuple(details["loc"])
        problem, valid = _words(details, keys)
        value = _shown(details["input"], keys)
        line = self._line(keys)
        named = tuple(map(str, keys))
        for place, variable in self._origins.items():
            if place == named or (line is None and place[: len(named)] == named):
                return Fault("environment", variable, value, problem, valid)
        return Fault(self._file, _dotted(keys), value, problem, valid, line)

    def _line(self, keys: Keys) -> int | None:
        """The first line (counted from 1) of a key, or else of what it should stand in; None where
        neither stands."""
        for end in range(len(keys), 0, -1):
            found = [line for at, line in self._lines.items() if at[:end] == keys[:end]]
            if found:
                return min(found)
        return None


def _dotted(keys: Keys) -> str:
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in keys)[1:]


def _words(details: Any, keys: Keys) -> tuple[str, str]:
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
    if kind in _TYPES:
        problem, valid = _TYPES[kind]
        return problem, valid.format(key=_dotted(keys))
    return str(details["msg"]).replace("Input should be", "must be"), ""


def _known(keys: Keys) -> str:
    names: list[str] = list(section_models())
    if len(keys) > 1:
        model: type[BaseModel] = section_models().get(str(keys[0]), Section)
        names = list(model.model_fields)
    name = str(keys[-1])
    if "password" in name:
        return "a password is named by password_env or password_file"
    return nearest(name, names) or (", ".join(names) if names else "no key")


def _shown(value: Any, keys: Keys) -> str:
    if isinstance(value, dict | list):
        return ""
    if any(_SECRET.search(str(key)) for key in keys):
        return "(not shown)"
    return str(value)[:_SHOWN]
