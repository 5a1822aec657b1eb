"""True results written out as laboratories send them in messages: HL7 v2 and FHIR."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from tests.scenario.test_random_results import Truth

ZONE = ZoneInfo("Europe/Zurich")
LOW, HIGH = "1.5", "8000.5"
"""Limits of every result, in the unit that it is written in."""
_LOINC = {"white_cells": "6690-2", "platelets": "777-3", "hemoglobin": "718-7", "alt": "1742-6"}
_UCUM = {"Gpt/l": "10*9/L", "K/uL": "10*3/uL", "/nl": "/nL", "µkat/l": "ukat/L", "g/dl": "g/dL"}

Draw = tuple[int, list[Truth]]


def draws(told: list[Truth]) -> Iterator[Draw]:
    """The results of each draw of a patient, which stand one after another, with its number."""
    for number, (_, of) in enumerate(groupby(told, lambda it: (it.mrn, it.taken))):
        yield number, list(of)


def specimen(number: int) -> str:
    return f"26-{number:05}"


def loinc(one: Truth) -> str:
    if one.kind.analyte == "bilirubin":
        return "14631-6" if one.unit == "umol/L" else "1975-2"
    return _LOINC[one.kind.analyte]


# ------------------------------------------------------------------ HL7 v2


def _message(*segments: str, version: str, kind: str = "ORU^R01", charset: str = "") -> list[str]:
    head = f"MSH|^~\\&|LAB|NORTH|MON|CLINIC|20260701120000||{kind}|1|P|{version}||||||{charset}"
    return [head, *segments]


def american(told: list[Truth]) -> bytes:
    """Own codes before LOINC codes, SN for bounds, a note below, all in a batch."""
    lines = ["FHS|^~\\&|LAB", "BHS|^~\\&|LAB"]
    for number, of in draws(told):
        lines += _message(
            f"PID|1||V77^^^NORTH^VN~{of[0].mrn}^^^NORTH^MR||||||",
            "ORC|RE|P1",
            f"OBR|1|P1|{specimen(number)}^LAB|CBC^CBC^L|||{of[0].taken:%Y%m%d%H%M}",
            version="2.3.1",
        )
        for it in of:
            value = f"SN|{{}}||{it.sign}^{it.number}" if it.sign else f"NM|{{}}||{it.number}"
            name = f"L{loinc(it)[0]}^{it.kind.names[0]}^L^{loinc(it)}^{it.kind.names[0]}^LN"
            lines += [f"OBX|1|{value.format(name)}|{it.unit}^{it.unit}^L|{LOW}-{HIGH}|N|||F"]
            lines += ["NTE|1||Reference laboratory \\T\\ partners"]
    return "\r".join([*lines, "BTS|1", "FTS|1", ""]).encode()


def german(told: list[Truth]) -> bytes:
    """Decimal commas, names and a micro sign in Windows' own signs, the time at the result."""
    lines: list[str] = []
    for number, of in draws(told):
        lines += _message(f"PID|1|{of[0].mrn}", version="2.2", charset="8859/1")
        lines += [f"OBR|1||{specimen(number)}|KBB^Kleines Blutbild|||00000000"]
        for it in of:
            limits = f"{LOW} - {HIGH} {it.unit}".replace(".", ",")
            taken = f"{it.taken.replace(tzinfo=ZONE):%Y%m%d%H%M%S.000%z}"
            value = f"{it.kind.names[1]}||{it.value(',')}|{it.unit}"
            lines.append(f"OBX|1|ST|{value}|[{limits}]||||F|||{taken}")
    return "\r\n".join(lines).encode("cp1252")


def analyser(told: list[Truth]) -> bytes:
    """The specimen before its orders, codes without a system, frames of MLLP."""
    content = ""
    for number, of in draws(told):
        lines = _message(
            f"PID|1||{of[0].mrn}^^^NORTH",
            f"SPM|1|P9&P^{specimen(number)}&LAB||BLD^Blood^HL70487|||||||||||||"
            f"{of[0].taken:%Y%m%d%H%M}^{of[0].taken:%Y%m%d%H%M}",
            version="2.5.1",
            kind="OUL^R22^OUL_R22",
            charset="UNICODE UTF-8",
        )
        for it in of:
            unit = it.unit.replace("^", "\\S\\")
            lines += [f"OBR|1||F{loinc(it)}|^^^CBC|||20260101", "ORC|RE"]
            lines += [f"OBX|1|ST|^^^X1^{it.kind.names[0]}||{it.sign} {it.number}|^{unit}"]
            lines[-1] += f"|({LOW}-{HIGH})||||F"
        content += "\x0b" + "\r".join(lines) + "\r\x1c\r"
    return content.encode()


def exact(told: list[Truth]) -> bytes:
    """Separators of its own, codes of values, offsets of another zone, two draws a message."""
    lines = _message(version="2.8")
    for number, of in draws(told):
        taken = of[0].taken.replace(tzinfo=ZONE).astimezone(ZoneInfo("UTC"))
        lines += [f"PID|1||9999999^^^NHS^NH~{of[0].mrn}^^^NORTH&1.2.3&ISO^MR"]
        lines += [f"OBR|1||O{number}|58410-2^CBC^LN|||{taken:%Y%m%d%H%M%S}+0000"]
        for it in of:
            unit = f"{it.unit}^{it.unit}^UCUM^{it.unit}^{it.unit}^L"
            name = f"{loinc(it)}^^LN^1^^99Z^2.68^1^{it.kind.names[0]}"
            lines.append(f"OBX|1|CWE|{name}||^{it.value()}|{unit}|{LOW}^{HIGH}||||F")
        lines += [f"SPM|1|{specimen(number)}||119297000^Blood^SCT"]
    head, *others = lines
    return "\r".join([head, *others]).translate(str.maketrans("|^~&", "$%@!")).encode()


