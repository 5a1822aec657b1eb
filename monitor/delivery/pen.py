"""Draws what a figure consists of, and makes a PNG of it.

In colours of a palette that holds each ink in a few steps from the paper: half a byte a pixel,
which takes a tenth of the time of true colours made fewer at the end. What comes again from
figure to figure (days, numbers, dots) is kept as a mask.
"""

from __future__ import annotations

import math
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from monitor.resources import figure_font

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 420, 176
"""In CSS pixels; the file has twice as many."""
_DENSITY = 2
_SMOOTH = 2
_SCALE = _DENSITY * _SMOOTH
PAPER, INK, FAINT, GRID = "#ffffff", "#1f2937", "#6b7280", "#e5e7eb"
LIMIT, BREACH, ZONE, LINE, FINE = "#b3122a", "#b3122a", "#fdecee", "#94a3b8", "#1d4f91"
_SHADES = {ZONE: 1, GRID: 1, INK: 2, FAINT: 3, LIMIT: 3, LINE: 3, FINE: 2}
"""Steps from the paper to each ink: with the paper sixteen, so that a byte holds two pixels."""
_RING = 1.8
_DASH, _GAP = 5, 3
_LEVEL, _MEMORY = 3, 5
"""Of the compressor: rows of one colour need no search, and the shorter blocks of little memory
fit a figure better and take less time."""
_MARGIN = 2
"""Pixels before each row that hold nothing: as a byte, they name its filter, none (PNG, 9)."""


class _Mask(NamedTuple):
    """How strongly an ink covers each pixel of a box."""

    size: tuple[int, int]
    strengths: bytes


class Pen:
    """Draws in CSS pixels from the top left, in the colours above."""

    def __init__(self) -> None:
        from PIL import Image, ImageDraw  # only when there is something to draw

        self._image = Image.new("L", (_MARGIN + WIDTH * _DENSITY, HEIGHT * _DENSITY), 0)
        self._canvas = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        """Level or upright, with hard edges."""
        flat = [(_MARGIN + round(x * _DENSITY), round(y * _DENSITY)) for x, y in points]
        self._canvas.line(flat, fill=_solid(colour), width=max(1, round(width * _DENSITY)))

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        first, last = (_MARGIN + round(side * _DENSITY) for side in (left, right))
        sides = [first, round(top * _DENSITY), last, round(bottom * _DENSITY)]
        self._canvas.rectangle(sides, fill=_solid(colour))

    def curve(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        """A line in any direction, stretch by stretch: small boxes cost less than a large one."""
        for stretch in pairwise(points):
            left, top, right, bottom = _around(stretch, width)
            flat = [((x - left) * _SCALE, (y - top) * _SCALE) for x, y in stretch]
            large, canvas = _enlarged(right - left, bottom - top)
            canvas.line(flat, fill=255, width=round(width * _SCALE))
            self._put(_reduced(large), left * _DENSITY, top * _DENSITY, colour)

    def dot(self, x: float, y: float, radius: float, fill: str, edge: str) -> None:
        left, top = math.floor(x), math.floor(y)
        place = round((x - left) * _SCALE), round((y - top) * _SCALE)
        room = math.ceil(radius) + 1
        for reach, colour in ((radius, edge), (radius - _RING, fill))[: 1 + (fill != edge)]:
            mask = _disc(reach, *place, room)
            self._stamp(mask, (left - room) * _DENSITY, (top - room) * _DENSITY, colour)

    def shape(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        left, top, right, bottom = _around(points, 1)
        large, canvas = _enlarged(right - left, bottom - top)
        canvas.polygon([((x - left) * _SCALE, (y - top) * _SCALE) for x, y in points], fill=255)
        self._put(_reduced(large), left * _DENSITY, top * _DENSITY, fill)

    def text(
        self, x: float, y: float, words: str, colour: str, anchor: str, size: float = 11
    ) -> None:
        mask, (right, down) = _written(composed(words), anchor, size)
        self._stamp(mask, round(x * _DENSITY) + right, round(y * _DENSITY) + down, colour)

    def width(self, words: str, size: float = 11) -> float:
        return _length(composed(words), size) / _DENSITY

    def dashes(self, left: int, right: int, y: float, colour: str, width: float) -> None:
        """A level line of dashes, from one whole pixel to another."""
        mask = _dashed(right - left, max(1, round(width * _DENSITY)))
        down = round(y * _DENSITY) - mask.size[1] // 2
        self._stamp(mask, left * _DENSITY, down, colour)

    def cross(self, x: float, y: float, reach: float, colour: str, width: float) -> None:
        left, top = math.floor(x), math.floor(y)
        place = round((x - left) * _SCALE), round((y - top) * _SCALE)
        room = math.ceil(reach + width) + 1
        mask = _crossed(reach, width, *place, room)
        self._stamp(mask, (left - room) * _DENSITY, (top - room) * _DENSITY, colour)

    def png(self) -> bytes:
        self._image.putpalette(_palette())
        return _as_png(self._image)

    def _put(self, mask: _Mask, left: int, top: int, colour: str) -> None:
        """Lay an ink through a mask that does not come again."""
        if mask.strengths:
            ink, touched = _inked(mask, colour)
            self._image.paste(ink, (_MARGIN + left, top), touched)

    def _stamp(self, mask: _Mask, left: int, top: int, colour: str) -> None:
        """The same with a mask that does."""
        if mask.strengths:
            ink, touched = _kept_inked(mask, colour)
            self._image.paste(ink, (_MARGIN + left, top), touched)


def _as_png(image: Image.Image) -> bytes:
    """A PNG (ISO/IEC 15948) of sixteen colours, half a byte a pixel. The library's own writer takes
    three times as long to press the same rows together, which was the third of a mail."""
    width, height = image.size
    rows = image.tobytes("raw", "P;4")
    press = zlib.compressobj(_LEVEL, memLevel=_MEMORY, strategy=zlib.Z_RLE)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width - _MARGIN, height, 4, 3, 0, 0, 0)),
        (b"PLTE", _palette()),
        (b"IDAT", press.compress(rows) + press.flush()),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _inked(mask: _Mask, colour: str) -> tuple[Image.Image, Image.Image]:
    """For each pixel the step of the ink's ramp, and where there is any."""
    from PIL import Image

    steps, touching = _steps(colour)
    ink, touched = mask.strengths.translate(steps), mask.strengths.translate(touching)
    return Image.frombytes("L", mask.size, ink), Image.frombytes("L", mask.size, touched)


