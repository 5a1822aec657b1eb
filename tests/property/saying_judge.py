"""Whether mails say what is true: read from their text by hand, beside what was true when they went
out. None of the program's wording is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import ROUND_FLOOR, Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from tests.property.saying_world import NOTE, PEOPLE, READERS, Sent

ANALYTES = {
    "Haemoglobin": "hemoglobin",
    "White cells": "white_cells",
    "Neutrophils": "neutrophils",
    "Lymphocytes": "lymphocytes",
    "Platelets": "platelets",
}
UNFINISHED = re.compile(
    r"\{\w+\}|\bNone\b|\bnan\b|\b1 (?:days|alerts|results|patients|rows|tests|Tage|Meldungen)\b"
    r"|\b(?:[2-9]|\d\d+) (?:day|alert|result|row|test|Tag|Meldung)\b|\b0 days\b|\bin 0 |-\d+ days"
    r"|\.\.|,,|\(\)|Decimal\(|datetime\."
)
TWICE = re.compile(r"\b([A-Za-zäöü]{3,}) \1\b")
CELLS = re.compile(r"fällig fällig")
"""Two cells of a table, one beside the other."""
DAY = r"[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2} \d{4}"
WHEN = rf"{DAY}(?:, \d\d:\d\d)?"
HEAD = re.compile(
    rf"^(?P<name>[A-Z][\w ]+?) (?P<value>\d[\d.]*) \S+, (?P<when>{WHEN}) \((?P<age>[^)]+)\)\n"
    r"(?:(?P<far>\d+) % (?P<side>below|above) the limit, (?P<limit>[\d.]+))?",
    re.MULTILINE,
)
TABLE = re.compile(
    r"^(?P<name>[A-Z][\w ]+), \S+: last values.*\n(?P<rows>(?:  .*\n)+)", re.MULTILINE
)
ROW = re.compile(rf"^  (?P<when>{WHEN}) +(?P<value>\S+)", re.MULTILINE)
DOSE = re.compile(r"Last dose on record: (?P<mg>[\d.]+) mg/day since (?P<day>\d+ \w+ \d{4})")
PANEL = re.compile(
    rf"(?:(?P<days>\d+) days? overdue[^;,]*|due today|due in (?P<ahead>\d+) days?|due)[;,]"
    rf"(?: seriously[;,])? (?P<was>was|is) due (?P<due>{DAY})"
)
LINE = re.compile(r"^- MRN (?P<mrn>[^\s,:]+).*?(?: \[(?P<ids>[\d, ]+)\])?$", re.MULTILINE)


def faults(sent: list[Sent], zone: ZoneInfo) -> Iterator[str]:
    """What is not so, each with its mail."""
    for it in sent:
        for fault in _of_mail(it, zone):
            yield f"{it.at.astimezone(zone):%d %b %H:%M} {it.mail['Subject']} to {it.to}: {fault}"
    yield from _of_languages(sent)


def text_of(it: Sent) -> str:
    body = it.mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r", "")


def _html_of(it: Sent) -> str:
    body = it.mail.get_body(("html",))
    assert body is not None
    reader = _Words()
    reader.feed(str(body.get_content()))
    return " ".join("".join(reader.words).split())


class _Words(HTMLParser):
    """What is read of an HTML page, figures by what stands for them."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"style", "title"}
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "title"}
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _numbers(text: str) -> Counter[str]:
    text = re.sub(r"×10[⁰¹²³⁴⁵⁶⁷⁸⁹]+", "10*9", text)
    return Counter(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", ".", text)))


def _of_mail(it: Sent, zone: ZoneInfo) -> Iterator[str]:
    text, html = text_of(it), _html_of(it)
    for part in (" ".join(text.split()), html, str(it.mail["Subject"])):
        for found in (UNFINISHED.search(part), TWICE.search(CELLS.sub("", part))):
            if found:
                yield f"unfinished: {part[max(0, found.start() - 40) : found.end() + 20]}"
    if set(_numbers(text)) ^ set(_numbers(html)):
        yield f"halves differ: {set(_numbers(text)) ^ set(_numbers(html))}"
    privacy, locale = READERS.get(it.to, ("full", "en"))
    if privacy == "minimal":
        yield from _named(it.mail.as_string() + text + html)
    if privacy == "full" and locale == "en":
        yield from _untrue(it, text.split("\n-- \n")[0], zone)


def _named(whole: str) -> Iterator[str]:
    names = {name for family, given, _ in PEOPLE for name in (family, given)}
    yield from (f"names {name}" for name in sorted(names) if name in whole)
    if NOTE.split()[0] in whole:
        yield "shows a note"


def _untrue(it: Sent, body: str, zone: ZoneInfo) -> Iterator[str]:
    if body.startswith("DIGEST"):
        yield from _of_digest(it, body)
        return
    withdrawn = "You were told:" in body
    for card in re.split(r"\n={20,}\n|\n\n(?=MRN )", body):
        whose = re.search(r"^MRN ([^\s,:]+)(?:  (.*?))?(?:, born (.*))?$", card, re.MULTILINE)
        if whose is None or whose[1] not in it.values:
            continue
        if whose[1] in it.dead:
            yield f"speaks of {whose[1]}, who is dead"
        family, given, born = PEOPLE[int(whose[1][1:]) - 1]
        if (whose[2], whose[3]) != (f"{family}, {given}", born and f"{born.day} {born:%b %Y}"):
            yield f"names {whose[0]}"
        if not withdrawn:
            yield from _of_card(it, whose[1], card, zone)


def _of_card(it: Sent, mrn: str, card: str, zone: ZoneInfo) -> Iterator[str]:
    today = it.at.astimezone(zone).date()
    flat = " ".join(card.split())
    yield from _of_days(flat, today)
    if "Closed since" in card:
        return  # it says what was so then
    yield from _of_value(it, mrn, card, zone)
    yield from _of_table(it, mrn, card, zone)
    dose = DOSE.search(flat)
    if dose:
        mg, since = it.doses[mrn]
        if (Decimal(dose["mg"]), _day(dose["day"])) != (mg, since):
            yield f"{dose[0]!r}, and it is {mg} since {since}"
    for panel in PANEL.finditer(flat):
        due = _day(panel["due"].partition(" ")[2])
        if str(due) not in {row["due_on"] for row in it.status if row["mrn"] == mrn}:
            yield f"{panel[0]!r} is due on another day"


def _of_days(flat: str, today: date) -> Iterator[str]:
    if "Closed since" in flat:
        today = _day(re.findall(r"Closed since, on \w+ (\d+ \w+ \d+)", flat)[0])
    for panel in PANEL.finditer(flat):
        late = (today - _day(panel["due"].partition(" ")[2])).days
        if int(panel["days"] or late) != late or int(panel["ahead"] or -late) != -late:
            yield f"{panel[0]!r} is {late} days late"


def _of_value(it: Sent, mrn: str, card: str, zone: ZoneInfo) -> Iterator[str]:
    today = it.at.astimezone(zone).date()
    for head in HEAD.finditer(card):
        name, at = ANALYTES.get(head["name"], ""), _instant(head["when"], zone)
        value = Decimal(head["value"])
        if name and (name, at, value) not in _known(it, mrn, zone):
            yield f"{head[0]!r} is no result"
        if head["age"] != _age(at.date(), today):
            yield f"{head['age']!r} is {_age(at.date(), today)}"
        if head["far"] and int(head["far"]) != _far(value, Decimal(head["limit"])):
            yield f"{head[0]!r} is {_far(value, Decimal(head['limit']))} % away"


def _of_table(it: Sent, mrn: str, card: str, zone: ZoneInfo) -> Iterator[str]:
    for table in TABLE.finditer(card):
        rows = [_instant(row["when"], zone) for row in ROW.finditer(table["rows"])]
        own = [at for name, at, _ in _known(it, mrn, zone) if name == ANALYTES.get(table["name"])]
        newest = own[::-1][: len(rows)]
        if table["name"] in ANALYTES and rows != newest:
            yield f"the table of {table['name']} has {rows}, and there are {newest}"


def _known(it: Sent, mrn: str, zone: ZoneInfo) -> list[tuple[str, datetime, Decimal | None]]:
    return [
        (value.analyte, value.at.astimezone(zone).replace(second=0), value.value)
        for value in it.values[mrn]
    ]


def _of_digest(it: Sent, body: str) -> Iterator[str]:
    flat = re.sub(r"\n +(?=\S)(?!\((?:worst|a person|they come))", " ", body)
    flat = re.sub(r" and \d+ more: monitor \w+", "", flat)
    standing, _, _ = flat.partition("\nEnded since")
    ids = [int(key) for line in LINE.finditer(standing) for key in (line["ids"] or "0").split(",")]
    told = Counter(key for key in ids if key)
    yield from (f"alert {key} stands twice" for key, times in told.items() if times > 1)
    lacking = {key for key, mrn in it.live.items() if mrn not in it.dead} - set(told)
    if lacking:
        yield f"lacks {sorted(lacking)}"
    yield from (f"has {key}" for key in told if it.live.get(key, "A001") in it.dead)
    states = (
        "up to date",
        "due",
        "overdue",
        "seriously overdue",
        "planned",
        "elsewhere",
        "stopped",
    )
    ledger = " ".join(body.split())
    found = [re.search(rf"{state} (\d+)", ledger) for state in states]
    enrolled = re.search(r"enrolled (\d+)", ledger)
    if enrolled is None or int(enrolled[1]) != sum(int(it[1]) for it in found if it):
        yield "the ledger does not add up"
    in_hand = re.search(r"\nAcknowledged or snoozed.*?(?=\n\n|\Z)", standing, re.DOTALL)
    held = LINE.findall(in_hand[0]) if in_hand else []
    need = re.search(r"(\d+) alerts? to deal with", flat)
    waiting = len(told) - sum(len(ids.split(",")) for _, ids in held)
    if int(need[1] if need else 0) != waiting:
        yield f"says {need and need[0]}, and {waiting} wait"


def _of_languages(sent: list[Sent]) -> Iterator[str]:
    """A German mail has the numbers and days of the English one beside it."""
    for privacy in ("full", "minimal"):
        ours = [
            [it for it in sent if READERS.get(it.to) == (privacy, code)] for code in ("en", "de")
        ]
        if len(ours[0]) != len(ours[1]):
            yield f"{privacy}: {len(ours[0])} English mails, {len(ours[1])} German ones"
            continue
        for english, german in zip(*ours, strict=True):
            one, other = (
                re.sub(r"(\d\.) (?=[A-ZM])", r"\1", text_of(it)) for it in (english, german)
            )
            if one.count("monitor explain") != other.count("monitor explain"):
                continue  # the longer language has room for fewer alerts in full
            differ = (_numbers(one) - _numbers(other)) + (_numbers(other) - _numbers(one))
            if differ:
                yield f"{english.mail['Subject']} / {german.mail['Subject']}: {dict(differ)}"


def _day(text: str) -> date:
    return datetime.strptime(text, "%d %b %Y").date()


def _instant(text: str, zone: ZoneInfo) -> datetime:
    day, _, clock = text.partition(" ")[2].partition(", ")
    return datetime.combine(_day(day), time.fromisoformat(clock or "00:00"), zone)


def _age(day: date, today: date) -> str:
    days = (today - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def _far(value: Decimal, limit: Decimal) -> int:
    return int((100 * abs(value - limit) / limit).to_integral_value(ROUND_FLOOR))
