"""The columns of a results file, by our names: what a source's mapping may name."""

RESULT_COLUMNS = (
    "mrn", "collected_at", "analyte", "value", "unit", "ref_low", "ref_high", "specimen_id",
    "status", "reported_at", "comment", "family_name", "given_name", "birth_date", "issuer",
    "method",
)  # fmt: skip
EXTRA_COLUMNS = (
    "patient_name", "collected_day", "collected_time", "code", "value_text", "range", "material",
    "order", "flag", "comparator", "value_number", "unit_name", "condition",
    "derivation", "range_unit", "value_converted", "number_converted", "unit_converted",
    "low_converted", "high_converted", "unit_concept", "void",
)  # fmt: skip
"""What a file may have besides the columns of a row."""
ALL_COLUMNS = (*RESULT_COLUMNS, *EXTRA_COLUMNS)
