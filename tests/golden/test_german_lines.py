"""Lines of German mails that no worked example comes to: held rows with their reasons, long lists
of symptoms, values whose distance from a limit has no number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.delivery.language import language
from monitor.delivery.words import distance
from tests.golden.test_languages import ENGLISH
from tests.property.shipped import catalogue

GERMAN = language("de")
HELD = (
    "platelets: above the plausible range, likely a mistake of the unit",
    "neutrophils: neither a number nor a listed text for no result",
    "neutrophils: a comma or point that may mark thousands or decimals",
    "neutrophils: a decimal comma where a decimal point is expected",
    "white_cells: a negative value",
    "platelets: a word in the column of comparators that says none we know",
    "tpmt: neither a known diplotype nor a listed phenotype",
    '"bushel" is no known unit of Platelets',
    '"U" means different things for Bilirubin',
    "White cells without a unit",
    'creatinine is Creatinine as mass, which is not reported in "umol/L"',
    "code and name of the analyte contradict each other",
    "the number equals an enrolled patient's but for leading zeros or punctuation",
    "name and birth date are an enrolled patient's, under another number",
    "identity does not match: the birth date is not this number's",
    "identity does not match: the family name is not this number's",
    "identity does not match: the given name is not this number's",
    "identity does not match: birth date not readable",
    "another issuer's number: the enrolled patient with this number has it from elsewhere",
    (
        "a spreadsheet program took the patient's number for an amount (1.2E+11), and its last "
        "digits are lost"
    ),
    "no date of collection",
    "the date of collection has no year",
    "the date of collection cannot be read",
    "the date of collection is one that programs write where they know none",
    "collected more than 24 hours in the future",
    "day and month of the dates cannot be told apart: no date of the file settles it",
    "the year of two digits may stand first or last: no date of the file settles it",
    (
        "day and month may be exchanged: other dates of the sheet are text, as a spreadsheet "
        "program leaves what it cannot read"
    ),
    'unknown status "Z"',
)

OVERDUE = (
    "Complete blood count with differential overdue: was due 13 Jun 2026 (last 19 May 2026, "
    "declared)"
)
NOT_CONFIRMED = (
    "Start not confirmed: was it started? If so, test today.",
    "Start not confirmed: was it started? The test is to be repeated either way.",
)
INCOMPLETE = (
    "Complete blood count with differential was incomplete on 26 May 2026: no haemoglobin, "
    "platelets; 27 May 2026: no ALT or AST."
)
OWN = "(personal limit until 2 Feb 2026, 1.6 10*9/L is the protocol's own)"
LINES = (
    f"{OVERDUE}. {NOT_CONFIRMED[0]} {INCOMPLETE} 2 rows of Liver function tests held in quarantine",
    f"{OVERDUE}. {NOT_CONFIRMED[1]} {INCOMPLETE}",
    "Tests are not in date: prescriber to decide on further supply. " + NOT_CONFIRMED[0],
    "0.499 10*9/L on Wed 10 Jun 2026 (2 days ago)",
    "1.90 10*9/L (derived) on Wed 10 Jun 2026 (yesterday): back within the limit",
    "another result is held: hemoglobin of 11 Feb 2026",
    "3 results are held in quarantine and not judged: white cells, creatinine, alt",
    "Doubt: about 10 times below the value before, 4.5 10*9/L: check the unit with the laboratory.",
    "Doubt: about 100 times above the value before, 4 10*9/L: check the unit with the laboratory.",
    "pancytopenia, 2 of 3 lines low",
    (
        "Personal interval of cbc in phase quarterly: every 6 weeks was set for the treatment "
        "before: for this one the protocol's own applies"
    ),
    (
        "Personal interval of cbc in phase weekly: every 5 days ended on 1 Dec 2026: the "
        "protocol's own applies again"
    ),
    "Neutropenia accepted as baseline ended on 1 Dec 2026: the protocol's own applies again",
    f"Neutrophils 1.80 10*9/L on 12 Jan 2026: below 1.9 10*9/L {OWN}",
    f"5 % below the limit, 1.9 10*9/L {OWN}",
    f"a further limit is met, 1.9 10*9/L {OWN}",
    f"Neutrophils in 10*9/L, lower limit 1.9 10*9/L {OWN}",
    f"neutropenia, level 1, 1.9 10*9/L {OWN}",
    (
        "raised_alt, level 1, 4 x ULN 50 = 200 U/L (default ULN) (personal limit until 2 Feb 2026, "
        "5 x ULN is the protocol's own)"
    ),
    "Personal limit on neutropenia, level 1: 1.3 until 30 Jan 2026.",
    "called, no answer",
    "declines the test",
    "Latest neutrophils 1.2 10*9/L on 1 Dec 2026; the protocol's own limit is 1.6 10*9/L.",
    "Latest alt <120 U/L on 1 Dec 2026; the protocol's own limit is 2 x ULN.",
)
"""Of patients of random clinics: half of each was English."""

CODES = (
    "implausible mrn_alike another_number another_issuer identity not_a_number ambiguous_mark "
    "decimal_comma negative comparator unit_unknown unit_missing unit_ambiguous "
    "code_contradicts_unit code_contradicts_name unknown_code no_code unknown_patient no_mrn "
    "no_patient mrn_amount no_date date status future genotype cut_short no_table field_count "
    "no_segment too_long line_too_long merge no_results no_text quotes no_header"
)
"""Why rows are held, as the digest counts them."""


@pytest.mark.parametrize("reason", HELD)
@pytest.mark.parametrize("row", ["28 Nov 2026: 231000 10*9/L", "no day: no value"])
def test_why_a_result_is_held_is_said_in_german(row: str, reason: str) -> None:
    """It was half English in a critical mail: `platelets: über the plausible range`."""
    line = f"{row} ({reason})"
    assert GERMAN.knows(line)
    assert not ENGLISH.search(GERMAN.say(line)), GERMAN.say(line)


def test_a_held_row_reads_as_one_sentence() -> None:
    said = GERMAN.say("28 Nov 2026: 2.31 bushel (" + HELD[7] + ")")
    assert (
        said == '28. Nov. 2026: 2,31 bushel ("bushel" ist keine bekannte Einheit von Thrombozyten)'
    )


@pytest.mark.parametrize("downward", [True, False])
@pytest.mark.parametrize("value", ["0.5", "0.4999", "0.5001"])
def test_how_far_beyond_is_said_in_german(value: str, downward: bool) -> None:
    for comparator in ("", "<", ">"):
        far = distance(Decimal(value), comparator, Decimal("0.5"), downward=downward)
        assert not ENGLISH.search(GERMAN.say(far)), far


def test_a_long_list_of_symptoms_is_german_to_its_end() -> None:
    """From the fourth on they were English."""
    words = ("fever", "chills", "myalgia", "arthralgia", "nausea", "vomiting", "diarrhoea", "rash")
    days = [f"{word} on {place + 1} Aug 2026" for place, word in enumerate(words)]
    said = GERMAN.say("Possible hypersensitivity: " + ", ".join(days))
    assert not ENGLISH.search(said), said
    assert said.count(" am ") == len(words) and said.endswith("Hautausschlag am 8. Aug. 2026")


@pytest.mark.parametrize("code", CODES.split())
def test_what_the_digest_counts_in_quarantine_is_german(code: str) -> None:
    """Of six reasons one was: `1: mrn alike`, `1: unbekannter Patient`."""
    assert GERMAN.knows(code.replace("_", " "))


@pytest.mark.parametrize("line", LINES)
def test_what_random_patients_came_to_is_german(line: str) -> None:
    assert GERMAN.knows(line)
    assert not ENGLISH.search(GERMAN.say(line)), GERMAN.say(line)


@pytest.mark.parametrize("name", sorted(catalogue().analytes))
def test_an_analyte_is_named_in_german_amid_a_sentence(name: str) -> None:
    """`ohne albumin`: by its title there, by its name where a row is held."""
    title = catalogue().analytes[name].title
    said = GERMAN.say(title)
    assert GERMAN.say(f"3 May 2026: no {title.lower()}") == f"3. Mai 2026: ohne {said}"
    assert GERMAN.say(name.replace("_", " ")) == said
