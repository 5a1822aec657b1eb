"""A text that went in force under another version of the program, and that this one would refuse:
it goes on judging, and the operator is told what is to be mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.faults import Faults
from monitor.core.protocol_file import digest_of
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import edit_of
from monitor.operations.schedules import adopt
from monitor.operations.verify import verify
from monitor.store.rulebook import put_in_force
from tests.clinic import CBC, Clinic, at
from tests.schedules_folder import AZA, NOW, edit, only, text_of, write

_OVER = ('after = "4 weeks", until = "12 weeks"', 'after = "4 months", until = "12 weeks"')


@pytest.fixture
def ruled(ward: Clinic, folder: Path) -> Clinic:
    """A clinic whose text in force holds what an earlier version did not mind."""
    write(folder, text_of(folder).partition("# ==== Examples")[0])
    text = text_of(edit(folder, *_OVER).parent)
    with ward.store.write() as connection:
        put_in_force(connection, AZA, text, digest_of(text), at("2026-01-02"), "test", "before")
    return ward


def test_it_goes_on_judging(ruled: Clinic) -> None:
    enrolment = ruled.enrol("A1")
    ruled.results("A1", "2026-01-12", CBC | {"platelets": "100"})
    now = at("2026-01-13")
    assert ruled.review(now).opened == 1
    assert [it.cause for it in ruled.alerts(enrolment)] == ["rule:thrombocytopenia"]
    assert verify(ruled.store, ruled.settings, now) == []


def test_the_operator_is_told_what_is_to_be_mended(ruled: Clinic, folder: Path) -> None:
    ruled.enrol("A1")
    said = only(adopt(ruled.store, folder, NOW))
    assert "stays in force" in said
    assert "line" in said and "the level would never hold" in said


def test_an_edit_of_it_has_to_be_sound(ruled: Clinic, folder: Path) -> None:
    ruled.enrol("A1")
    path = edit(folder, "for ever", "always")
    edit_again = edit_of(path)
    with pytest.raises(Faults, match="never hold"):
        apply(ruled.store, ruled.settings, edit_again, NOW, by="Dr A", reason="minutes")
    path = edit(folder, *reversed(_OVER))
    apply(ruled.store, ruled.settings, edit_of(path), NOW, by="Dr A", reason="minutes")
    assert adopt(ruled.store, folder, NOW) == []
