"""The data sets by name, and the ways in which each goes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.real_data import cdisc, eicu, jost, messy, mimic, nhanes, omop, pbcseq, smart, synthea
from tools.real_data.prepared import Prepared

Prepare = Callable[[Path, Path], Prepared]

SETS: dict[str, Prepare] = {
    "cdisc": cdisc.prepare,
    "cdisc_si": cdisc.prepare_si,
    "eicu": eicu.prepare,
    "jost": jost.prepare,
    "messy": messy.prepare,
    "mimic": mimic.prepare,
    "mimic_loinc": mimic.prepare_loinc,
    "nhanes": nhanes.prepare,
    "nhanes_percent": nhanes.prepare_percent,
    "omop": omop.prepare,
    "pbcseq": pbcseq.prepare,
    "smart": smart.prepare,
    "synthea": synthea.prepare,
}
