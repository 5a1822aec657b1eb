"""Names in the config that mean no analyte in force: codes mapped to them wait in quarantine, and
units said for them are said for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config import Settings
from monitor.intake.columns import fold
from monitor.store.database import Store
from monitor.store.rulebook import NoRuleBook, load_rulebook


def misnamed(store: Store, settings: Settings) -> list[str]:
    """Where each stands in the config, and what may have been meant."""
    said = list(_said(settings))
    if not said:
        return []
    with store.read() as connection:
        try:
            catalogue = load_rulebook(connection).catalogue
        except NoRuleBook:  # which `schedules` tells
            return []
    return [
        f'{where}: no analyte is called "{name}"; {catalogue.suggest(name)}'
        for where, name in said
        if catalogue.find(name) is None
    ]


def _said(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, source in settings.sources.items():
        for code, ours in source.codes.items():
            yield f"sources.{name}.codes, {code}", ours
        mapped = {fold(code) for code in source.codes}
        for ours in source.units:
            if fold(ours) not in mapped:
                yield f"sources.{name}.units", ours
