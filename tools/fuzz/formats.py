"""The formats that can be fuzzed: a corpus of small true files, and how to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.fuzz import (
    csv_files,
    fhir_files,
    hl7_files,
    old_workbooks,
    open_documents,
    workbooks,
)
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
    "fhir": Format(".fhir", fhir_files.corpus, fhir_files.MUTATE),
    "hl7": Format(".hl7", hl7_files.corpus, hl7_files.MUTATE),
    "ods": Format(".ods", open_documents.corpus, open_documents.mutate),
    "xls": Format(".xls", old_workbooks.corpus, old_workbooks.mutate),
    "xlsx": Format(".xlsx", workbooks.corpus, workbooks.mutate),
}
