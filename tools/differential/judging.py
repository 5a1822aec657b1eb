"""One made patient by core and oracle; a module of its own, for processes that share the work."""

from __future__ import annotations

import traceback

from tools.differential.pasted import pasted
from tools.differential.patients import Looked, patient_of
from tools.differential.smallest import differs, smallest


def judged(seed: int, number: int) -> tuple[int, str, list[str]]:
    """The number, the protocol and the differences of a patient."""
    looked = patient_of(seed, number)
    return number, looked.name, lines_of(looked)


def lines_of(looked: Looked) -> list[str]:
    """The differences of one patient; a crash is one."""
    try:
        return looked.differences()
    except Exception as error:  # noqa: BLE001  # every one is what is looked for
        return [f"{type(error).__name__}: {error}"]


def told(seed: int, number: int) -> str:
    """One patient, made as small as its difference allows, and the difference."""
    looked = patient_of(seed, number)
    if lines_of(looked):
        looked = smallest(looked, differs)
    try:
        lines = looked.differences() or ["no difference"]
    except Exception:  # noqa: BLE001  # it is what is looked for
        lines = [traceback.format_exc()]
    return f"# seed {seed}, number {number}\n{pasted(looked)}\n" + "\n".join(lines) + "\n"
