"""A laboratory's file on the page: seen before it is taken, taken back as one step; and the rows
that nobody judges until somebody has looked."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from monitor.core.permissions import Role
from monitor.intake.enrol import enrol_file
from monitor.operations import arrivals
from monitor.store.errors import StoreError
from tests.web_clinic import WebClinic, post, token_of

HEAD = "mrn,collected_at,analyte,value,unit\n"
LAB = HEAD + (
    "D1021,2026-03-09T08:00,neutrophils,0.4,10*9/L\n"
    "D1021,2026-03-09T08:00,Frobulin,1,g/L\n"
    "D1021,2026-03-09T08:00,platelets,250,furlongs\n"
)


def bring(client: httpx.Client, text: str = LAB, name: str = "lab.csv") -> httpx.Response:
    token = token_of(client.get("/load").text)
    return client.post("/load", data={"csrf": token}, files={"file": (name, text, "text/csv")})


def waiting(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None, page.text[-500:]
    return found[1]


def uploads(web: WebClinic) -> list[Path]:
    room = web.settings.web.key_file.parent / "uploads"
    return list(room.glob("*/*"))


def first_held(client: httpx.Client, words: str) -> str:
    page = client.get("/quarantine").text
    found = re.search(rf'href="(/quarantine/\d+)">[^<]*{re.escape(words)}', page)
    assert found is not None, words
    return found[1]


def test_a_file_is_seen_before_it_is_taken(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    shown = bring(nurse)
    assert "<strong>3</strong> rows = 1 stored" in shown.text
    assert "2 in quarantine" in shown.text
    assert re.search(r"[1-9] alerts? would open", shown.text)
    assert "Frobulin" in shown.text
    assert "lab.csv" not in nurse.get("/load").text, "nothing is taken yet"
    taken = post(nurse, "/load/take", token=waiting(shown))
    assert taken.status_code == 303
    page = nurse.get(taken.headers["location"]).text
    assert "lab.csv" in page
    assert "Taken: 1 of 3 rows stored. 2 held in quarantine, judged by nobody." in page
    assert uploads(web) == []
    assert "Nora Gray: file loaded" in web.audit()
    patient = nurse.get(f"/patients/{web.patient_id('D1021')}").text
    assert "Neutrophils 0.40" in patient
    twice = post(nurse, "/load/take", token=waiting(shown))
    assert twice.status_code == 422
    assert "it was taken or left already" in twice.text


def test_a_file_of_which_nothing_is_stored_is_not_told_as_taken(web: WebClinic) -> None:
    """A green "Taken. Alerts: 0 opened" stood above a file whose every row was held."""
    nurse = web.client(Role.NURSE)
    shown = bring(nurse, HEAD + "X1,2026-03-09T08:00,neutrophils,0.4,10*9/L\n" * 2)
    assert "Nothing of it would be stored" in shown.text
    taken = post(nurse, "/load/take", token=waiting(shown))
    page = nurse.get(taken.headers["location"]).text
    told = "Nothing of its 2 rows was stored. 1 held in quarantine, judged by nobody."
    assert re.search(rf'class="message problem"[^>]*>(?:(?!</div>).)*{told}', page, re.DOTALL)
    assert "Taken" not in page


def test_a_file_that_came_before_is_said_to_have(web: WebClinic) -> None:
    nurse, line = web.client(Role.NURSE), HEAD + "D1021,2026-03-09T08:00,platelets,250,10*9/L\n"
    for told in ("Taken: 1 of 1 row stored. ", "Taken: 0 of 1 row stored, 1 known before. "):
        taken = post(nurse, "/load/take", token=waiting(bring(nurse, line)))
        page = nurse.get(taken.headers["location"]).text
        assert told in page and "Its 1 row<" in page


def test_a_file_that_is_left_leaves_nothing(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    token = waiting(bring(nurse))
    assert len(uploads(web)) == 1
    assert post(nurse, "/load/leave", token=token).status_code == 303
    assert uploads(web) == []
    gone = post(nurse, "/load/take", token=token)
    assert gone.status_code == 422
    assert "not here any more" in gone.text


def test_nobody_takes_what_somebody_else_brought(web: WebClinic) -> None:
    token = waiting(bring(web.client(Role.NURSE)))
    other = post(web.client(Role.ADMIN), "/load/take", token=token)
    assert other.status_code == 422
    for odd in ("../../etc", "1-" + "0" * 32, ""):
        assert post(web.client(Role.ADMIN), "/load/take", token=odd).status_code == 422


def test_what_is_no_file_of_a_laboratory_is_told(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    for text, name in (("", "empty.csv"), ("%PDF-1.7 ...", "scan.pdf"), (LAB, "../../lab.csv")):
        answer = bring(nurse, text, name)
        assert answer.status_code == (200 if text == LAB else 422), name
        if text == LAB:
            assert "../" not in nurse.get("/load").text
    missing = post(nurse, "/load", seen="/load")
    assert "Choose a file first" in missing.text


def test_a_layout_is_learned_and_shown_as_it_would_be_written(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    shown = bring(nurse)
    learned = post(nurse, "/load/learn", token=waiting(shown), name="north")
    assert "[sources.north]" in learned.text
    odd = post(nurse, "/load/learn", token=waiting(shown), name="no name!")
    assert odd.status_code == 422
    assert "letters, digits" in odd.text
    odd = post(nurse, "/load/learn", token=waiting(shown), name="south", date_format="backwards")
    assert odd.status_code == 422
    assert "Date format backwards: one of iso, day_first" in odd.text


def test_a_wrong_file_is_taken_back_as_one_step(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    taken = post(nurse, "/load/take", token=waiting(bring(nurse)))
    path = taken.headers["location"]
    assert post(nurse, path, seen=path, reason="").status_code == 422
    foreseen = post(nurse, path, seen=path, reason="another clinic's file")
    assert "What taking it back would do" in foreseen.text
    assert "Neutrophils 0.40" in nurse.get(f"/patients/{web.patient_id('D1021')}").text
    done = post(nurse, path, seen=path, reason="another clinic's file", agreed="yes")
    assert done.status_code == 303
    assert "Taken back by Nora Gray" in nurse.get(path).text
    patient = nurse.get(f"/patients/{web.patient_id('D1021')}").text
    assert "taken back" in patient


def test_a_held_row_is_mended_for_all_alike_and_remembered(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    post(nurse, "/load/take", token=waiting(bring(nurse)))
    path = first_held(nurse, "furlongs")
    assert "furlongs" in nurse.get(path).text
    wrong = post(nurse, f"{path}/mend", seen=path, unit="cubits")
    assert wrong.status_code == 422
    done = post(nurse, f"{path}/mend", seen=path, unit="10*9/L")
    assert done.status_code == 303
    page = nurse.get("/quarantine").text
    assert "1 tried: 1 taken" in page
    assert "furlongs" in page, "remembered"
    forget = re.search(r'action="(/quarantine/fixes/\d+)"', page)
    assert forget is not None
    assert post(nurse, forget[1], seen="/quarantine").status_code == 303
    assert "furlongs" not in nurse.get("/quarantine").text


def test_rows_are_let_go_with_a_reason_only(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    post(nurse, "/load/take", token=waiting(bring(nurse)))
    path = first_held(nurse, "Frobulin")
    assert post(nurse, f"{path}/discard", seen=path, reason="").status_code == 422
    assert post(nurse, f"{path}/discard", seen=path, reason="not ours").status_code == 303
    assert "It is not held any more" in nurse.get(path).text


def test_a_viewer_loads_and_mends_nothing(web: WebClinic) -> None:
    viewer = web.client(Role.VIEWER)
    for path in ("/load", "/quarantine"):
        assert viewer.get(path).status_code == 403, path
        assert post(viewer, path).status_code in (403, 405), path


def test_older_files_are_pages_away(web: WebClinic) -> None:
    """The list shows the latest and leads to the others; none is out of reach."""
    nurse = web.client(Role.NURSE)
    for number in range(31):
        row = f"D1021,2026-03-09T08:00,platelets,{200 + number},10*9/L\n"
        page = bring(nurse, HEAD + row, f"lab-{number}.csv")
        post(nurse, "/load/take", token=waiting(page))
    latest = nurse.get("/load").text
    assert "lab-30.csv" in latest and "lab-0.csv" not in latest
    path = latest.split('href="/load?before=')[1].split('"')[0]
    older = nurse.get(f"/load?before={path}").text
    assert "lab-0.csv" in older and "lab-30.csv" not in older
    assert nurse.get("/load?before=99999999999999999999").status_code == 404


def test_a_patient_who_was_refused_is_not_said_to_wait_in_quarantine(web: WebClinic) -> None:
    """ "Quarantine 2" stood beside a file of patients, and the quarantine held neither."""
    path = web.folder / "patients.csv"
    path.write_text("mrn,drug,started_on\nN1,azathioprine,2026-03-09\nN2,azathioprine,soon\n")
    enrol_file(web.store, web.settings, path, web.now)
    nurse = web.client(Role.NURSE)
    files = nurse.get("/load").text
    assert 'data-label="Not taken">1<small>refused</small></td>' in files
    address = re.search(r'href="(/load/\d+)">patients.csv<', files)
    assert address is not None
    page = nurse.get(address[1]).text
    assert "<dt>refused</dt><dd>1</dd>" in page and "<dt>quarantined</dt>" not in page


def test_a_name_of_many_letters_is_no_fault_of_ours(web: WebClinic) -> None:
    """A system bounds a name by its bytes, and letters of most of the world take several."""
    nurse = web.client(Role.NURSE)
    for letter in ("я", "検", "😀"):
        name = f"{letter * 200}.csv"
        file = {"file": (name, "mrn,collected_at,analyte,value,unit\n")}
        fields = {"csrf": token_of(nurse.get("/load").text)}
        assert nurse.post("/load", data=fields, files=file).status_code < 500, letter


def test_a_button_that_is_pressed_twice_takes_a_file_once(web: WebClinic) -> None:
    """The answer to the second press is what is seen: it said that nothing was taken, and among
    what came the file stood twice."""
    nurse = web.client(Role.NURSE)
    header = "mrn,collected_at,analyte,value,unit\n"
    rows = "".join(f"D1021,2026-02-{day:02d}T08:{day},alt,20,U/L\n" for day in range(10, 28))
    form = {"csrf": token_of(nurse.get("/load").text)}
    shown = nurse.post("/load", data=form, files={"file": ("twice.csv", header + rows)}).text
    fields = form | {"token": shown.partition('name="token" value="')[2].partition('"')[0]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: nurse.post("/load/take", data=fields), range(4)))
    assert sorted(it.status_code for it in answers) == [303, 422, 422, 422]
    for late in (it for it in answers if it.status_code == 422):
        assert "it was taken or left already" in late.text
    assert nurse.get("/load").text.count("twice.csv") == 1


def test_a_file_that_could_not_be_taken_waits_for_another_try(
    web: WebClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = web.client(Role.NURSE)
    form = {"csrf": token_of(nurse.get("/load").text)}
    lines = "mrn,collected_at,analyte,value,unit\nD1021,2026-02-10T08:00,alt,20,U/L\n"
    shown = nurse.post("/load", data=form, files={"file": ("again.csv", lines)}).text
    fields = form | {"token": shown.partition('name="token" value="')[2].partition('"')[0]}
    with monkeypatch.context() as patched:
        patched.setattr(arrivals, "load", busy)
        assert nurse.post("/load/take", data=fields).status_code == 503
    assert nurse.post("/load/take", data=fields).status_code == 303


def busy(*_given: object, **_named: object) -> None:
    raise StoreError("the database is busy")
