"""FHIR as it comes: single resources, Bundles, lines and XML, with references between them."""

from __future__ import annotations

from tools.fuzz.mutation import mutator

_BUNDLE = """\
{"resourceType": "Bundle", "type": "message", "entry": [
 {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "p1",
  "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:n", "value": "F1"}],
  "name": [{"family": "Keller", "given": ["Anna"]}], "birthDate": "1970-05-01"}},
 {"resource": {"resourceType": "Specimen", "id": "s1", "accessionIdentifier": {"value": "A1"},
  "collection": {"collectedDateTime": "2026-03-02T08:30:00+01:00"}}},
 {"resource": {"resourceType": "DiagnosticReport", "issued": "2026-03-02T11:00:00Z",
  "subject": {"reference": "Patient/p1"}, "result": [{"reference": "Observation/o1"}]}},
 {"resource": {"resourceType": "Observation", "id": "o1", "status": "final",
  "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}], "text": "Neutrophils"},
  "subject": {"reference": "urn:uuid:1"}, "specimen": {"reference": "Specimen/s1"},
  "valueQuantity": {"value": 0.90, "comparator": "<", "unit": "K/uL", "code": "10*3/uL"},
  "referenceRange": [{"low": {"value": 1.8}, "high": {"value": 7.5}}]}},
 {"resource": {"resourceType": "Observation", "status": "amended",
  "code": {"text": "LFT"}, "subject": {"reference": "Patient/p1"},
  "effectiveDateTime": "2026-03-02", "component": [
   {"code": {"text": "ALT"}, "valueQuantity": {"value": 40, "unit": "U/L"}},
   {"code": {"text": "AST"}, "dataAbsentReason": {"coding": [{"code": "unknown"}]}}]}}]}
"""
_LINES = """\
{"resourceType": "Patient", "id": "a", "identifier": [{"value": "F2"}]}
{"resourceType": "Observation", "status": "preliminary", "code": {"text": "platelets"}, \
"subject": {"reference": "Patient/a"}, "effectiveInstant": "2026-03-02T08:30:00Z", \
"valueQuantity": {"value": 1.5e2, "unit": "10*9/L"}}
{"resourceType": "Observation", "status": "cancelled", "code": {"text": "wbc"}, \
"subject": {"identifier": {"value": "F3"}}, "effectiveDateTime": "2026-03-02T08:30:00", \
"valueString": "clotted", "note": [{"text": "repeat"}]}
"""
_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
<entry><resource><Observation><status value="final"/>
<code><coding><system value="http://loinc.org"/><code value="777-3"/></coding></code>
<subject><identifier><system value="urn:n"/><value value="F1"/></identifier></subject>
<effectiveDateTime value="2026-03-02"/>
<valueQuantity><value value="250"/><unit value="10*9/L"/></valueQuantity>
</Observation></resource></entry>
</Bundle>
"""
_TOKENS = (
    "", " ", "null", "true", "NaN", "-Infinity", "1e999", "-0", "0.1", "9" * 400, '""', '"F1"',
    '"F9"', '"final"', '"entered-in-error"', '"registered"', '"2026-03-02"', '"2026"', '"as-text"',
    '"Patient/p1"', '"#x"', '"urn:uuid:1"', '"Patient?identifier=|F1"', '"Bundle"', '"Observation"',
    '"resourceType"', '"entry"', '"component"', '"hasMember"', '"contained"', '"valueString"',
    '"valueRange"', '"ad"', '"%"', '"furlong"', "{", "}", "[", "]", "[" * 2000, '{"a":' * 1500,
    "[]", "{}", '"\\u0000"', '"\\ud800"', "\\", "<!DOCTYPE a [<!ENTITY e 'x'>]>", "&e;", "&#0;",
    "<entry>", "</entry>", "<a>" * 300, "\u202e", "\ufeff", '"' + "x" * 5000 + '"',
)  # fmt: skip

MUTATE = mutator([token.encode() for token in _TOKENS], b',:{}[]<>"')


def corpus() -> list[bytes]:
    """A Bundle, lines, and XML."""
    return [text.encode() for text in (_BUNDLE, _LINES, _XML)]
