"""HL7 v2 text taken apart: bytes to messages, messages to segments, segments to fields.

Nothing here knows what a segment means. Segments may end in CR, LF or CRLF, and one that lost its
end is parted from the next; messages may stand in MLLP frames, in batches (FHS, BHS, BTS, FTS) or
bare after one another. Each message is decoded by itself, for one file may hold messages of
several systems. Source of the escape sequences and of the names of character sets: HL7 v2.7,
chapter 2.7 and table 0211.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, cast

from monitor.intake.raw import BadLine
from monitor.intake.storable import storable

SEGMENT_LIMIT = 1 << 24
"""Bytes of one segment; a longer one is a bad line. Documents come inside segments."""
MESSAGE_LIMIT = 1 << 26
"""Bytes of one message; what follows is not read."""
KEPT = 2000
"""Characters of a segment that quarantine keeps."""
NO_SEGMENT = "no_segment"
"""The code of a line that begins no segment."""
NULL = '""'
"""How HL7 writes that a field is meant to be empty."""

_BLOCK = 1 << 20
_ENDS = re.compile(rb"\r\n|[\r\n\x0b\x1c]")
_FRAME_MARKS = (b"\x0b", b"\x1c")
_HEADER = re.compile(rb"MSH[^A-Za-z0-9\s]")
_ENVELOPE = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9]|$)")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_COMMON = frozenset("pid pv1 orc obr obx nte spm msh evn mrg".split())
_RESEMBLES_OBX = re.compile(r"\W*.{0,5}\W\d*\W(?:NM|SN|ST|TX|FT|CE|CWE|DT|TS|DR)\W")
_CHARSETS = {
    "ASCII": "cp1252", "8859/1": "latin-1", "8859/2": "iso8859-2", "8859/3": "iso8859-3",
    "8859/4": "iso8859-4", "8859/5": "iso8859-5", "8859/6": "iso8859-6", "8859/7": "iso8859-7",
    "8859/8": "iso8859-8", "8859/9": "iso8859-9", "8859/15": "iso8859-15",
    "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8",
    "ISO IR6": "ascii", "ISO IR14": "iso2022_jp", "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1", "GB 18030-2000": "gb18030", "BIG-5": "big5",
    "KS X 1001": "euc_kr", "WINDOWS-1252": "cp1252", "WINDOWS-1250": "cp1250",
    "WINDOWS-1251": "cp1251",
}  # fmt: skip
_OF_TEXT = re.compile(r"iso8859|cp\d|gb|big5|euc|shift_jis|koi8|mac|johab|tis-|utf-8")
"""Codecs of signs of one or more bytes that have ASCII in them."""
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "iso8859-1": "latin-1"}
"""What laboratories mean that name a set of fewer signs than they use."""
_NUMERIC_TYPES = frozenset({"NM", "SN", "DT", "TS", "TM", "DTM"})
_TYPES = _NUMERIC_TYPES | frozenset("ST TX FT CE CWE CNE CF DR NR ED RP".split())
"""Types of values that OBX-2 names."""
_NAME_LENGTH = 3
_WRITTEN_END = re.compile(r"(?:\\[rn])+$")
r"""The end of a segment as a program may have written it: `\r` for what it stands for."""
_SEVEN_BIT = frozenset({"iso2022_jp", "iso2022_jp_1"})


@dataclass(frozen=True, slots=True)
class Marks:
    """The separators of one message, from MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @classmethod
    def of_header(cls, header: str) -> Marks:
        """The separators that a header segment declares; ours for those that it leaves out."""
        sep = header[3:4] or "|"
        declared = header[4:].split(sep, 1)[0][:4]
        usual = "^~\\&"
        found = [*declared, *(it if it not in declared else "" for it in usual[len(declared) :])]
        return cls(sep, *found)


