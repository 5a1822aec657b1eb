"""The first look at a file: what it is, its encoding and its digest, in one pass of bytes.

Nothing is guessed from a sample where the whole file can tell: whether it is UTF-8 is known
only at its end.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from monitor.core.calendar import LAST_YEAR

_BLOCK = 1 << 20
_SAMPLE = 4096
MIXED = "utf-8 or windows-1252"
"""Name of our decoder of files that mix both: each byte that is no UTF-8 is Windows-1252."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 BE"),
)
_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
_SAVE_AS_XLSX = "open it there and save it as .xlsx or as CSV (UTF-8)"
_SAVE_AS_CSV = "open it there and save it as CSV (UTF-8)"
_EXPORT_AS_CSV = "export it as CSV (UTF-8)"
ASK_FOR_ANOTHER = "ask for HL7 v2, FHIR, a workbook or CSV"
OF_A_SPREADSHEET = "open it in a spreadsheet program and save it as .xlsx or as CSV (UTF-8)"
_MAGIC = (
    (b"PK\x05\x06", "an empty zip archive, not CSV"),
    (b"%PDF", "a PDF, not CSV: ask the laboratory for the CSV export"),
    (b"\x1f\x8b", "a gzip archive, not CSV: unpack it first"),
    (b"BZh", "a bzip2 archive, not CSV: unpack it first"),
    (b"\xfd7zXZ", "an xz archive, not CSV: unpack it first"),
    (b"7z\xbc\xaf", "a 7-zip archive, not CSV: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive, not CSV: unpack it first"),
    (b"SQLite format 3", "an SQLite database, not CSV"),
    (b"\x89PNG", "a picture, not CSV"),
    (b"\xff\xd8\xff", "a picture, not CSV"),
    (b"HEADER RECORD*******L", f"a SAS transport file, not CSV: {_EXPORT_AS_CSV}"),
    (b"PAR1", f"a Parquet file, not CSV: {_EXPORT_AS_CSV}"),
    (b"{\\rtf", f"a rich-text document, not CSV: {_SAVE_AS_CSV}"),
)
_FORMATS = (
    (re.compile(r"\s*(?:(?:MSH|FHS|BHS)[^\w\s,;]|(?:PID|ORC|OBR|OBX|EVN)\|\d*\|)"), "hl7"),
    (
        re.compile(r"(?:[^|]*?|[A-Z][A-Z0-9]{2}\|(?s:.*?))[\r\n\x0b][ \t]*(?:MSH|FHS|BHS)\|\^~"),
        "hl7",
    ),
    (re.compile(r'\s*[\[{]\s*("|\{|\[)'), "json"),
    (re.compile(r"\s*<(\?xml|!--|!doctype|html|[\w.-]+(:[\w.-]+)?[\s/>])", re.IGNORECASE), "xml"),
    (re.compile(r"\s*(UNA[:+]|UNB\+|UNH\+)"), "edifact"),
    (re.compile(r"\d{3}8000\S{1,8}[\r\n]"), "xdt"),
    (re.compile(r"[\x02\x05\s]*\d?H\|\\\^&"), "astm"),
    (re.compile(r"\s*H\|[~^\\&]{4}\|"), "hprim"),
    (re.compile(r"[^\r\n|]{1,300}?\b(?:MSH|FHS|BHS)\|\^~\\+&\|"), "hl7_log"),
)
_FORMAT_TITLES = {
    "csv": "CSV", "workbook": "a workbook", "hl7": "HL7 messages", "json": "JSON",
    "xml": "XML or HTML", "edifact": "an EDIFACT interchange",
    "xdt": "an LDT file (xDT)", "astm": "ASTM records of an analyser",
    "hprim": "an HPRIM file", "hl7_log": "a log with HL7 messages behind other text",
}  # fmt: skip
_CONTROL = bytes(sorted(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b\x00")))
_NOT_IN_1252 = b"\x81\x8d\x8f\x90\x9d"


DAMAGED_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
)
"""What zipfile raises of an archive that it cannot unpack; RuntimeError of one with a password,
or of a compression that it does not know."""


class UnreadableFile(Exception):
    """A file of which no row can be read; the text says why and what would help."""


class FileMissing(UnreadableFile):
    """The file is not there, or may not be opened."""


def told_name(path: Path) -> str:
    """The name of a file as it can be told and kept: what is no text in it (a name that Windows
    wrote in another encoding), or would break a line, is marked."""
    text = os.fsencode(path.name).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the bytes tells of a file."""

    path: Path
    sha256: str
    size: int
    changed_at: int
    """The file's own time of change in nanoseconds, to see whether it changes meanwhile."""
    lines: int
    encoding: str
    """A codec, or the name of our own decoder of mixed files."""
    encoding_title: str
    format: str = "csv"
    """csv, workbook, hl7, json, xml or edifact, by how the file begins."""
    content: bytes | None = None
    """What came over a connection, and is in no file."""
    came_in: int = LAST_YEAR
    """The year in which it is read: no day of its is of a later one."""

    @property
    def name(self) -> str:
        return told_name(self.path)

    @property
    def format_title(self) -> str:
        return _FORMAT_TITLES[self.format]

    def open(self) -> BinaryIO:
        """The bytes, from the beginning. Raises OSError."""
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)

    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was surveyed, as far as its size and time
        tell."""
        if self.content is not None:
            return True
        try:
            known = self.path.stat()
        except OSError:
            return False
        return (known.st_size, known.st_mtime_ns) == (self.size, self.changed_at)


def survey_message(content: bytes, name: str) -> Survey:
    """An HL7 message that came over a connection, as if it were a file of that name."""
    return Survey(
        path=Path(name),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        changed_at=0,
        lines=content.count(b"\r"),
        encoding="utf-8",
        encoding_title="HL7",
        format="hl7",
        content=content,
    )


def survey(path: Path, encoding: str = "", came_in: int = LAST_YEAR) -> Survey:
    """Read all bytes once. `encoding` is the source's own, where its config names one; `came_in`
    is the year in which it came.

    Raises UnreadableFile where the file cannot be opened, is empty or is no text.
    """
    try:
        with path.open("rb") as stream:
            return replace(_survey(path, stream, encoding), came_in=came_in)
    except FileNotFoundError:
        raise FileMissing("there is no such file") from None
    except IsADirectoryError:
        raise FileMissing("this is a folder, not a file") from None
    except io.UnsupportedOperation:
        raise FileMissing(
            "this is a pipe, not a file: it can be read but once; write it into a file first"
        ) from None
    except OSError as error:
        raise FileMissing(f"it cannot be read: {error.strerror}") from None


def _survey(path: Path, stream: BinaryIO, encoding: str) -> Survey:
    known = os.fstat(stream.fileno())
    sample = stream.read(_SAMPLE)
    if not sample:
        raise UnreadableFile("the file is empty")
    workbook = _workbook(stream, sample)
    codec, title = workbook or (_named(encoding) if encoding else _of_sample(sample))
    stream.seek(0)
    digest = hashlib.sha256()
    bytes_seen = _Bytes()
    lines = 0
    while block := stream.read(_BLOCK):
        digest.update(block)
        bytes_seen.add(block)
        lines += max(block.count(b"\n"), block.count(b"\r"))
    if not codec:
        codec, title = bytes_seen.encoding()
    return Survey(
        path=path,
        sha256=digest.hexdigest(),
        size=known.st_size,
        changed_at=known.st_mtime_ns,
        lines=lines,
        encoding=codec,
        encoding_title=title,
        format="workbook" if workbook else _format(sample, codec),
    )


def _workbook(stream: BinaryIO, sample: bytes) -> tuple[str, str] | None:
    """Which kind of workbook it is; None where it is none. Raises UnreadableFile for what
    else is packed in the same way."""
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls", "an old Excel workbook"
    if not sample.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(stream) as archive:
            names = {name.casefold() for name in archive.namelist()}
            kind = _begin_of(archive, "mimetype") if "mimetype" in names else b""
    except (*DAMAGED_ARCHIVE, KeyError):  # KeyError: `mimetype` in other letters
        raise UnreadableFile(
            "this is an Excel workbook or a zip archive that is damaged or cut short"
        ) from None
    if "xl/workbook.xml" in names:
        return "xlsx", "an Excel workbook"
    if "xl/workbook.bin" in names:
        raise UnreadableFile(f"this is a binary Excel workbook (.xlsb): {_SAVE_AS_XLSX}")
    if kind.strip() == _SPREADSHEET:
        return "ods", "an OpenDocument spreadsheet"
    if "mimetype" in names or "content.xml" in names:
        raise UnreadableFile(f"this is an OpenDocument file, no spreadsheet: {_SAVE_AS_CSV}")
    raise UnreadableFile("this is a zip archive, not CSV: unpack it first")


def _begin_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """What a part begins with, which may be of any length once it is unpacked."""
    with archive.open(name) as part:
        return part.read(80)


def _format(sample: bytes, codec: str) -> str:
    """What the first characters say the text is; most files are CSV."""
    text = sample.decode(decoder_of(codec)[0], "replace").lstrip("\ufeff\x0b")
    return next((name for pattern, name in _FORMATS if pattern.match(text)), "csv")


class _Bytes:
    """Tells UTF-8, Windows-1252, Latin-1 and their mixture apart, block by block."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._ascii = True
        self._foreign = False
        self._multibyte = False
        self._latin_only = False

    def add(self, block: bytes) -> None:
        if self._ascii and block.isascii():
            return
        self._ascii = False
        text = self._decoder.decode(block)
        escaped = any("\udc80" <= sign <= "\udcff" for sign in set(text))
        self._foreign = self._foreign or escaped
        self._multibyte = self._multibyte or any(
            sign >= "\x80" and not "\udc80" <= sign <= "\udcff" for sign in set(text)
        )
        self._latin_only = self._latin_only or any(byte in block for byte in _NOT_IN_1252)

    def encoding(self) -> tuple[str, str]:
        cut_short = bool(self._decoder.getstate()[0])
        if not self._foreign and not cut_short:
            return "utf-8", "UTF-8"
        if self._multibyte:
            return MIXED, "UTF-8 mixed with Windows-1252"
        if self._latin_only:
            return "latin-1", "Latin-1"
        return "cp1252", "Windows-1252"


