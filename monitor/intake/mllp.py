"""MLLP, the way HL7 v2 messages go over a connection: frames, and what is answered.

Pure: bytes in, bytes out. Sources: HL7 Minimal Lower Layer Protocol, release 1; HL7 v2.7,
chapter 2.9 (original and enhanced acknowledgement), tables 0008, 0155, 0357.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.intake.hl7_text import Marks, Message, Segment, read_messages

START, END = b"\x0b", b"\x1c\r"
_BETWEEN = b"\r\n \t\x1c"
_BEGINNINGS = (b"MSH", b"FHS", b"BHS")
_STRAY_LIMIT = 1 << 16
_VERSION = re.compile(r"2(\.\d){0,3}")


class NoMllp(Exception):
    """What came is no MLLP; the connection is of no use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The content of one frame; `whole` is False for one that was cut for its length."""

    content: bytes
    whole: bool = True


class Frames:
    """Takes frames out of a stream, however it is cut into pieces.

    A frame that begins anew before it ended is dropped: its sender never had an answer, and
    sends it again. A header without the byte that starts a frame is taken as if it had it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._searched = 0

    @property
    def is_amid(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside or bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that end in this piece. Raises NoMllp."""
        self._buffer += data
        while self._inside or self._begin():
            self._restart(self._buffer.find(END[:1], self._searched))
            end = self._buffer.find(END[:1], self._searched)
            if end < 0:
                self._searched = len(self._buffer)
                if len(self._buffer) > self._limit:
                    yield Frame(bytes(self._buffer[: self._limit]), whole=False)
                    self._buffer.clear()
                    self._leave(0)
                return
            content = bytes(self._buffer[:end])
            self._leave(end + 1)
            yield Frame(content[: self._limit], whole=len(content) <= self._limit)

    def _begin(self) -> bool:
        """Go to where the next frame's content begins; False where it has not come yet."""
        kept = self._buffer.lstrip(_BETWEEN)
        start = kept.find(START)
        if kept.startswith(_BEGINNINGS) and (start < 0 or start > 3):
            self._buffer = kept
        elif start >= 0:
            self._buffer = kept[start + 1 :]
        else:
            if len(kept) > _STRAY_LIMIT:
                raise NoMllp
            self._buffer = kept
            return False
        self._inside, self._searched = True, 0
        return True

    def _restart(self, end: int) -> None:
        """Where a header stands behind a starting byte amid the frame, that is the frame."""
        before = len(self._buffer) if end < 0 else end
        after = max(0, self._searched - len(_BEGINNINGS[0]))
        for beginning in _BEGINNINGS:
            again = self._buffer.rfind(START + beginning, after, before)
            if again >= 0:
                del self._buffer[: again + 1]
                self._searched = 0
                return

    def _leave(self, end: int) -> None:
        del self._buffer[:end]
        self._inside, self._searched = False, 0


class Result(StrEnum):
    """What became of a message: second letter of the acknowledgement code (table 0008)."""

    ACCEPTED = "A"
    ERROR = "E"
    """It could not be taken now; sending it again may help."""
    REJECTED = "R"
    """It cannot be taken as it is; sending it again will not help."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is answered, and why (table 0357), without anything of the message's content."""

    result: Result
    code: int = 0
    reason: str = ""
    location: str = ""


ACCEPTED = Verdict(Result.ACCEPTED)
NO_HEADER = Verdict(Result.REJECTED, 100, "no message header (MSH) in the frame")
NO_KIND = Verdict(Result.REJECTED, 101, "MSH-9, the kind of message, is missing", "MSH^1^9")
NO_VERSION = Verdict(Result.REJECTED, 203, "MSH-12 names no version 2 of HL7", "MSH^1^12")
TOO_LONG = Verdict(Result.REJECTED, 207, "the message is longer than [mllp] max_message_mb")
NOT_NOW = Verdict(Result.ERROR, 207, "it could not be written down; nothing was taken: send again")


@dataclass(frozen=True, slots=True)
class Header:
    """What an answer needs of a message: its MSH, as text."""

    segment: Segment
    codec: str

    @classmethod
    def of(cls, message: Message | None) -> Header | None:
        """The header of a message that has one."""
        header = None if message is None else message.header
        return None if message is None or header is None else cls(header, message.codec)

    def raw(self, number: int) -> str:
        return self.segment.field(number)

    @property
    def is_version_2(self) -> bool:
        """Whether MSH-12 names an HL7 v2, or nothing."""
        version = self.segment.component(12)
        return not version or _VERSION.fullmatch(version) is not None


def first_message(content: bytes) -> Message | None:
    """The first message of a frame."""
    found = read_messages(io.BytesIO(content))
    return next((it for it in found if isinstance(it, Message)), None)


def fault_of(frame: Frame, message: Message | None) -> Verdict | None:
    """Why a message cannot be taken as it is; None where it can be tried."""
    header = Header.of(message)
    if not frame.whole:
        return TOO_LONG
    if message is None or header is None:
        return NO_HEADER
    if not header.is_version_2:
        return NO_VERSION
    brings_results = any(segment.name == "OBX" for segment in message.segments)
    return None if message.kind or brings_results else NO_KIND


def answer(
    header: Header | None, verdict: Verdict, now: datetime, number: str, *, original: bool = False
) -> bytes:
    """The framed acknowledgement; empty where the sender wants none.

    Without MSH-15 and MSH-16 (original mode) it is AA, AE or AR. In enhanced mode a sender that
    asks for an application acknowledgement (MSH-16) gets that and no other, for it is sent once
    the message is worked off and says all that an accept acknowledgement would; one that only
    asks for an accept acknowledgement (MSH-15) gets CA, CE or CR. `original` answers as if
    both were empty. `number` is the MSH-10 of the answer.
    """
    mode = _mode(header, verdict.result, original=original)
    if not mode:
        return b""
    marks = header.segment.marks if header else Marks()
    text = "\r".join(_segments(header, verdict, f"{mode}{verdict.result}", marks, now, number))
    codec = header.codec if header else "ascii"
    return START + f"{text}\r".encode(codec, "replace") + END


def _mode(header: Header | None, result: Result, *, original: bool) -> str:
    """`A` for an application acknowledgement, `C` for an accept one, empty for none."""
    accept, application = (header.raw(15), header.raw(16)) if header else ("", "")
    if original or not (accept or application):
        return "A"
    if _wants(application, result):
        return "A"
    return "C" if _wants(accept, result) else ""


def _wants(condition: str, result: Result) -> bool:
    """Table 0155: always, never, in case of an error, of success."""
    well = result is Result.ACCEPTED
    return {"AL": True, "ER": not well, "SU": well}.get(condition.upper(), False)


def _segments(
    header: Header | None, verdict: Verdict, code: str, marks: Marks, now: datetime, number: str
) -> Iterator[str]:
    sep, part = marks.field, marks.component
    declared = "".join((part, marks.repetition, marks.escape, marks.subcomponent))
    version = (header.raw(12) if header else "") or "2.5.1"
    event = header.segment.component(9, 2) if header else ""
    kind = part.join(["ACK", *([event] if event else []), *(["ACK"] if event else [])])
    charset = header.raw(18) if header else ""
    fields = [
        "MSH", declared,
        *([header.raw(n) for n in (5, 6, 3, 4)] if header else [""] * 4),
        now.strftime("%Y%m%d%H%M%S+0000"), "", kind, number,
        (header.raw(11) if header else "") or "P", version,
        *(["", "", "", "", "", charset] if charset else []),
    ]  # fmt: skip
    yield sep.join(fields)
    yield sep.join(["MSA", code, header.raw(10) if header else ""])
    if verdict.code:
        yield _error(verdict, version, marks)


def _error(verdict: Verdict, version: str, marks: Marks) -> str:
    """ERR; its fields changed with version 2.5."""
    sep, part = marks.field, marks.component
    condition = part.join([str(verdict.code), _CONDITIONS[verdict.code], "HL70357"])
    location = verdict.location.replace("^", part)
    if version[:3] in ("2.1", "2.2", "2.3", "2.4"):
        place = verdict.location.split("^") if verdict.location else ["", "", ""]
        return sep.join(["ERR", part.join([*place, condition.replace(part, marks.subcomponent)])])
    return sep.join(["ERR", "", location, condition, "E", "", "", "", verdict.reason])


_CONDITIONS = {
    100: "Segment sequence error",
    101: "Required field missing",
    203: "Unsupported version id",
    207: "Application internal error",
}
