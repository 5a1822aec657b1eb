"""Text as a database keeps it."""

from __future__ import annotations


def storable(text: str) -> str:
    """No database keeps a NUL: it stays visible, for what stood on both sides of it is not one
    number."""
    return text.replace("\0", "\u2400")
