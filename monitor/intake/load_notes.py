"""What the report of a results file says of its rows beside the problems, a sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

_IGNORED = {
    "mapping": "the source's mapping says so",
    "placeholder": "no result yet (pending, not asked)",
    "announced": "their status says there is no result yet (I, N, O, registered), with a value",
    "remark": "a text beside a number of the same test or order: it is the number's comment",
    "empty": "no value beside the number of the same result; their comments are the number's",
    "derived": "copies and summaries of other rows (LOCF, AVERAGE ...), made for an analysis",
    "not enrolled": "the patient is not enrolled, and the config says to ignore such rows",
}


def notes_of(
    *,
    percent: Counter[str],
    unread: Counter[str],
    others: Counter[str],
    unflagged: int,
    ignored: Counter[str],
    unknown: int,
) -> Iterator[str]:
    """Of codes that came with a percent sign, of columns that could not be read, of messages of
    another kind, of corrections without a flag, of what was ignored and why, and of rows of
    patients who are not enrolled: how many each."""
    for code, count in sorted(percent.items()):
        yield f'{_rows(count)} of "{code[:40]}" came with % and were read as percent'
    for column, count in sorted(unread.items()):
        why = "could not be read, or lies in the future"
        yield f"{column} {why}, in {_rows(count)}; taken as missing"
    for kind, count in sorted(others.items()):
        messages = "message" if count == 1 else "messages"
        yield f"{count} {messages} of another kind: {kind}"
    if unflagged:
        yield f"{_rows(unflagged)} changed a value without being flagged as corrected; taken"
    for why, count in sorted(ignored.items()):
        yield f"{_rows(count)} ignored: {_IGNORED[why]}"
    if unknown:
        yield (
            f"{_rows(unknown)} of patients who are not enrolled are held, and go in by "
            "themselves upon enrolment"
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