class Segment:
    """One segment: its fields, counted from 1 as HL7 counts them."""

    __slots__ = ("_codec", "_fields", "line", "marks", "name", "text")

    def __init__(self, line: int, text: str, marks: Marks, codec: str) -> None:
        self.line, self.text, self.marks, self._codec = line, text, marks, codec
        self.name = text[:3].upper()
        self._fields: list[str] | None = None

    def field(self, number: int) -> str:
        """A field as it stands there; empty where there is none, or HL7's null."""
        fields = self._parts()
        if number >= len(fields):
            return ""
        text = fields[number].strip()
        return "" if text == NULL else text

    @property
    def width(self) -> int:
        """How many parts it has, its name among them."""
        return len(self._parts())

    def _parts(self) -> list[str]:
        if self._fields is None:
            self._fields = self.text.split(self.marks.field)
            if self.name == "MSH":
                self._fields.insert(1, self.marks.field)
        return self._fields

    def repeats(self, number: int) -> list[str]:
        """The repetitions of a field that say something."""
        text = self.field(number)
        if not text:
            return []
        mark = self.marks.repetition
        parts = text.split(mark) if mark else [text]
        return [part for part in parts if part.strip() and part != NULL]

    def components(self, repeat: str) -> list[str]:
        """The components of a repetition, as plain text; a subcomponent's mark stays."""
        return [self.plain(part) for part in split(repeat, self.marks.component)]

    def component(self, number: int, component: int = 1) -> str:
        """A component of the first repetition of a field, as plain text."""
        repeats = self.repeats(number)
        return part_of(self.components(repeats[0]), component) if repeats else ""

    def plain(self, text: str) -> str:
        """Text without escape sequences."""
        text = text.strip()
        if text == NULL:
            return ""
        escape = self.marks.escape
        if not escape or escape not in text:
            return text
        return _escapes(escape).sub(lambda found: self._meaning(found[1]), text)

    def _meaning(self, sequence: str) -> str:
        marks = self.marks
        named = {
            "F": marks.field, "S": marks.component, "T": marks.subcomponent,
            "R": marks.repetition, "E": marks.escape, "P": "#",
        }  # fmt: skip
        if sequence in named:
            return named[sequence]
        if sequence[0] == "X":
            digits = sequence[1:]
            raw = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
            # \X00F3\ is the number of a sign, in two bytes, and not NUL before another.
            in_pairs = len(raw) % 2 == 0 and 0 in raw[::2]
            return storable(self._text_of(raw, "utf-16-be" if in_pairs else self._codec))
        if sequence[:3] in (".br", ".sp", ".ce"):
            return "\n"
        return ""  # highlighting, indentation, a change of the character set

    def _text_of(self, raw: bytes, codec: str) -> str:
        """Escaped bytes as text; a message without a sign of its own that tells its character set
        passes for UTF-8, where a lone \\XB5\\ of Windows-1252 is none."""
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")


@dataclass(slots=True)
class Message:
    """One message: its segments, and the lines that belong to none."""

    number: int
    line: int
    marks: Marks
    codec: str
    segments: list[Segment] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)

    @property
    def header(self) -> Segment | None:
        first = self.segments[0] if self.segments else None
        return first if first is not None and first.name == "MSH" else None

    @property
    def kind(self) -> str:
        """MSH-9 as people write it: `ORU^R01`; empty where it is missing, or no kind of message."""
        header = self.header
        if header is None:
            return ""
        code, event = header.component(9, 1), header.component(9, 2)
        if not event and "_" in code:
            code, _, event = code.partition("_")
        text = "^".join(part.upper() for part in (code, event) if part) if code else ""
        return text if re.fullmatch(r"[A-Z][A-Z0-9]{2}(\^[A-Z0-9]{1,8})?", text) else ""


def split(text: str, mark: str) -> list[str]:
    """Text at a separator; a separator that the message does not have splits nothing."""
    return text.split(mark) if mark else [text]


def part_of(parts: Sequence[str], number: int) -> str:
    """The part of that number, counted from 1; empty where there is none."""
    return parts[number - 1] if number <= len(parts) else ""


def read_messages(stream: BinaryIO, encoding: str = "") -> Iterator[Message | BadLine]:
    """The messages of a file or frame, and the lines that stand in none, in their order.

    `encoding` is what the source's mapping says, or that of a file whose first bytes give it
    away (UTF-16); without it each message is read by its own MSH-18 and bytes.
    """
    known = encoding.replace("-", "_").lower()
    if known.startswith(("utf_16", "utf_32")):
        recoder = codecs.EncodedFile(stream, "utf-8", encoding, errors="replace")
        stream, encoding = cast(BinaryIO, recoder), "utf-8"
    gathered: list[tuple[int, bytes]] = []
    number, size = 0, 0
    for line, raw in _lines(stream):
        text = raw.lstrip(b" \t\xef\xbb\xbf")
        if not text:
            continue
        begins, ends = _HEADER.match(text), _ENVELOPE.match(text)
        if (begins or ends) and gathered:
            number += 1
            yield _message(number, gathered, encoding)
            gathered, size = [], 0
        if ends:
            continue
        before, size = size, size + len(text)
        if size <= MESSAGE_LIMIT:
            gathered.append((line, text))
        elif before <= MESSAGE_LIMIT:
            reason = f"a message of more than {MESSAGE_LIMIT >> 20} MiB: the rest is not read"
            yield BadLine(line, "too_long", reason, "")
    if gathered:
        yield _message(number + 1, gathered, encoding)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; the marks of MLLP frames part them too. Of one that is too
    long only the beginning comes, one byte longer than is allowed."""
    line, rest, skipping = 1, b"", False
    while block := stream.read(_BLOCK):
        rest += block
        start = 0
        for found in _ENDS.finditer(rest):
            if found[0] == b"\r" and found.end() == len(rest):
                break  # its LF may be the next byte
            if not skipping:
                yield line, rest[start : found.start()]
            skipping = False
            line += found[0] not in _FRAME_MARKS
            start = found.end()
        rest = rest[start:]
        if len(rest) > SEGMENT_LIMIT:
            if not skipping:
                yield line, rest[: SEGMENT_LIMIT + 1]
            rest, skipping = rest[-1:] if rest.endswith(b"\r") else b"", True
    if rest and not skipping:
        yield line, rest.rstrip(b"\r")


def _message(number: int, lines: Sequence[tuple[int, bytes]], encoding: str) -> Message:
    codec = encoding or _codec_of(lines)
    texts = [storable(raw.decode(codec, "replace")) for _, raw in lines]
    marks = Marks.of_header(texts[0]) if _HEADER.match(lines[0][1]) else Marks()
    message = Message(number, lines[0][0], marks, codec)
    found: list[tuple[int, list[str]]] = []
    for (line, raw), text in zip(lines, texts, strict=True):
        if len(raw) > SEGMENT_LIMIT:
            reason = f"a segment of more than {SEGMENT_LIMIT >> 20} MiB"
            message.bad.append(BadLine(line, "too_long", reason, text[:KEPT]))
        elif _begins_segment(text, marks):
            found += ((line, [part]) for part in _parted(text, marks))
        elif found and _may_continue(found[-1][1][0], text, marks):
            found[-1][1].append(text)
        else:
            reason = "no HL7 segment: it begins with no segment's name and separator"
            message.bad.append(BadLine(line, NO_SEGMENT, reason, text[:KEPT]))
    message.segments = [Segment(line, "\n".join(parts), marks, codec) for line, parts in found]
    return message


def _begins_segment(text: str, marks: Marks) -> bool:
    if len(text) > 3 and text[3] != marks.field:
        return False
    return _NAME.fullmatch(text[:3]) is not None or text[:3] in _COMMON


def _parted(text: str, marks: Marks) -> list[str]:
    """A line as segments: one, or several where the end between them was lost on the way. What
    stood behind it would be missing without a word, or be another order's."""
    starts = [it.start() for it in _run_together(marks.field).finditer(text, _NAME_LENGTH)]
    if not starts:
        return [text]
    bounds = zip([0, *starts], [*starts, len(text)], strict=True)
    return [_WRITTEN_END.sub("", text[begin:end]) for begin, end in bounds]


