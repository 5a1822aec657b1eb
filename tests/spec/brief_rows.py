"""The founding brief row by row: what it says, what encodes it, and where its cases are.

A case names a row of a page of the manual by some of its words, or a test.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRES, QUIET, UNKNOWN = "fires", "just does not", "not known"


@dataclass(frozen=True)
class Case:
    """One case: the page and words of its row, which fit no other row; or `test` and its name."""

    kind: str
    page: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A row of the brief. `names`: ids of the protocol file; `never`: what is refused."""

    says: str
    names: tuple[str, ...]
    note: str
    cases: tuple[Case, ...]


def entry(says: str, names: str, note: str, *cases: tuple[str, ...]) -> Entry:
    return Entry(
        says, tuple(names.split()), note, tuple(Case(it[0], it[1], it[2:]) for it in cases)
    )


DUE, BOUNDS, EPISODES = "due-days", "boundaries", "episodes"
DOSE, LIFE, SYMPTOMS, BESIDE = (
    "dose-and-genotype",
    "other-drugs-and-life",
    "symptoms",
    "beside-the-rules",
)
TEST = "test"
UNMEASURED = (
    UNKNOWN,
    TEST,
    "tests/scenario/test_explain.py::test_a_patient_tells_of_every_rule_and_panel_why",
)


def ladder(rule: str, below: str, at: str, censored: str) -> tuple[tuple[str, ...], ...]:
    """The three cases of a limit: a value beyond it, one at it, one that only may be beyond."""
    return (
        (FIRES, BOUNDS, f"{rule} {below}", "$"),
        (QUIET, BOUNDS, f"{rule} {at}", "$"),
        (UNKNOWN, BOUNDS, f"{rule} {censored}", "$"),
    )


