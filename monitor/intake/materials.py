"""What is measured elsewhere than in blood is another quantity than ours, and so is what a LOINC
code calls by another name.

Its names say so in brackets, LOINC codes too, and nobody knows such a name: leukocytes of the
liquor are no white cells, whatever code a laboratory gives them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from monitor.core.catalogue import Catalogue, name_key
from monitor.core.phenotypes import CODED
from monitor.intake.vocabulary import vocabulary

_AFTER_COMPONENT = re.compile(
    r"\s*\[.*|[\s:]+(?:in\s+)?(?:(?:venous|arterial|capillary)\s+)?"
    r"(?:bld|blood|ser|plas|ppp|rbc|[mn]cnc)\w*\b.*",
    re.IGNORECASE,
)
"""What follows the component in a name of LOINC: `[Mass/volume] in Arterial blood`, `BldA-mCnc`."""


def named_with_material(
    loinc: Sequence[str],
    local: Sequence[str],
    words: Sequence[str],
    catalogue: Catalogue,
    *,
    told: str,
    order: str,
    called: Mapping[str, str] | None = None,
    mapped: Collection[str] = (),
) -> tuple[str, ...]:
    """The codes and words of an analyte, each once, with the material where it is no blood.

    `told` is the specimen as the message names it, `order` an order of no blood; that one does
    not count for what says itself that it is of blood. A gene is the same in every material, and
    a LOINC code that nobody knows says enough itself. `called` are the names that go with the
    LOINC codes: where those tell of something else, no local name beside them is believed, unless
    the source's mapping names one (`mapped`).
    """
    around = told
    if order and not around and not any(map(vocabulary().is_of_blood, words)):
        around = order
    kind = around or _in_words(words) or _in_codes(loinc)
    if not kind and (another := _of_another(loinc, called or {}, catalogue)):
        spoken_for = {name_key(it) for it in mapped}
        kind = "" if spoken_for.intersection(map(name_key, [*local, *words])) else another

    def marked(name: str) -> str:
        found = catalogue.find(name)
        # An unknown one may be mapped as it is, unless all there is around it is no blood.
        alone = name in loinc or not around
        is_plain = alone if found is None else found.name in CODED
        return name if is_plain or not kind or name == kind else f"{name} ({kind})"

    return tuple(marked(name) for name in dict.fromkeys([*loinc, *local, *words]) if name)


def _in_words(words: Sequence[str]) -> str:
    """The name that says itself that it is of no blood, or of an earlier sample: `Leukocytes in
    CSF`, `Platelets, previous`."""
    known = vocabulary()
    return next((it for it in words if known.is_of_no_blood(it) or known.is_not_of_now(it)), "")


def _in_codes(codes: Sequence[str]) -> str:
    """The LOINC code of a known quantity of another material."""
    return next((it for it in codes if it in vocabulary().loinc_of_no_blood), "")


def _of_another(codes: Sequence[str], called: Mapping[str, str], catalogue: Catalogue) -> str:
    """The LOINC code that nobody knows, and whose own name nobody knows either, whatever else the
    laboratory calls it: `Carboxyhemoglobin/Hemoglobin.total` is no haemoglobin."""
    unknown = (it for it in codes if called.get(it) and catalogue.find(it) is None)
    return next((it for it in unknown if not _is_known(called[it], catalogue)), "")


def _is_known(name: str, catalogue: Catalogue) -> bool:
    component = _AFTER_COMPONENT.sub("", name)
    return any(catalogue.find(it) is not None for it in (name, component) if it.strip())
