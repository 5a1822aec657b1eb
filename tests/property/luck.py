"""What a made patient is drawn with: hypothesis, which shrinks what it finds, or a plain seeded
generator, which is many times faster. What is drawn is written once (`strategies.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Luck(Protocol):
    """Draws one of these, any with the same chance."""

    def one_of(self, options: Sequence[T]) -> T: ...

    def integer(self, least: int, most: int) -> int:
        """Both ends included."""
        ...

    def flag(self) -> bool: ...

    def some(
        self, options: Sequence[T], *, least: int = 0, most: int, distinct: bool = False
    ) -> list[T]:
        """`distinct`: none twice, by its place among the options."""
        ...


class Drawn:
    """By hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one_of(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def integer(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))

    def flag(self) -> bool:
        return self._draw(st.booleans())

    def some(
        self, options: Sequence[T], *, least: int = 0, most: int, distinct: bool = False
    ) -> list[T]:
        places = st.integers(0, len(options) - 1)
        drawn = self._draw(st.lists(places, min_size=least, max_size=most, unique=distinct))
        return [options[place] for place in drawn]


class Seeded:
    """By a generator: the same seed, the same patient."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # to be repeated, not to be secret

    def one_of(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def integer(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def flag(self) -> bool:
        return self._random.random() < 0.5  # a coin

    def some(
        self, options: Sequence[T], *, least: int = 0, most: int, distinct: bool = False
    ) -> list[T]:
        most = min(most, len(options)) if distinct else most
        count = self._random.randint(least, most)
        if distinct:
            return self._random.sample(options, count)
        return [self._random.choice(options) for _ in range(count)]
