"""FHIR XML to the same values that JSON gives: Bundles entry by entry.

Nothing outside the file is ever fetched, and a document type, the door to every attack by
entities, is refused; FHIR forbids it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # types only

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from monitor.intake.fhir_json import KEPT, Body, Found, Item
from monitor.intake.raw import BadLine, OtherMessage
from monitor.intake.survey import ASK_FOR_ANOTHER, OF_A_SPREADSHEET, Survey, UnreadableFile

NAMESPACE = "{http://hl7.org/fhir}"
LARGEST_ALONE = 1 << 24
"""Bytes of a file that holds one resource; a Bundle may be of any size."""
_DEEPEST = 60
_BEGINNING = 2048
_OTHERS = {
    "{urn:hl7-org:v3}": "a CDA document",
    "{urn:hl7-org:v2xml}": "HL7 v2 messages in XML",
    "{urn:schemas-microsoft-com:office:spreadsheet}": "an Excel workbook in XML",
}
_OF_SPREADSHEETS = frozenset({"an Excel workbook in XML"})


class _TooDeep(ValueError):
    pass


def check_xml(survey: Survey) -> None:
    """Raises UnreadableFile, naming what it is, where the file is no FHIR XML."""
    try:
        with survey.open() as stream:
            _, root = next(iterparse(stream, events=("start",), forbid_dtd=True))
    except DefusedXmlException:
        _refuse_web_page(survey)
        raise UnreadableFile(
            "this is XML or HTML with a document type, which FHIR forbids; it was not read"
        ) from None
    except (ParseError, ValueError, LookupError, StopIteration):
        _refuse_web_page(survey)
        raise UnreadableFile("this is XML or HTML that cannot be read; FHIR was expected") from None
    if not root.tag.startswith(NAMESPACE):
        what = next((it for space, it in _OTHERS.items() if root.tag.startswith(space)), "")
        if not what:
            _refuse_web_page(survey)
        instead = OF_A_SPREADSHEET if what in _OF_SPREADSHEETS else ASK_FOR_ANOTHER
        what = what or "XML, but not FHIR"
        raise UnreadableFile(f"this is {what}, which no reader takes: {instead}")
    if root.tag != f"{NAMESPACE}Bundle" and survey.size > LARGEST_ALONE:
        raise UnreadableFile(f"a single resource longer than {LARGEST_ALONE // 2**20} MiB")


def _refuse_web_page(survey: Survey) -> None:
    """Raises UnreadableFile where it begins like HTML: many programs' "Excel" export is."""
    with survey.open() as stream:
        beginning = stream.read(_BEGINNING).lower()
    if any(tag in beginning for tag in (b"<html", b"<!doctype html", b"<table")):
        raise UnreadableFile(
            f"this is a web page, whatever its name says, which no reader takes: {OF_A_SPREADSHEET}"
        )


def xml_resources(survey: Survey) -> Iterator[Item]:
    """The resources of a FHIR XML file, in the order in which they stand there."""
    number = 0
    try:
        with survey.open() as stream:
            path: list[Element] = []
            for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
                if event == "start":
                    path.append(element)
                    continue
                path.pop()
                is_entry = len(path) == 1 and path[0].tag == f"{NAMESPACE}Bundle"
                if is_entry and element.tag == f"{NAMESPACE}entry":
                    yield from _entry(element, number)
                    number += 1
                if is_entry and element.tag == f"{NAMESPACE}type":
                    yield Found(1, "", "", {"resourceType": "Bundle", "type": _value(element, 0)})
                if is_entry:
                    path[0].clear()
                elif not path and element.tag != f"{NAMESPACE}Bundle":
                    yield from _resource(element, 1, "", "")
    except (ParseError, ValueError, LookupError, DefusedXmlException):
        place = f"entry[{number}]" if number else ""
        reason = "the rest of the file cannot be read as XML"
        yield BadLine(number + 1, "xml", reason, "", place)


def _entry(element: Element, number: int) -> Iterator[Item]:
    place = f"entry[{number}]"
    inner = element.find(f"{NAMESPACE}resource")
    url = element.find(f"{NAMESPACE}fullUrl")
    if inner is None or not len(inner):
        yield OtherMessage(number + 1, "empty entry")
    else:
        yield from _resource(
            inner[0], number + 1, place, "" if url is None else url.get("value", "")
        )


def _resource(element: Element, line: int, place: str, url: str) -> Iterator[Item]:
    if element.tag == f"{NAMESPACE}Bundle":
        for number, entry in enumerate(element.findall(f"{NAMESPACE}entry")):
            for item in _entry(entry, number):
                yield _within(item, line, place)
        return
    try:
        yield Found(line, place, url, _resource_value(element, 0))
    except _TooDeep:
        reason = "a resource that cannot be read: nested too deeply"
        yield BadLine(line, "xml", reason, _name(element)[:KEPT], place)


def _within(item: Item, line: int, place: str) -> Item:
    """What an inner Bundle brings, at the place of the outer one's entry."""
    if isinstance(item, Found):
        return Found(line, f"{place}.resource.{item.place}", item.url, item.body)
    if isinstance(item, BadLine):
        return BadLine(line, item.code, item.reason, item.text, place)
    return OtherMessage(line, item.kind)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _resource_value(element: Element, depth: int) -> Body:
    found = _value(element, depth)
    body: Body = found if isinstance(found, dict) else {}
    return {**body, "resourceType": _name(element)}


def _value(element: Element, depth: int) -> Any:
    """An element as JSON has it; one that may repeat is a list only where it does."""
    if depth > _DEEPEST:
        raise _TooDeep
    text = element.get("value")
    if text is not None:
        return text
    found: Body = {name: it for name, it in element.attrib.items() if name in ("id", "url")}
    for child in element:
        if not isinstance(child.tag, str) or not child.tag.startswith(NAMESPACE):
            continue
        name = _name(child)
        holds_resource = name in ("contained", "resource") and len(child) > 0
        value = _resource_value(child[0], depth + 1) if holds_resource else _value(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
