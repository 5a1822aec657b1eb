"""What is measured elsewhere than in blood is another quantity than ours.

Its names say so in brackets, LOINC codes too, and nobody knows such a name: leukocytes of the
liquor are no white cells, whatever code a laboratory gives them.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.catalogue import Catalogue
from monitor.core.phenotypes import CODED
from monitor.intake.vocabulary import vocabulary


def named_with_material(
    loinc: Sequence[str],
    local: Sequence[str],
    words: Sequence[str],
    catalogue: Catalogue,
    *,
    told: str,
    order: str,
) -> tuple[str, ...]:
    """The codes and words of an analyte, each once, with the material where it is no blood.

    `told` is the specimen as the message names it, `order` an order of no blood; that one does
    not count for what says itself that it is of blood. A gene is the same in every material, and
    a LOINC code that nobody knows says enough itself.
    """
    around = told
    if order and not around and not any(map(vocabulary().is_of_blood, words)):
        around = order
    kind = around or _in_words(words) or _in_codes(loinc)

    def marked(name: str) -> str:
        found = catalogue.find(name)
        # An unknown one may be mapped as it is, unless all there is around it is no blood.
        alone = name in loinc or not around
        is_plain = alone if found is None else found.name in CODED
        return name if is_plain or not kind or name == kind else f"{name} ({kind})"

    return tuple(marked(name) for name in dict.fromkeys([*loinc, *local, *words]) if name)


def _in_words(words: Sequence[str]) -> str:
    """The name that says itself that it is of no blood: `Leukocytes in CSF`."""
    return next((it for it in words if vocabulary().is_of_no_blood(it)), "")


def _in_codes(codes: Sequence[str]) -> str:
    """The LOINC code of a known quantity of another material."""
    return next((it for it in codes if it in vocabulary().loinc_of_no_blood), "")