@lru_cache
def _run_together(mark: str) -> re.Pattern[str]:
    """A segment within a line, by its name and its first fields: no value has a field's mark in it
    that is not escaped. Each begins with a letter, by which they are found quickly."""
    f = re.escape(mark)
    numbered, any_field = rf"{f}\d{{0,4}}{f}", rf"(?:(?!{f}).)*{f}"
    return re.compile(
        rf"OBX{numbered}(?:{'|'.join(sorted(_TYPES))}){f}|OBR{numbered}|SPM{numbered}"
        rf"|PID{numbered}{any_field}(?!{f}).|ORC{f}[A-Z]{{2}}{f}|NTE{f}\d{{1,4}}{f}"
    )


def _may_continue(before: str, text: str, marks: Marks) -> bool:
    """Whether a line that begins no segment is the rest of the text before it, in which
    somebody pressed Enter. Not after a number, and not where it may be a result gone bad."""
    name = before[:3].upper()
    if name == "MSH" or _RESEMBLES_OBX.match(text):
        return False
    kind = before.split(marks.field, 3)[2:3] if name == "OBX" else []
    return kind == [] or kind[0].upper() not in _NUMERIC_TYPES


def _codec_of(lines: Sequence[tuple[int, bytes]]) -> str:
    """Bytes that are UTF-8 are UTF-8, whatever is declared; else what MSH-18 declares, else
    Windows-1252."""
    declared = _declared(lines[0][1])
    if declared in _SEVEN_BIT and any(b"\x1b" in raw for _, raw in lines):
        return declared
    try:
        for _, raw in lines:
            raw.decode("utf-8")
    except UnicodeDecodeError:
        return declared if declared not in ("", "utf-8", "ascii") else "cp1252"
    return "utf-8"


def _declared(header: bytes) -> str:
    """The codec of the last character set that MSH-18 names and we know."""
    text = header.decode("latin-1")
    fields = text.split(text[3:4] or "|", 18)
    named = fields[17] if len(fields) > 17 and text.startswith("MSH") else ""
    known = [_codec_named(name.strip().upper()) for name in re.split(r"[~^]", named)]
    return next((name for name in reversed(known) if name), "")


@lru_cache
def _codec_named(name: str) -> str:
    """The codec of a character set by its name in table 0211, or by one that other programs give
    it (`GBK`, `ISO-8859-2`, `SHIFT_JIS`); empty where it is none that text is written in."""
    if name in _CHARSETS:
        return _CHARSETS[name]
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return _WIDER.get(found, found) if _OF_TEXT.match(found) else ""


@lru_cache
def _escapes(mark: str) -> re.Pattern[str]:
    """The escape sequences that mean something; any other stays as it is."""
    of_text = r"\.(?:br|sp|in|ti|sk|ce|fi|nf)\s?[+-]?\d*"
    sequence = rf"[FSTREPHN]|X(?:[0-9A-Fa-f]+)|C[0-9A-F]{{4}}|M[0-9A-F]{{4,6}}|{of_text}"
    return re.compile(rf"{re.escape(mark)}({sequence}){re.escape(mark)}")