def _of_sample(sample: bytes) -> tuple[str, str]:
    """The encoding that the first bytes give away ("" where the whole file has to tell)."""
    for bom, codec, title in _BOMS:
        if sample.startswith(bom):
            return codec, title
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise UnreadableFile(f"this is {what}")
    utf16 = _utf16_without_bom(sample)
    if utf16:
        return utf16
    odd = sum(sample.count(byte) for byte in _CONTROL) + sample.count(0)
    if odd * 20 > len(sample):
        raise UnreadableFile(f"this is a binary file, not CSV: {ASK_FOR_ANOTHER}")
    return "", ""


def _utf16_without_bom(sample: bytes) -> tuple[str, str] | None:
    even, odd = sample[::2], sample[1::2]
    if not odd:
        return None
    even_share, odd_share = even.count(0) / len(even), odd.count(0) / len(odd)
    if odd_share > 0.4 and even_share < 0.05:
        return "utf-16-le", "UTF-16 LE without BOM"
    if even_share > 0.4 and odd_share < 0.05:
        return "utf-16-be", "UTF-16 BE without BOM"
    return None


def _named(encoding: str) -> tuple[str, str]:
    try:
        info = codecs.lookup(encoding)
        "".encode(encoding)
    except LookupError:
        raise UnreadableFile(
            f'the source\'s encoding "{encoding}" is not known; valid: utf-8, utf-16, '
            "windows-1252, latin-1 or another name of Python's list, or none to have it sniffed"
        ) from None
    return info.name, f"{encoding}, as the source says"


def decoder_of(encoding: str) -> tuple[str, str]:
    """Codec and error handler for reading text."""
    if encoding == MIXED:
        codecs.register_error(MIXED, _as_windows_1252)
        return "utf-8", MIXED
    return encoding, "replace"


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end