def run_together(told: list[Truth]) -> bytes:
    """Of every third result the end of its line was lost."""
    lines = exact(told).decode().split("\r")
    ends = ["" if number % 3 == 0 and number else "\r" for number in range(len(lines))]
    return "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()


# ------------------------------------------------------------------ FHIR


class _Number(float):
    """A number with the digits it was given, as `json` writes it."""

    def __new__(cls, text: str) -> _Number:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def _quantity(number: str, one: Truth, **more: str) -> dict[str, Any]:
    code = _UCUM.get(one.unit, one.unit)
    return {"value": _Number(number), "unit": one.unit, "code": code, **more}


def _observation(one: Truth, name: str, **more: Any) -> dict[str, Any]:
    comparator = {"comparator": one.sign} if one.sign else {}
    coding = {"system": "http://loinc.org", "code": loinc(one), "display": one.kind.names[0]}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "urn:lab", "code": f"x{name}"}, coding]},
        "subject": {"reference": f"Patient/p{one.mrn}"},
        "effectiveDateTime": one.taken.replace(tzinfo=ZONE).isoformat(),
        "valueQuantity": _quantity(one.number, one, **comparator),
        "referenceRange": [{"low": _quantity(LOW, one), "high": _quantity(HIGH, one)}],
    } | more


def _patient(mrn: str) -> dict[str, Any]:
    kind = {"coding": [{"code": "MR"}]}
    return {
        "resourceType": "Patient",
        "id": f"p{mrn}",
        "identifier": [{"value": "9999999"}, {"type": kind, "system": "NORTH", "value": mrn}],
    }


def _dumped(value: Any) -> str:
    # the encoder written in C asks float itself, and not the number, how it is written
    return "".join(json.JSONEncoder(ensure_ascii=False).iterencode(value, _one_shot=False))


def _bundle(kind: str, resources: list[dict[str, Any]]) -> bytes:
    server = "https://fhir.example/r4"
    entries = [
        {"fullUrl": f"{server}/{it['resourceType']}/{it['id']}", "resource": it} for it in resources
    ]
    return _dumped({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()


def searchset(told: list[Truth]) -> bytes:
    """Observations before the patients and the specimens that they refer to."""
    found: list[dict[str, Any]] = []
    for number, of in draws(told):
        sample = {"reference": f"Specimen/s{number}"}
        found += [
            _observation(it, f"o{number}-{index}", specimen=sample) for index, it in enumerate(of)
        ]
        kept = {"system": "urn:s", "value": specimen(number)}
        found += [{"resourceType": "Specimen", "id": f"s{number}", "accessionIdentifier": kept}]
    return _bundle("searchset", [*found, *map(_patient, sorted({it.mrn for it in told}))])


def bulk_export(told: list[Truth]) -> bytes:
    """A panel with components, whose specimen and time are the report's; a resource a line."""
    found = [_patient(mrn) for mrn in sorted({it.mrn for it in told})]
    wanted = ("code", "valueQuantity", "referenceRange")
    for number, of in draws(told):
        whole = _observation(of[0], f"o{number}")
        parts = [_observation(it, "c") for it in of]
        panel = {name: whole[name] for name in ("resourceType", "id", "status", "subject")}
        panel["code"] = {"text": "Blood count"}
        panel["component"] = [{name: it[name] for name in wanted} for it in parts]
        report = {
            "resourceType": "DiagnosticReport",
            "id": f"r{number}",
            "status": "final",
            "effectivePeriod": {"start": whole["effectiveDateTime"]},
            "specimen": [{"identifier": {"value": specimen(number)}}],
            "result": [{"reference": f"https://fhir.example/r4/Observation/o{number}"}],
        }
        found += [report, panel]
    return "\n".join(map(_dumped, found)).encode()


def contained(told: list[Truth]) -> bytes:
    """Reports that contain their results, which name patient and specimen by identifiers, and
    have texts for numbers."""
    found = []
    for number, of in draws(told):
        inner = []
        for index, it in enumerate(of):
            one = _observation(
                it, f"i{index}", specimen={"identifier": {"value": specimen(number)}}
            )
            one["subject"] = {"identifier": {"system": "NORTH", "value": it.mrn}}
            del one["valueQuantity"]
            inner.append(one | {"valueString": f"{it.value()} {it.unit}"})
        results = [{"reference": f"#{it['id']}"} for it in inner]
        kind = {"resourceType": "DiagnosticReport", "id": f"r{number}", "status": "final"}
        found.append({**kind, "contained": inner, "result": results})
    return _bundle("transaction", found)


MESSAGES: dict[str, tuple[int, str, Callable[[list[Truth]], bytes]]] = {
    "american": (1, "hl7", american),
    "german": (2, "hl7", german),
    "analyser": (0, "hl7", analyser),
    "exact": (0, "hl7", exact),
    "run together": (1, "hl7", run_together),
    "searchset": (2, "json", searchset),
    "bulk export": (1, "ndjson", bulk_export),
    "contained": (0, "json", contained),
}
"""By name: which spelling of units, the end of the file's name, and who writes it."""
