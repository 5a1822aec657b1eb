"""What every table of `config.toml` has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo


def _path(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str | Path) and str(value):
        try:
            own = Path(value).expanduser()
        except RuntimeError:
            raise ValueError("there is no such account; write the folder out") from None
        return (info.context or {}).get("folder", Path()) / own
    return value or None


Folder = Annotated[Path, BeforeValidator(_path)]
OptionalPath = Annotated[Path | None, BeforeValidator(_path)]


class Section(BaseModel):
    """A table of the file: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,
    )
