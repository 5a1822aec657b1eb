"""JSON answers of any length: written piece by piece, and to the letter what one piece would be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from monitor.cli.json_answers import (
    print_json,
    print_json_around,
    print_json_list,
    print_json_sorted,
)

ITEMS = [
    {"id": number, "what": 'März\n"x"', "of": [], "more": {"a": [1, {}]}} for number in range(1201)
]


@pytest.mark.parametrize("count", [0, 1, 2, 500, 501, 1201])
def test_a_long_answer_is_to_the_letter_what_a_short_one_is(
    capsys: pytest.CaptureFixture[str], count: int
) -> None:
    items = ITEMS[:count]
    print_json(items)
    whole = capsys.readouterr().out
    print_json_list(iter(items))
    assert capsys.readouterr().out == whole
    backwards = [(-place, item) for place, item in enumerate(reversed(items))]
    print_json_sorted(iter(backwards))
    assert capsys.readouterr().out == whole
    head = {"at": "today", "counts": {"a": 1}}
    endings: list[dict[str, Any]] = [{}, {"total": {"rows": count}, "seal": "x"}]
    for ending in endings:
        print_json({**head, "rows": items, **ending})
        whole = capsys.readouterr().out
        print_json_around(head, "rows", iter(items), partial(dict, ending))
        assert capsys.readouterr().out == whole


def test_what_is_put_in_order_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    count, size = 5000, 16_384

    def items() -> Iterator[tuple[int, Any]]:
        for number in range(count):
            yield number * 7919 % count, {"id": number, "text": f"{number}" * (size // 4)}

    class Nowhere:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            return len(text)

    monkeypatch.setattr("sys.stdout", Nowhere())
    tracemalloc.start()
    print_json_sorted(items())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * 2**20 < count * size
