"""Mails in German, word for word, and no sentence of ours that the catalogue does not know.

After a wanted change: MONITOR_WRITE_GOLDEN=1 make test, then read the difference. A new
sentence of the program fails here until `locale/de/LC_MESSAGES/monitor.po` has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po

from monitor.core.answer import Review
from monitor.core.calendar import start_of_day
from monitor.core.changes import ChangeWhat
from monitor.core.ending import CLOSING_REASONS
from monitor.core.examples import _Patient
from monitor.core.findings import protocol_says, sentence
from monitor.core.review import review
from monitor.core.toml_reader import Report
from monitor.core.vocabulary import Kind
from monitor.delivery.language import language, languages, translated
from monitor.delivery.words import HEADLINES, PURPOSE, SUBJECT_ACTIONS, WHAT
from monitor.operations.feed_watch import Feed
from monitor.operations.shifted_values import Shift
from monitor.operations.stuck import Stuck
from monitor.resources import locale_folder, templates_folder
from tests.golden.mail_samples import all_mails, settings
from tests.property.shipped import SHIPPED, catalogue, protocol

FOLDER = Path(__file__).parent / "mails_de"
GERMAN = language("de")
MAILS = all_mails("de")
OTHERS = [code for code in languages() if code != "en"]


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_reads_as_agreed_in_german(name: str) -> None:
    mail, path = MAILS[name], FOLDER / f"{name}.txt"
    text = f"Subject: {mail.subject}\n\n{mail.text}"
    if os.environ.get("MONITOR_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert '<html lang="de">' in mail.html


def test_a_figure_is_read_out_in_german() -> None:
    """Its numbers had English days, and `below the limit` behind them."""
    (said,) = re.findall(r'alt="([^"]*)"', MAILS["alert_full"].html)
    assert said == (
        "Neutrophile in ×10⁹/L, untere Grenze 0,5 ×10⁹/L: 16. März 2026 3,1; 23. März 2026 2,6 "
        "(berechnet); 30. März 2026 geronnen; 7. Apr. 2026 2,1; 20. Apr. 2026 1,7; 4. Mai 2026 "
        "1,2; 12. Mai 2026 0,4 (unter der Grenze)"
    )
    (said,) = re.findall(r'alt="([^"]*)"', MAILS["alerts_many"].html)
    assert said.endswith("24. Apr. 2026 262 (über der Grenze); 5. Mai 2026 96")


@pytest.mark.parametrize("code", OTHERS)
def test_every_word_of_the_templates_is_in_the_catalogue(code: str) -> None:
    speak = language(code)
    spoken = set()
    for path in templates_folder().glob("email/**/*"):
        if path.is_file():
            spoken |= set(re.findall(r'_\("([^"]+)"\)', path.read_text(encoding="utf-8")))
            for one, many in re.findall(
                r'counted\([^"()]*(?:\|length)?, "([^"]+)", "([^"]+)"\)',
                path.read_text(encoding="utf-8"),
            ):
                spoken |= {one, many}
    assert len(spoken) >= 50
    assert [text for text in sorted(spoken) if not speak.knows(text)] == []


@pytest.mark.parametrize("code", OTHERS)
def test_every_kind_and_change_has_its_words(code: str) -> None:
    speak = language(code)
    words = [*HEADLINES.values(), *SUBJECT_ACTIONS.values(), *WHAT.values(), PURPOSE]
    words += [it.lower() for it in WHAT.values()]
    assert len(words) > 2 * len(Kind) + len(ChangeWhat)
    assert [text for text in words if not speak.knows(text)] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_keeps_every_placeholder(code: str) -> None:
    path = locale_folder() / code / "LC_MESSAGES" / "monitor.po"
    with path.open("rb") as stream:
        messages = {str(it.id): str(it.string) for it in read_po(stream) if it.id}
    places = re.compile(r"\{\w+\}")
    assert len(messages) > 200
    for english, other in messages.items():
        assert other, english
        assert set(places.findall(english)) == set(places.findall(other)), english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Tue 12 May 2026, 08:30 (today)", "Di 12. Mai 2026, 08:30 (heute)"),
        ("20 % below the limit", "20 % unter der Grenze"),
        ("2.5 times the limit", "2,5 Mal die Grenze"),
        (
            "Neutrophils 0.4 10*9/L on 12 May 2026: below 0.5 10*9/L",
            "Neutrophile 0,4 10*9/L am 12. Mai 2026: unter 0,5 10*9/L",
        ),
        (
            "ALT: the value is not shown here. Review: prescriber to decide",
            (
                "ALT: der Wert wird hier nicht gezeigt. "
                "Überprüfung: die verschreibende Person entscheidet"
            ),
        ),
        (
            (
                "Baseline incomplete (first dose 1 Jan 2026): Liver function tests: none from 9 "
                "Oct 2025 on. Baseline missing: before the first dose"
            ),
            (
                "Ausgangswerte unvollständig (erste Dosis 1. Jan. 2026): Leberwerte: kein "
                "Resultat ab 9. Okt. 2025. Ausgangswerte fehlen: vor der ersten Dosis"
            ),
        ),
        ("Neutrophils <0.5 10*9/L", "Neutrophile <0,5 10*9/L"),
        ("CBC weekly to week 8, then CBC and LFT", "CBC weekly to week 8, then CBC and LFT"),
        ("what a site wrote on 3 May 2026: 1.25", "what a site wrote on 3. Mai 2026: 1,25"),
        ("version 2026-11, CTCAE v5.0.1", "version 2026-11, CTCAE v5.0.1"),
        ("10*9/L", "10*9/L"),
        ("", ""),
    ],
)
def test_sentences_days_and_numbers(english: str, german: str) -> None:
    assert GERMAN.say(english) == german
    assert language("en").say(english) == english


def test_a_region_takes_its_language_and_an_unknown_language_english() -> None:
    assert language("de-CH").say("Neutrophils") == "Neutrophile"
    assert language("fi").say("Neutrophils") == "Neutrophils"


@pytest.mark.parametrize("month", range(1, 13))
def test_no_month_is_left_in_english(month: int) -> None:
    text = f"{date(2026, month, 3):%a} 3 {date(2026, month, 3):%b} 2026"
    said = GERMAN.say(text)
    assert said != text
    assert said.endswith(" 2026")
    assert re.fullmatch(r"(Mo|Di|Mi|Do|Fr|Sa|So) 3\. \S+ 2026", said)


def test_what_identifies_a_patient_is_never_translated() -> None:
    from tests.golden.mail_samples import ANNA

    person: Any = translated(ANNA, GERMAN, frozenset({"mrn", "name", "initials"}))
    assert (person.mrn, person.name) == (ANNA.mrn, ANNA.name)


def answers() -> Iterator[tuple[str, Review]]:
    """Every worked example of every shipped protocol, judged at the end of its day."""
    zone = ZoneInfo("UTC")
    for name in SHIPPED:
        rules = protocol(name)
        for place, example in enumerate(rules.examples):
            made = _Patient(place, example, rules, catalogue(), zone, Report(name)).case()
            now = start_of_day(example.today, zone) + timedelta(hours=23)
            yield name, review([made], {rules.id: rules}, catalogue(), now, zone)[0]


def sentences() -> set[str]:
    """What the shipped protocols and the core say of those examples, sentence by sentence."""
    said: set[str] = set()
    for _, answer in answers():
        said |= {it.why for it in answer.unjudged}
        for found in answer.findings:
            said |= {found.summary, found.action, found.limit_text, found.news, *found.say}
    return said - {""}


SENTENCES = sentences()


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_about_every_worked_example_is_known(code: str) -> None:
    speak = language(code)
    assert len(SENTENCES) > 200
    assert [text for text in sorted(SENTENCES) if not speak.knows(text)] == []


ENGLISH = re.compile(
    r"\b(the|of|with|and|is|since|until|on|for|above|below|not|no|by|more|than|was|are|from|to|"
    r"every|at|most|known|before|after|last|due|list|weeks?|months?|days?|test|dose)\b"
)


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_of_a_sentence_about_a_worked_example_is_left_in_english(code: str) -> None:
    """A placeholder may hold anything: a sentence can be known, and half of it untranslated."""
    speak = language(code)
    assert [text for text in sorted(SENTENCES) if ENGLISH.search(speak.say(text))] == []


def texts_of_protocols() -> set[str]:
    """What the shipped files say, whether a worked example has come to it or not."""
    titles = {it.title for it in catalogue().analytes.values()}
    said: set[str] = set()
    for name in SHIPPED:
        rules = protocol(name)
        titles |= {it.title for it in rules.panels}
        titles |= {it.title for it in rules.interactions}
        titles |= {it.title for it in rules.symptoms}
        titles |= {it.title for it in rules.targets}
        titles |= {it.title for it in rules.combinations}
        titles |= {it.title for it in rules.tasks}
        titles |= {it.ask for phase in rules.phases for it in phase.panels}
        titles |= {protocol_says(it.say) for it in rules.interactions}
        titles |= {protocol_says(it.say) for it in rules.targets}
        titles |= {protocol_says(rules.missed.say)} if rules.missed else set()
        said |= {level.say for rule in rules.rules for level in rule.levels}
        said |= {text for it in rules.symptoms for level in it.levels for text in level.say}
        said |= {level.say for it in rules.combinations for level in it.levels}
        said |= {it.note for it in rules.interactions}
        said |= {it.intended.say for it in rules.interactions if it.intended}
        said |= {it.say for it in rules.tasks}
        genes = rules.genotypes
        said |= {it.say for it in (genes.poor, genes.intermediate, genes.both_intermediate)}
        said |= {genes.indeterminate.tpmt, genes.indeterminate.nudt15, genes.activity.say}
        if rules.dosing is not None:
            for _, it in (("", rules.dosing.general), *rules.dosing.indications):
                said |= {it.toxicity_say, it.withdraw_say}
    return (titles | {sentence(text) for text in said}) - {""}


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_a_shipped_file_is_known(code: str) -> None:
    speak = language(code)
    texts = texts_of_protocols()
    assert len(texts) > 140
    assert [text for text in sorted(texts) if not speak.knows(text)] == []


@pytest.mark.parametrize(
    "line",
    [
        (
            "Liver function tests seriously overdue: was due 12 Oct 2026 (last 12 Jul 2026). Tests "
            "are not in date: prescriber to decide on further supply"
        ),
        (
            "Liver function tests overdue: was due 23 Nov 2026 (last 21 Nov 2026). Held since 22 "
            "Nov 2026 (infection), to be reviewed on 5 Dec 2026"
        ),
        (
            "Liver function tests overdue: was due 25 Nov 2026 (last 18 Nov 2026). Feed suspected: "
            "nothing has come from north since 24 Nov 2026; the test may have been done"
        ),
        "raised alt, result of 11 May 2026: no upper reference limit came with it",
        "rising creatinine, result of 11 May 2026: no baseline value is known",
        (
            "rising creatinine, result of 11 May 2026: no earlier value within 12 months to "
            "compare with"
        ),
        "alt in aih, result of 11 May 2026: no baseline value from before that time is known",
        (
            "no lab results arrive: No results file has been taken in since 24 Nov 2026, longer "
            "than the 3 days that [intake] feed_silence_alarm allows. Is the laboratory's feed "
            "still running? Until it does, nobody's counts are watched."
        ),
    ],
)
def test_nothing_of_a_line_of_the_digest_is_left_in_english(line: str) -> None:
    """Its last sentence has no full stop; a notice stands under its topic."""
    assert not ENGLISH.search(GERMAN.say(line))


def test_two_tests_that_are_overdue_together_are_two_sentences() -> None:
    """The bracket of the first swallowed the second: half of each German digest was English."""
    said = GERMAN.say(
        "Complete blood count with differential seriously overdue: was due 9 Feb 2026 (last 2 Feb "
        "2026); Liver function tests overdue: was due 5 Apr 2026 (none on record)"
    )
    assert said == (
        "Blutbild mit Differentialblutbild stark überfällig: war fällig am 9. Feb. 2026 (zuletzt "
        "am 2. Feb. 2026); Leberwerte überfällig: war fällig am 5. Apr. 2026 (keine bekannt)"
    )


def test_no_sentence_ends_twice() -> None:
    """`is it meant?. Prescriber to decide.`, where a protocol file asks a question."""
    asked = {protocol_says(text) for text in ("is it meant?", "check INR", "check INR.")}
    assert asked == {
        "Protocol: is it meant? Prescriber to decide.",
        "Protocol: check INR. Prescriber to decide.",
    }
    assert [text for text in sorted(SENTENCES) if re.search(r"[.?!][.?!]", text)] == []


SAID_BESIDE = (
    "Held since 2 Apr 2026.",
    "Held since 2 Apr 2026 (infection), to be reviewed on 1 May 2026.",
    "Held since 2 Apr 2026 (infection), to be reviewed by 1 May 2026: resume, stop or hold on?",
    "Away until 30 Jun 2026: the test can still be done elsewhere.",
    "In hospital until 9 Aug 2026: ask the ward for its results, or for the test.",
    "Declined on 25 May 2026 (moved): ask again, and tell the prescriber.",
    "Supply ran out on 7 Dec 2026: still taking it?",
    "Transfer to Dr Gray on 2 Apr 2026 is not accepted yet: the patient is still ours.",
    "a correction made it milder; before: beyond the limit of 0.5 10*9/L",
    "it was taken back, and stands after all",
    "a correction made it worse; before: beyond the limit of 1 10*9/L",
    "a correction made it worse; before: urgent, withhold; the patient's number is now 2, it was 1",
    "the acknowledgement has run out; a correction made it milder; before: critical, discontinue",
    "the snooze has run out; a correction made it milder; before: beyond the limit of 0.5 10*9/L",
    "Start not confirmed: was it started? The test is to be repeated either way.",
    "a correction took its cause away: it is 3.9 10*9/L now",
    "it was over before the enrolment, as what came in later shows",
    "what came in later took its cause away",
    "Repeat the test by 19 May 2026 at the latest.",
    "The test was to be repeated by 19 May 2026 at the latest: test now.",
    "Oliguria on 1 Jun 2026; Creatinine 200 umol/L on 2 Jun 2026 has nothing to be compared with",
    "Complete blood count with differential of 1 Jun 2026 gave no result (clotted)",
    (
        "Recall the patient for a new sample: Complete blood count with differential. The test "
        "stays due."
    ),
    "Outside the ages of the protocol (15 years old): it is for those of 16 years and over.",
    (
        "Doubt: the counts of its parts add up to 5.5, more than the white cells 2.1: check values "
        "and units with the laboratory."
    ),
    'TPMT poor metaboliser (laboratory "*3A/*3A", 9 Jun 2026)',
    "NUDT15 poor metaboliser (enrolment, 15 Feb 2026)",
    "NUDT15 indeterminate (event genotype, 24 May 2026): not normal",
    "Protocol: azathioprine is contraindicated. Prescriber to decide.",
    "Consider a drug that is not a thiopurine; specialist to advise.",
    "Pregnancy, recorded for 28 May 2026, with azathioprine",
    "Live vaccine: yellow fever, MMR, recorded for 25 Jul 2026, with mercaptopurine",
    "Vaccine of unknown kind: xyz, recorded for 14 Aug 2026, with azathioprine",
    "Infection, or marrow suppression: chills, infection on 19 Nov 2026",
    "Sign of a low blood count: sore throat on 6 Jun 2026",
    "Sign that lymphoma or skin cancer must be excluded: lymph nodes on 30 Jun 2026",
    "Possible hypersensitivity: vomiting on 26 Sep 2026, myalgia on 27 Sep 2026",
    "Possible pancreatitis: abdominal pain, nausea on 26 Sep 2026",
    "Itching in pregnancy: itching on 2 Apr 2026",
    "Two thiopurines at once: mercaptopurine enrolled on since 3 Sep 2026 with azathioprine",
    (
        "Allopurinol beside a thiopurine: allopurinol 100 mg (allopurinol) on the list since 1 Feb "
        "2026 until 10 Feb 2026 with azathioprine"
    ),
    "INR by 4 Feb 2027 (warfarin on the list: hold of azathioprine on 28 Jan 2027).",
    "eGFR 49 mL/min/{1.73_m2} on 21 Aug 2026: at most 75 % of the usual dose, 2 mg/kg/day",
    "Increase to 150 mg/day on 10 Jun 2026 while an alert stands",
    "azathioprine stopped on 8 Nov 2026, before 2 years of treatment, 21 Oct 2028",
    (
        "Prednisolone 20 mg/day on 9 Dec 2026, 4 weeks before none: steroids raise neutrophils and "
        "white cells, and lower lymphocytes and eosinophils."
    ),
    "Not begun yet: resolve before the first dose.",
    "Increase to 125 mg/day on 2 Feb 2026 is too large a step",
    "250 mg/day is above the most from 3 months on, 3 mg/kg/day x 70 kg = 210 mg/day",
    (
        "Complete blood count with differential by 17 Feb 2026 (captopril on the list: every 2 "
        "weeks for 3 months)."
    ),
    (
        "ALT and IgG normal in autoimmune hepatitis: not reached, azathioprine since 5 Jan 2026; "
        "ALT 51 U/L on 5 Jul 2026: above the protocol's upper limit, 50 U/L, since 5 Jul 2026"
    ),
    "6-TGN (red cell) 451 pmol/(8.10*8{RBC}) on 2 Mar 2026: above 450 pmol/(8.10*8{RBC})",
    (
        "Personal limit on neutropenia, level 1: 2.9 ended on 15 Dec 2026: the protocol's own "
        "applies again"
    ),
    (
        "Liver function tests: methotrexate set the date, 29 Sep 2026; azathioprine asks for it by "
        "5 Dec 2026."
    ),
    (
        "Complete blood count with differential: azathioprine (stopped) set the date, 21 Jan 2026; "
        "azathioprine (stopped) asks for it by 22 Jan 2026; methotrexate asks for it by 5 Dec 2026."
    ),
)
"""What is said of patients whom no worked example has."""


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("text", SAID_BESIDE)
def test_what_is_said_beside_the_worked_examples_is_known(code: str, text: str) -> None:
    speak = language(code)
    assert speak.knows(text)
    said = speak.say(text)
    assert not re.search(r"\b(the|of|on|since|with|until)\b", said), said


@pytest.mark.parametrize("code", OTHERS)
def test_no_day_of_them_is_ambiguous_and_no_english_month_is_left(code: str) -> None:
    speak = language(code)
    assert code == "de", "say what is never English in the new language"
    for text in sorted(SENTENCES):
        said = speak.say(text)
        assert not re.search(r"\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b", said), said
        assert not re.search(r"\b\d{1,2} (Jan|Feb|Mar|May|Jun|Jul|Oct|Dec) \d{4}", said), said
        assert not re.search(r"\{\w+\}", said.replace("{RBC}", "")), said


REASONS = (
    "told to tier 2",
    "told to the last resort",
    "told again",
    "none within 4 hours of the acknowledgement, told to tier 2",
    "none within 4 hours of the acknowledgement, told to the last resort",
    "nurse@hill.example did not take the message",
    "the graver alert no longer speaks",
    "one episode with alert 3",
    "two numbers that were taken for one patient are not",
    "still due",
    "the protocol now asks for: withhold",
    "a further limit is met",
    "urgent now, routine before",
    "protocol edited",
    "died",
    "transfer accepted",
    "the episode goes on again after it was closed as recovered",
    "its review day has come and the episode goes on",
    "the patient's number is now 2, it was 1",
    "the patient's number was 2 and is now 1",
    "told with the alert of azathioprine, which set the date",
    "the enrolment was taken back",
    "corrected, or told by another alert",
    "the entry no longer stands",
    "another result is held: platelets of 27 Jan 2026",
    "the dose was raised on 27 Jan 2026",
    *CLOSING_REASONS.values(),
)
ALARMS = (
    "address refused: nurse@hill.example",
    "mail came back: nurse@hill.example",
    "mail delayed: nurse@hill.example",
    "messages to mail do not go out",
    "messages to webhook:pager do not go out",
    "Mails to others go out: ask whoever reads these.",
    "a mail nobody reads",
    "a mail could not be laid out",
    "no lab results arrive",
    "rows wait in quarantine",
    "backup",
    "downtime",
    "pages",
    "settings",
    "clock",
    (
        "The clock of this machine was set back from 3 Mar 2026, 10:00 to 3 Mar 2026, 07:00. Was "
        "it right before, or is it now? See: monitor health"
    ),
    "little room",
    (
        "Only 150 MiB are free where the database is: make room. Once there is none nothing is "
        "taken in, nobody is reviewed and nobody is told"
    ),
    (
        "The database had been brought to 1 May 2031, 12:00, which had not come yet, and was "
        "brought back to 10 Mar 2026, 13:00. Everyone is reviewed anew: what was told for then and "
        "has no cause today is closed, and whoever was told hears of it"
    ),
    (
        "the monitor runs without what its config names: [mail] password_env: RELAY is not set; "
        "[[relays]] 1 password_file: relay.txt cannot be read, or is empty"
    ),
    "the config was edited",
    (
        "config.toml was edited ([routes], [recipients]), and what it said at the start is in "
        "force: start `monitor run` anew"
    ),
    (
        "what config.toml said at the start is in force, and it is no config any more, so the next "
        "start would end at once: config.toml, line 3: routes[1].too: not a known key"
    ),
    "bounces",
    "the folder of bounces: No such file or directory",
    "the mailbox of bounces, imap.hill.example: there is no such mailbox",
    "the inbox cannot be read",
    (
        "The inbox /srv/clinic/inbox cannot be read (No such file or directory): what the "
        "laboratory puts there is not taken in"
    ),
    "the inbox cannot be emptied",
    (
        "What was taken in cannot be moved out of the inbox: /srv/clinic/inbox/done cannot be "
        "written (Not a directory). It stays there and is read again and again"
    ),
    "results are ignored",
    (
        '"GRANX" of north is ignored, and is Neutrophils, by which patients are watched: monitor '
        'quarantine unfix 3 --by WHO; "PLTX" of no source is ignored, and is Platelets, by which '
        "patients are watched: monitor quarantine unfix 4 --by WHO"
    ),
    "files in the inbox are passed over",
    (
        "In the inbox lies what is never taken in: norht. A folder has to bear the name of a "
        "source of the config ([sources.NAME]), and links are not followed: move the files"
    ),
    (
        "The other side refused webhook:pager for good: 410 Gone. This message goes to "
        "doctor@hill.example now, and the address is used again next time. Correct it in "
        "[[routes]] or [recipients]."
    ),
    (
        "Message 3 (critical) to nurse@hill.example has not arrived yet, says a mail system on its "
        "way: 4.4.1. Nobody there may have read it: telephone."
    ),
    "Mail is not going out, and will not by itself: 535 wrong password. See [mail] in the config.",
    "Messages to queue:ehr do not go out, and will not by themselves: disk full.",
    "there has never been a backup; make one: monitor backup FILE",
    "the latest backup is of 3 Mar 2026, 10:00; make one: monitor backup FILE",
    (
        "The monitor did not run from 2 Mar 2026, 18:00 to 3 Mar 2026, 07:00 (13 hours). What came "
        "due meanwhile is told now, late. Files wait in the inbox; ask the laboratory to send "
        "again messages that it no longer keeps. If the monitor did run, the clock of this "
        "machine is wrong."
    ),
    (
        "No results file has been taken in since 1 Mar 2026, longer than the 3 days that [intake] "
        "feed_silence_alarm allows. Is the laboratory's feed still running? Until it does, "
        "nobody's counts are watched."
    ),
    (
        "4 rows of lab files wait in quarantine, the oldest since 1 Mar 2026, longer than the 7 "
        "days that [intake] held_alarm allows (1 unit, 3 unknown code). What is held is judged by "
        "nobody; see: monitor quarantine list"
    ),
)


def _of_a_feed(source: str, at: datetime) -> list[str]:
    """Every topic and text of a feed that does nothing as it did."""
    shift = Shift("platelets", 1, (7,), ("monday.csv",), (1, 2), (1,))
    feed = Feed(
        source, at, (), is_learned=True, next=None, missed=(at,), vanished=(("alt", at),),
        shifts=(shift,), newly_overdue=3, overdue_at_once=3,
    )  # fmt: skip
    return [text for alarm in feed.alarms() for text in alarm]


@pytest.mark.parametrize("code", OTHERS)
def test_every_reason_and_every_alarm_to_the_operator_is_known(code: str) -> None:
    speak = language(code)
    since = datetime(2026, 3, 3, 10, tzinfo=UTC)
    waits = [
        Stuck("mail", count, critical, since, error).says(settings("minimal"))
        for count, critical, error in [(1, 0, ""), (1, 1, "450"), (7, 0, "450"), (7, 2, "")]
    ]
    said = [*REASONS, *ALARMS, *waits, *_of_a_feed("north", since), *_of_a_feed("", since)]
    assert [text for text in said if not speak.knows(text)] == []


def test_a_sentence_that_nobody_translated_is_noticed() -> None:
    assert not GERMAN.knows("Neutrophils went out for a walk.")
    assert not GERMAN.knows("Same-day clinical assessment. And one more sentence.")
    assert not GERMAN.knows("Neutrophils went out on 11 Mar 2026")
    assert not GERMAN.knows("Protocol: take a walk. Prescriber to decide.")


def test_a_task_that_was_done_before_is_due_again_in_german() -> None:
    text = "Due: Skin check since 11 Mar 2027 (last 11 Mar 2026)"
    assert GERMAN.say(text) == "Fällig: Hautkontrolle seit 11. März 2027 (zuletzt am 11. März 2026)"
    assert GERMAN.knows(text)


OF_A_SITE = {
    "Lithium 1.60 mmol/L on 11 Mar 2026: above 1.5 mmol/L":
        "Lithium 1,60 mmol/L am 11. März 2026: über 1,5 mmol/L",
    "339 mg/mmol on Fri 13 Mar 2026, 09:00 (today)":
        "339 mg/mmol am Fr 13. März 2026, 09:00 (heute)",
    "Schwangerschaft unter Valproat, recorded for 11 Mar 2026, with valproate":
        "Schwangerschaft unter Valproat, erfasst für den 11. März 2026, mit valproate",
    "NSAR bei Lithium: nurofen 400 mg (ibuprofen) on the list since 10 Mar 2026 with lithium":
        "NSAR bei Lithium: nurofen 400 mg (ibuprofen) auf der Liste seit 10. März 2026 mit lithium",
    "Protocol: Spiegel innert einer Woche. Prescriber to decide.":
        "Protokoll: Spiegel innert einer Woche. Die verschreibende Person entscheidet.",
    "infekt, level 1": "infekt, Stufe 1",
    "Due: Augenkontrolle since 11 Mar 2027 (last 11 Mar 2026); EKG since 5 Jan 2027 (never "
    "recorded)": "Fällig: Augenkontrolle seit 11. März 2027 (zuletzt am 11. März 2026); EKG seit "
        "5. Jan. 2027 (nie erfasst)",
    "TSH by 16 Mar 2026 (ibuprofen on the list: every 1 week).":
        "TSH bis 16. März 2026 (ibuprofen auf der Liste: im Abstand von 1 Woche).",
    "Recall the patient for a new sample: TSH. The test stays due.":
        "Für eine neue Probe aufbieten: TSH. Die Kontrolle bleibt fällig.",
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), OF_A_SITE.items())
def test_our_words_around_those_of_a_site_are_translated(text: str, said: str) -> None:
    """A protocol of the site's own, for another drug or in its own language, has titles and
    analytes that no catalogue knows: "Lithium 1,60 mmol/L on 11. März 2026"."""
    assert GERMAN.say(text) == said