_kept_inked = lru_cache(maxsize=1024)(_inked)


@lru_cache(maxsize=1024)
def composed(words: str) -> str:
    """Words with each letter and its accents as one sign, which the font has: `ä`."""
    return unicodedata.normalize("NFC", words)


def _enlarged(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask for so many CSS pixels, larger than it will be, and what draws on it."""
    from PIL import Image, ImageDraw

    large = Image.new("L", (width * _SCALE, height * _SCALE), 0)
    return large, ImageDraw.Draw(large)


def _reduced(large: Image.Image) -> _Mask:
    small = large.reduce(_SMOOTH)
    return _Mask(small.size, small.tobytes())


@lru_cache(maxsize=256)
def _disc(radius: float, right: int, down: int, room: int) -> _Mask:
    """A disc whose middle lies so many enlarged pixels from that of its box."""
    large, canvas = _enlarged(2 * room + 1, 2 * room + 1)
    x, y, reach = room * _SCALE + right, room * _SCALE + down, radius * _SCALE
    canvas.ellipse([x - reach, y - reach, x + reach, y + reach], fill=255)
    return _reduced(large)


@lru_cache(maxsize=256)
def _crossed(reach: float, width: float, right: int, down: int, room: int) -> _Mask:
    """A cross whose middle lies so many enlarged pixels from that of its box."""
    large, canvas = _enlarged(2 * room + 1, 2 * room + 1)
    x, y, far = room * _SCALE + right, room * _SCALE + down, reach * _SCALE
    thick = round(width * _SCALE)
    canvas.line([(x - far, y - far), (x + far, y + far)], fill=255, width=thick)
    canvas.line([(x - far, y + far), (x + far, y - far)], fill=255, width=thick)
    return _reduced(large)


@lru_cache(maxsize=16)
def _dashed(length: int, thick: int) -> _Mask:
    """Dashes of a whole line, in pixels of the file."""
    on = b"\xff" * (_DASH * _DENSITY + 1)
    row = (on.ljust((_DASH + _GAP) * _DENSITY, b"\0") * length)[: length * _DENSITY]
    return _Mask((len(row), thick), row * thick)


@lru_cache(maxsize=1024)
def _written(words: str, anchor: str, size: float) -> tuple[_Mask, tuple[int, int]]:
    """Words as a mask, and where it lies from the anchor. Days and numbers come again."""
    mask, (right, down) = _font(size).getmask2(words, mode="L", anchor=anchor)
    return _Mask(mask.size, bytes(mask)), (right, down)


@lru_cache(maxsize=1024)
def _length(words: str, size: float) -> float:
    return float(_font(size).getlength(words))


def _around(points: Sequence[tuple[float, float]], width: float) -> tuple[int, int, int, int]:
    """Whole CSS pixels around some points and what is drawn on them."""
    room = width + 1
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (
        math.floor(min(xs) - room), math.floor(min(ys) - room),
        math.ceil(max(xs) + room), math.ceil(max(ys) + room),
    )  # fmt: skip


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(figure_font()), size * _DENSITY)


@cache
def _solid(colour: str) -> int:
    """Where in the palette a colour stands in full."""
    if colour == PAPER:
        return 0
    inks = list(_SHADES)
    return sum(_SHADES[ink] for ink in inks[: inks.index(colour) + 1])


@cache
def _steps(colour: str) -> tuple[bytes, bytes]:
    """For each strength of a mask, the place in the palette, and whether it is seen at all."""
    many = _SHADES.get(colour, 1)
    first = max(0, _solid(colour) - many)
    steps = [round(strength * many / 255) for strength in range(256)]
    places = bytes(0 if colour == PAPER else first + max(1, step) for step in steps)
    return places, bytes(255 if step else 0 for step in steps)


@cache
def _palette() -> bytes:
    """Paper, then each ink in equal steps from the paper to itself."""
    paper = _rgb(PAPER)
    colours = [paper]
    for ink, many in _SHADES.items():
        for step in range(1, many + 1):
            pairs = zip(paper, _rgb(ink), strict=True)
            colours.append(tuple(a + (b - a) * step // many for a, b in pairs))
    return bytes(part for colour in colours for part in colour)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
