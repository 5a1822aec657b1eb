"""Where the files that travel with the program are: in the wheel under `monitor/shipped`,
in a clone at its root."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def shipped(name: str) -> Path:
    """The folder or file of that name, such as `schedules` or `templates`.

    Raises FileNotFoundError where the installation lacks it.
    """
    package = Path(__file__).parent
    for root in (package / "shipped", package.parent):
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"this installation lacks {name!r}; please install it again")


def schedules_folder() -> Path:
    """The shipped protocols and `analytes.toml`."""
    return shipped("schedules")


def templates_folder() -> Path:
    """The templates of mails."""
    return shipped("templates")


def locale_folder() -> Path:
    """The gettext catalogues of mails, a folder a language."""
    return shipped("locale")


def figure_font() -> Path:
    """The letters of figures."""
    return shipped("fonts") / "DejaVuSans.ttf"


def example_config() -> str:
    """The text of `config.example.toml`."""
    return shipped("config.example.toml").read_text(encoding="utf-8")
