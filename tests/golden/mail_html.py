"""Reads a mail as a strict mail program, a screen reader and a colour meter would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "img", "br"})
ELEMENTS = frozenset(
    "html head meta title style body div table tr td th p span b h1 h2 h3 ul li a img br".split()
)
"""What the common mail programs show: Outlook, Gmail, Apple Mail."""
PROPERTIES = frozenset(
    """background-color border border-collapse border-color border-left border-radius border-top
    box-sizing color color-scheme display font-family font-size font-weight height letter-spacing
    line-height margin max-height max-width mso-hide overflow padding padding-left padding-right
    text-align text-decoration text-transform white-space width word-break
    -webkit-text-size-adjust""".split()
)
"""Properties they know, or leave out without harm. No position, float, flex, grid, variables,
background images, transforms or anything that fetches."""
LARGE, BOLD_LARGE = 24.0, 18.66
"""Pixels from which text counts as large (WCAG 2.2, 1.4.3): 24, or 18.66 in bold."""


@dataclass(slots=True)
class Node:
    """An element with its style in a light screen and in a dark one."""

    tag: str
    attributes: dict[str, str]
    light: dict[str, str]
    dark: dict[str, str]


@dataclass(slots=True)
class Text:
    """A run of text as a reader sees it."""

    words: str
    size: float
    bold: bool
    light: tuple[str, str]
    """(colour, background) of a light screen; `dark` of a dark one."""
    dark: tuple[str, str]


@dataclass(slots=True)
class Read:
    """What is in a mail."""

    nodes: list[Node] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    dark_rules: dict[str, dict[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[Node] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        own = declarations(attributes.get("style", ""))
        if "bgcolor" in attributes:
            own.setdefault("background-color", attributes["bgcolor"])
        dark = dict(own)
        for name in attributes.get("class", "").split():
            dark |= self.read.dark_rules.get(name, {})
        node = Node(tag, attributes, own, dark)
        self.read.nodes.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            self.read.faults.append(f"</{tag}> closes {self.open[-1].tag if self.open else ''}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag == "style":
            self.read.dark_rules = dark_rules(data)
            return
        hidden = any(node.light.get("display") == "none" for node in self.open)
        words = " ".join(data.replace("\u2007", " ").split())
        if not words or hidden or self.open[-1].tag == "title":
            return
        size = self._inherited("light", "font-size", "16px")
        weight = self._inherited("light", "font-weight", "400")
        bold = weight in {"600", "700", "bold"} or any(it.tag in {"b", "th"} for it in self.open)
        shown = {
            scheme: (
                self._inherited(scheme, "color", "#000000"),
                self._inherited(scheme, "background-color", "#ffffff"),
            )
            for scheme in ("light", "dark")
        }
        self.read.texts.append(
            Text(words, float(size.removesuffix("px")), bold, shown["light"], shown["dark"])
        )

    def _inherited(self, scheme: str, name: str, otherwise: str) -> str:
        for node in reversed(self.open):
            style: dict[str, str] = getattr(node, scheme)
            if name in style:
                return style[name]
        return otherwise


def read(html: str) -> Read:
    """The elements, texts and faults of an HTML mail."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.read.faults += [f"<{node.tag}> is never closed" for node in reader.open]
    return reader.read


def declarations(style: str) -> dict[str, str]:
    """`color:#111; margin:0` as a mapping."""
    pairs = (piece.partition(":") for piece in style.split(";") if piece.strip())
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def dark_rules(sheet: str) -> dict[str, dict[str, str]]:
    """Class -> what it has on a dark screen."""
    _, _, dark = sheet.partition("(prefers-color-scheme: dark)")
    return {name: declarations(body) for name, body in re.findall(r"\.([\w-]+) \{([^}]*)\}", dark)}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
