"""What frees a held row and all alike: the command, as far as the reason tells it."""

from __future__ import annotations


def remedy(row_id: int, reason_code: str, enrolled: str = "") -> str:
    """The command for a row held for this reason; `enrolled` is the patient it may be of."""
    fix = f"monitor quarantine fix {row_id}"
    match reason_code:
        case "unknown_code":
            return f"{fix} --analyte NAME --by WHO, or --ignore"
        case "unit_missing" | "unit_unknown" | "unit_ambiguous":
            return f"{fix} --unit UNIT --by WHO"
        case "implausible" | "code_contradicts_unit":
            return f"{fix} --unit UNIT --once --by WHO, once the laboratory has said which"
        case "another_issuer":
            return f"{fix} --issuer own --by WHO, or --issuer NAME, or --patient MRN"
        case "identity" | "mrn_alike" | "another_number":
            return f"{fix} --patient {enrolled or 'MRN'} --by WHO, if it is the same person"
        case "unknown_patient":
            return f"monitor enrol FILE.csv, or {fix} --patient MRN --by WHO"
    return f"monitor quarantine discard {row_id} --by WHO --reason TEXT, once it is dealt with"
