"""What an Observation of its own says of the sample: `Comment: platelets clumped` beside the counts
of a report. (HL7 has the same in an OBX: `hl7_doubts`.)"""

from __future__ import annotations

from monitor.core.catalogue import Catalogue
from monitor.intake.fhir_json import Body
from monitor.intake.fhir_parts import codings, text_of, word_of
from monitor.intake.hl7_doubts import is_affirmed

_NOT_SAID = frozenset(("entered-in-error", "cancelled", "registered"))


def doubt_of(body: Body, catalogue: Catalogue) -> str:
    """The words of an Observation that is no result of an analyte and doubts others: its text, or
    the name of what was found. Empty where there are none."""
    code = body.get("code")
    names = [text_of(it, part) for it in codings(code) for part in ("display", "code")]
    names = [it for it in (text_of(code, "text"), *names) if it]
    if text_of(body, "status") in _NOT_SAID or any(map(catalogue.find, names)):
        return ""
    said = text_of(body, "valueString") or word_of(body.get("valueCodeableConcept"))
    if body.get("valueBoolean") is True or is_affirmed(said):
        said = next(iter(names), "")
    return said if catalogue.is_doubt(said) else ""