AIH, RA = "indication=autoimmune_hepatitis", "indication=rheumatoid_arthritis"
BRIEF: tuple[Entry, ...] = (
    entry(
        "CBC weekly in weeks 1-8", "weekly", "grace of 2 days",
        (FIRES, DUE, "cbc 2026-01-12 2026-01-22"),
        (QUIET, DUE, "cbc 2026-01-12 2026-01-21"),
        (UNKNOWN, DUE, "never tested: the clock starts"),
    ),
    entry(
        "After week 8 CBC and LFT every 3 months at least, for ever", "quarterly",
        "a file whose last phase ends is refused unless it says `allow_ending` with a reason",
        (FIRES, DUE, "cbc 2026-03-02 2026-06-10"),
        (QUIET, DUE, "cbc 2026-03-02 2026-06-09"),
        (UNKNOWN, DUE, "lft 2025-12-29 2026-01-06"),
        (FIRES, TEST, "tests/unit/test_protocol_mistakes.py::test_phases_follow_each_other_and_go_on_for_ever"),
    ),
    entry(
        "Never less often after stable years", "quarterly",
        "a longer interval is set for one patient by two people, with reason and expiry, and only "
        "where a file says `every_at_most`, which this one does not",
        (FIRES, DUE, "cbc 2026-03-02 2030-07-01"),
        (QUIET, DUE, "cbc 2026-03-02 2026-05-18"),
        (UNKNOWN, DUE, "never tested: the clock starts"),
    ),
    entry(
        "Lymphocytes below 0.5: reduce the dose; isolated lymphopenia is never ignored",
        "lymphopenia", "worded: prescriber to decide",
        *ladder("lymphopenia", "0.499 10*9/L", "0.5 10*9/L", "<0.501 10*9/L"),
        UNMEASURED,
    ),
    entry(
        "Severe cytopenia: stop at once",
        "neutropenia leucopenia thrombocytopenia anaemia lymphopenia pancytopenia",
        "the last level of each ladder is critical; haemoglobin below 80 asks for a review at once, "
        "for bleeding and haemolysis are likelier than marrow",
        *ladder("neutropenia", "0.999 10*9/L", "1 10*9/L", "<=1 10*9/L"),
        *ladder("leucopenia", "1.999 10*9/L", "2 10*9/L", "<=2 10*9/L"),
        *ladder("thrombocytopenia", "49.999 10*9/L", "50 10*9/L", "<=50 10*9/L"),
        *ladder("anaemia", "79.999 g/L", "80 g/L", ">79.999 g/L"),
        *ladder("lymphopenia", "0.199 10*9/L", "0.2 10*9/L", ">0.199 10*9/L"),
        (FIRES, SYMPTOMS, "three of three"),
        (QUIET, SYMPTOMS, "100 is not below 100"),
        (UNKNOWN, SYMPTOMS, "may be low: ask the laboratory"),
    ),
    entry(
        "Hypersensitivity (fever, myalgia, arthralgia, with nausea): stop at once",
        "hypersensitivity",
        "in the first 8 weeks after a start, resumption or increase; later a review",
        (FIRES, SYMPTOMS, "2026-01-20 rash; 2026-01-27 nausea"),
        (QUIET, SYMPTOMS, "2026-01-20 rash; 2026-01-28 vomiting"),
        (UNKNOWN, SYMPTOMS, "one half alone"),
    ),
    entry(
        "Infection under marrow suppression", "infection marrow_signs",
        "the blood count is due that day",
        (FIRES, SYMPTOMS, "2026-01-20 fever 2026-01-19 neutrophils 0.9"),
        (QUIET, SYMPTOMS, "2026-01-20 fever 2026-01-19 neutrophils 1.0"),
        (UNKNOWN, SYMPTOMS, "no count at all"),
        (FIRES, SYMPTOMS, "2026-01-20 sore_throat"),
    ),
    entry(
        "Abdominal pain with nausea or vomiting; jaundice; itching in pregnancy; contact with "
        "chickenpox or shingles",
        "pancreatitis jaundice cholestasis_of_pregnancy varicella_contact", "",
        (FIRES, SYMPTOMS, "2026-02-20 abdominal_pain; 2026-02-27 vomiting"),
        (QUIET, SYMPTOMS, "2026-02-20 abdominal_pain; 2026-02-28 vomiting"),
        (FIRES, SYMPTOMS, "2026-02-20 jaundice"),
        (FIRES, SYMPTOMS, "2026-02-01 pregnancy; 2026-11-22 itching"),
        (QUIET, SYMPTOMS, "2026-02-01 pregnancy; 2026-11-23 itching"),
        (UNKNOWN, SYMPTOMS, "no pregnancy on record"),
        (FIRES, SYMPTOMS, "2026-02-20 shingles_contact"),
    ),
    entry(
        "Mild nausea alone: advice", "nausea_alone",
        "with food, in split doses, an antiemetic for a time, a slower escalation",
        (FIRES, SYMPTOMS, "with food, in split doses"),
        (QUIET, SYMPTOMS, "2026-02-20 nausea; 2026-02-25 abdominal_pain"),
        (UNKNOWN, SYMPTOMS, "no rule of the protocol names it"),
    ),
    entry(
        "TPMT and NUDT15 before the start, not negotiable", "baseline",
        "from 2 weeks before a planned start; not available here: author, reason and expiry",
        (FIRES, DOSE, "dose=100 kg=70 tpmt= start=2026-02-02 enrolled=2026-01-05 2026-01-19"),
        (QUIET, DOSE, "dose=100 kg=70 tpmt= start=2026-02-02 enrolled=2026-01-05 2026-01-18"),
        (UNKNOWN, DOSE, "one alert for all that is missing"),
        (FIRES, DOSE, "a day less than 4 months after a transfusion"),
        (QUIET, DOSE, "4 months after it"),
        (QUIET, DOSE, "not available here, for a time"),
    ),
    entry(
        "Homozygous (poor) in either gene: contraindicated", "genotypes.poor", "while active",
        (FIRES, DOSE, "dose=100 kg=70 tpmt=poor 2026-01-05"),
        (QUIET, DOSE, "dose=75 kg=70 tpmt=intermediate 2026-01-05"),
        (UNKNOWN, DOSE, "NUDT15 not known"),
    ),
    entry(
        "Heterozygous in one gene: half or less; in both: substantially less",
        "genotypes.intermediate genotypes.both_intermediate genotypes.indeterminate "
        "genotypes.activity",
        "of the usual start of the indication; the CPIC range is shown",
        (FIRES, DOSE, "dose=100 kg=70 tpmt=intermediate 2026-01-05"),
        (QUIET, DOSE, "dose=75 kg=70 tpmt=intermediate 2026-01-05"),
        (UNKNOWN, DOSE, "dose=100 tpmt=intermediate 2026-01-05"),
        (FIRES, DOSE, "dose=100 kg=70 tpmt=intermediate nudt15=intermediate"),
        (QUIET, DOSE, "dose=75 kg=70 tpmt=intermediate nudt15=intermediate"),
        (UNKNOWN, DOSE, "dose=100 kg=70 tpmt=indeterminate 2026-01-05"),
    ),
    entry(
        "A normal genotype never relaxes the schedule", "baseline",
        "no key of the file could make it do so",
        (FIRES, TEST, "tests/spec/test_brief.py::test_no_genotype_moves_a_due_day"),
    ),
    entry(
        "Autoimmune hepatitis: 50 mg/day, then 1-2 mg/kg/day; ALT and IgG fully normal; 2 years "
        "before a withdrawal",
        "autoimmune_hepatitis alt_in_aih ast_in_aih aih_remission",
        "raised ALT is the disease: only a rise from its lowest, or a fall that did not come, speaks",
        (FIRES, LIFE, "ast 80; 2026-05-04 ast 121"),
        (QUIET, LIFE, "ast 80; 2026-05-04 ast 120"),
        (UNKNOWN, LIFE, "no value from before: could not be judged"),
        (FIRES, LIFE, "2026-06-29 igg 16.1 (7-16)"),
        (QUIET, LIFE, "2026-06-29 igg 16 (7-16)"),
        (UNKNOWN, LIFE, "IgG without an upper limit"),
        (FIRES, DOSE, AIH, "2027-12-30 stop"),
        (QUIET, DOSE, AIH, "2028-01-05 stop", "2 years"),
        (FIRES, DOSE, AIH, "after a relapse"),
    ),
    entry(
        "In autoimmune hepatitis only below a bilirubin of 6 mg/dL (103 umol/L)",
        "autoimmune_hepatitis", "both units are shown",
        (FIRES, DOSE, AIH, "103 umol/L is 6 mg/dL"),
        (QUIET, DOSE, AIH, "6.0 mg/dL is 102.6"),
        (UNKNOWN, DOSE, AIH, "no bilirubin at all"),
    ),
    entry(
        "Its escalation by week: 50 mg from week 2-3 of the steroid, 100 mg from week 5",
        "autoimmune_hepatitis",
        "the steroid's steps are a note beside the patient; no alert asks to lower a steroid",
        (FIRES, DOSE, AIH, "2026-01-19 dose 125"),
        (QUIET, DOSE, AIH, "2026-01-19 dose 100"),
        (UNKNOWN, DOSE, "dose not known"),
    ),
    entry(
        "Lupus nephritis: 2 mg/kg/day, 3-5 years at least", "lupus_nephritis", "",
        (FIRES, DOSE, "dose=175 kg=70 indication=lupus_nephritis"),
        (QUIET, DOSE, "dose=150 kg=70 indication=lupus_nephritis 2026-01-05"),
        (UNKNOWN, DOSE, "dose=100 2026-01-05"),
        (FIRES, DOSE, "2029-01-04 stop"),
        (QUIET, DOSE, "2029-01-05 stop"),
    ),
    entry(
        "Rheumatoid arthritis: start 1.0 mg/kg/day, + 0.5 mg/kg every 4 weeks, at most 2.5 mg/kg/day",
        "rheumatoid_arthritis", "doses compare to the nearest 25 mg",
        (FIRES, DOSE, RA, "dose=75 kg=100", "2026-02-01 dose 100"),
        (QUIET, DOSE, RA, "dose=75 kg=100", "2026-02-02 dose 100"),
        (FIRES, DOSE, RA, "2026-02-02 dose 150 2026-02-02"),
        (QUIET, DOSE, RA, "2026-02-02 dose 125 2026-02-02"),
        (FIRES, DOSE, RA, "dose=200 kg=70"),
        (QUIET, DOSE, RA, "dose=175 kg=70"),
        (UNKNOWN, DOSE, "dose=100 2026-01-05"),
    ),
    entry(
        "Renal transplant: 3-5 mg/kg/day, then 1-3; no toxic doses for threatened rejection",
        "renal_transplant", "",
        (FIRES, DOSE, "dose=350 kg=70 indication=renal_transplant 2026-04-05"),
        (QUIET, DOSE, "dose=350 kg=70 indication=renal_transplant 2026-04-04"),
        (UNKNOWN, DOSE, "dose=150 indication=renal_transplant"),
        (FIRES, DOSE, "dose=150 kg=70 indication=renal_transplant", "neutrophils 1.5"),
        (QUIET, DOSE, "dose=150 kg=70 indication=renal_transplant", "neutrophils 1.6"),
    ),
    entry(
        "Titrate from 50 mg after 6-8 weeks; no increase while toxicity lasts; no non-response "
        "before 12 weeks",
        "dosing", "adherence and the diagnosis first: said with the check",
        (FIRES, DOSE, "2026-02-15 dose 100 2026-02-15"),
        (QUIET, DOSE, "2026-02-16 dose 100 2026-02-16"),
        (FIRES, DOSE, "dose=50 kg=70 2026-03-02 dose 100 2026-03-01 neutrophils 1.5 2026-03-02"),
        (QUIET, DOSE, "dose=50 kg=70 2026-03-02 dose 100 2026-03-01 neutrophils 1.6 2026-03-02"),
        (UNKNOWN, DOSE, "a first known dose is no increase"),
    ),
    entry(
        "Allopurinol: life-threatening unless 25 % of the dose; febuxostat likewise",
        "allopurinol febuxostat",
        "two rules: allopurinol is answered by a documented combination with a quarter to a third; "
        "nothing answers febuxostat, and no percentage is offered",
        (FIRES, LIFE, "2026-02-02 dose 50.01"),
        (QUIET, LIFE, "2026-02-02 intended_combination Zyloric; 2026-02-02 dose 50"),
        (UNKNOWN, LIFE, "neither a dose before it nor a weight"),
        (FIRES, LIFE, "nor does a document answer it"),
        (QUIET, LIFE, "a drug without an entry"),
    ),
    entry(
        "Warfarin needs 2.5 times the dose", "warfarin",
        "no multiplier, ever: INR within 7 days of a start, dose change, hold, resumption and stop, "
        "and `check INR` on every alert that suggests reducing or stopping",
        (FIRES, LIFE, "2026-02-02 dose 100 2026-01-12 inr 2.4"),
        (QUIET, LIFE, "the same dose again is no change"),
        (UNKNOWN, LIFE, "on the day itself tells nothing yet"),
        (FIRES, LIFE, "a stop: the INR rises"),
        (FIRES, TEST, "tests/golden/test_mails.py::test_the_last_dose_stands_with_every_action_on_it_and_inr_where_warfarin_is_taken"),
    ),
    entry(
        "Other drugs with a note or further tests (facts, section 5)",
        "ace_inhibitor captopril antifolate aminosalicylate ribavirin marrow_suppressant", "",
        (FIRES, LIFE, "comedication_start captopril"),
        (QUIET, LIFE, "from before the start: restarts nothing"),
        (FIRES, LIFE, "comedication_start Bactrim 2026-03-02"),
        (FIRES, LIFE, "comedication_start ribavirin"),
        (FIRES, LIFE, "2026-03-02 comedication_start methotrexate"),
        (UNKNOWN, LIFE, "a drug without an entry"),
    ),
    entry(
        "Live vaccines contraindicated", "live_vaccine unknown_vaccine",
        "ask the prescriber: whether one may be given depends on the dose",
        (FIRES, LIFE, "2026-02-02 vaccine MMR 2026-02-02"),
        (QUIET, LIFE, "2026-02-02 vaccine Influenza"),
        (UNKNOWN, LIFE, "vaccine against something"),
    ),
    entry(
        "Pregnancy: may be continued; counsel", "pregnancy",
        "review by the specialist, with the warning of cholestasis; no letter category",
        (FIRES, LIFE, "it lasts: within 42 weeks"),
        (QUIET, LIFE, "2025-03-02 pregnancy"),
        (UNKNOWN, SYMPTOMS, "no pregnancy on record"),
    ),
    entry(
        "Breastfeeding contraindicated", "breastfeeding",
        "the sources now accept it in general: a review, never a block",
        (FIRES, LIFE, "2026-02-02 breastfeeding 2026-02-02"),
        (QUIET, LIFE, "2024-12-01 breastfeeding"),
        (UNKNOWN, LIFE, "nothing on record: nothing is asked"),
    ),
    entry(
        "Oliguria, renal failure: lower doses", "dosing.renal rising_creatinine",
        "the kidney test is due on the day of the symptom; of one creatinine the dose check speaks, "
        "and the alert of the rule is listed as muted by it",
        (FIRES, DOSE, "2026-02-01 egfr 49 2026-02-01", "dose=125 kg=70", "75 %"),
        (QUIET, DOSE, "2026-02-01 egfr 50"),
        (UNKNOWN, DOSE, "no kidney value is known"),
        (FIRES, DOSE, "2026-02-01 symptom oliguria 2026-02-01"),
        (FIRES, DOSE, "2026-02-01 symptom oliguria 2026-02-02 creatinine 300 2026-02-02"),
        (QUIET, DOSE, "2026-02-01 symptom oliguria 2025-12-29 creatinine 80; 2026-02-02"),
        (FIRES, DOSE, "creatinine 1.2 mg/dL"),
        (QUIET, DOSE, "creatinine 104"),
        (UNKNOWN, DOSE, "no baseline: nothing to compare with"),
    ),
    entry(
        "The elderly have more of every side effect", "ages",
        "the age is shown as a risk beside the patient",
        (
            FIRES, TEST,
            "tests/scenario/test_genotypes.py::test_the_age_is_shown_as_a_risk_and_the_notes_of_the_indication_beside_it",
        ),
        (UNKNOWN, BESIDE, "Age not known"),
    ),
    entry(
        "Long use: photoprotection, adherence at every visit, the risk of lymphoma",
        "malignancy_signs skin_check photoprotection adherence quarterly",
        "asked in one line with the quarterly test; yearly tasks are one line of the digest, and "
        "climb no ladder",
        (FIRES, SYMPTOMS, "2026-02-20 lymph_nodes"),
        (QUIET, SYMPTOMS, "2026-02-20 headache"),
        (FIRES, LIFE, "three tasks, one line"),
        (QUIET, LIFE, "a day before the year is over"),
        (UNKNOWN, LIFE, "counted from the enrolment: no flood"),
        (
            FIRES, TEST,
            "tests/scenario/test_genotypes.py::test_what_is_asked_with_the_quarterly_test_is_one_line",
        ),
    ),
    entry(
        "No failure before adherence is checked; no early withdrawal",
        "dosing aih_remission", "texts of the dose checks, the target and the stop",
        (FIRES, TEST, "tests/spec/test_brief.py::test_the_texts_that_the_brief_asks_for"),
    ),
    entry(
        "Budesonide in autoimmune hepatitis, never in cirrhosis", "budesonide", "",
        (FIRES, LIFE, "autoimmune_hepatitis 2026-03-02 comedication_start Budenofalk"),
        (QUIET, LIFE, "crohns_disease 2026-03-02 comedication_start Budenofalk"),
        (UNKNOWN, LIFE, "a drug without an entry"),
    ),
    entry(
        "No increase of malignancy in bowel disease; young people of one descent", "never",
        "contradicted by the sources, and refused: never shown, and no rule by descent",
        (
            FIRES, TEST,
            "tests/unit/test_library.py::test_no_file_has_a_rule_by_descent_nor_promises_no_cancer",
        ),
    ),
    entry(
        "Two thiopurines at once (not in the brief)", "two_thiopurines same_drug_twice",
        "critical; changing one for the other is a stop and a start",
        (FIRES, LIFE, "100 2026-02-02 comedication_start mercaptopurine 2026-02-02"),
        (QUIET, LIFE, "changed: a stop and a start"),
        (UNKNOWN, LIFE, "the same drug under a brand name"),
    ),
    entry(
        "Beside the brief: what the facts add",
        "raised_alt raised_ast macrocytosis eosinophilia low_albumin raised_bilirubin high_tgn "
        "high_mmp falling_neutrophils falling_white_cells falling_platelets drifting_platelets "
        "missed",
        "liver, trends, metabolites, tests missed in a row",
        *ladder("raised_alt", "100.001 U/L", "100 U/L", ">=100 U/L"),
        (FIRES, EPISODES, "11.8 %, 13.3 %, 11.5 %"),
        (QUIET, EPISODES, "the first fall is 10 %"),
        (UNKNOWN, EPISODES, "censored: breaks the row"),
        (FIRES, BESIDE, "more than 30 % below the baseline, twice"),
        (QUIET, BESIDE, "30 % exactly"),
        (UNKNOWN, BESIDE, "no baseline by that method"),
        (FIRES, LIFE, "the third is missed"),
        (QUIET, LIFE, "the third in its grace"),
    ),
)  # fmt: skip
