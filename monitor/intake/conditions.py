"""What is told of a specimen's state, in the words that a comment would have.

Source: HL7 v2.7, tables 0490 (why a specimen was rejected) and 0493 (its condition), which FHIR
uses too.
"""

from __future__ import annotations

_REJECTED = {
    "EX": "expired", "QS": "quantity not sufficient", "RA": "missing patient number",
    "RB": "broken container", "RC": "clotted", "RD": "missing collection date",
    "RE": "missing patient name", "RH": "haemolysed", "RI": "identification problem",
    "RM": "labelling error", "RN": "contaminated", "RP": "missing phlebotomist",
    "RR": "improper storage", "RS": "name misspelt",
}  # fmt: skip
_CONDITIONS = {
    "AUT": "autolysed", "CFU": "centrifuged", "CLOT": "clotted", "CON": "contaminated",
    "COOL": "cool", "FROZ": "frozen", "HEM": "haemolysed", "LIVE": "live",
    "ROOM": "room temperature", "SNR": "specimen not received",
}  # fmt: skip


def condition(code: str, text: str = "") -> str:
    """The condition of a specimen: its text, else what its code means."""
    return text or _CONDITIONS.get(code.upper(), code)


def rejection(code: str, text: str = "") -> str:
    """That a specimen was rejected, and why: a number that was measured in it all the same is
    doubtful, whatever the reason."""
    why = text or _REJECTED.get(code.upper(), code)
    return f"specimen rejected: {why}" if why else ""
