"""What a code that nobody knows may be: the nearest name, or a known one of another material."""

from __future__ import annotations

import re
from collections.abc import Collection

from monitor.core.catalogue import Catalogue
from monitor.intake.vocabulary import vocabulary

_BRACKETS_BEHIND = re.compile(r"\s\([^()]*\)$")


def nearest_analyte(catalogue: Catalogue, code: str, units: Collection[str]) -> str:
    """`did you mean "platelets"?` for an unknown code with the units that it came with; "" where
    no analyte is likely, and where a known one stands before brackets: `PLT (UR)` is misspelt
    nowhere, it is something else."""
    name = _BRACKETS_BEHIND.sub("", code)
    is_another = name != code and catalogue.find(name) is not None
    guess = catalogue.likely(code, units) if _may_be_misspelt(code) and not is_another else ""
    return f'did you mean "{guess}"?' if guess else ""


def of_no_blood(catalogue: Catalogue, code: str) -> str:
    """Of a known name with another material behind it, why it is not read: whoever ignores it
    would hide counts where the laboratory fills the wrong word in."""
    name = _BRACKETS_BEHIND.sub("", code)
    analyte = catalogue.find(name) if name != code else None
    if analyte is None or not vocabulary().is_of_no_blood(code):
        return ""
    return (
        f"{analyte.name} of another specimen than blood, as the row says; if it is of blood, ask "
        "the laboratory to correct the specimen, else ignore it"
    )


def _may_be_misspelt(code: str) -> bool:
    """Whether the nearest name helps: a number next to another one means something else, and
    what is of no blood is none of ours."""
    name = _BRACKETS_BEHIND.sub("", code)
    return any(sign.isalpha() for sign in name) and not vocabulary().is_of_no_blood(code)
