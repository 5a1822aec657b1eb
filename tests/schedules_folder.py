"""A schedules folder that tests edit, and what is in force."""

from __future__ import annotations

from pathlib import Path

from monitor.operations.schedules import Notice
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook, texts_in_force
from tests.clinic import at

NOW = at("2026-02-01")
AZA = "azathioprine"


def text_of(folder: Path, name: str = AZA) -> str:
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def write(folder: Path, text: str, name: str = AZA) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def edit(folder: Path, old: str, new: str, name: str = AZA) -> Path:
    text = text_of(folder, name)
    assert old in text
    return write(folder, text.replace(old, new), name)


def retitle(folder: Path, title: str, name: str = AZA) -> Path:
    return edit(folder, "for ever", title, name)


def title_in_force(store: Store, protocol: str = AZA) -> str:
    with store.read() as connection:
        return load_rulebook(connection).protocols[protocol].title


def in_force(store: Store) -> set[str]:
    with store.read() as connection:
        return set(texts_in_force(connection))


def only(notices: list[Notice]) -> str:
    (notice,) = notices
    return notice.text


def site_protocol(folder: Path, name: str = "site", **changes: str) -> Path:
    """Another protocol for the same drug, not the default."""
    text = text_of(folder).replace(f'id = "{AZA}"', f'id = "{name}"', 1)
    text = text.replace("default = true ", "default = false")
    for old, new in changes.items():
        text = text.replace(old, new)
    return write(folder, text, name)
