"""The formats that can be fuzzed: a corpus of small true files, and how to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.fuzz import csv_files, hl7_files, workbooks
from tools.fuzz.mutation import Mutate


@dataclass(frozen=True, slots=True)
class Format:
    """One format: files named with `suffix`, spoilt by `mutate`. The corpus should be of small
    files (a few lines each) that the monitor takes, of patients of `clinic.PATIENTS`."""

    suffix: str
    corpus: Callable[[], Sequence[bytes]]
    mutate: Mutate


FORMATS: Mapping[str, Format] = {
    "csv": Format(".csv", csv_files.corpus, csv_files.MUTATE),
    "hl7": Format(".hl7", hl7_files.corpus, hl7_files.MUTATE),
    "xlsx": Format(".xlsx", workbooks.corpus, workbooks.mutate),
}
