"""Signing in: names and passwords, the second factor, guesses, sessions that end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from monitor.config.web import Web
from monitor.core.permissions import Role
from monitor.operations import accounts, passwords, sessions
from monitor.operations.accounts import AccountRefused
from monitor.operations.passwords import WeakPassword, check
from monitor.store import tables
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.tables import table_of
from monitor.web.pace import Pace
from tests.web_clinic import NOW, PASSWORD, WebClinic, post, token_of, web_clinic

NURSE = "n.gray"


def is_in(client: httpx.Client) -> bool:
    return client.get("/account").status_code == 200


def test_whoever_signs_in_comes_where_they_wanted(web: WebClinic) -> None:
    client = web.client()
    first = client.get("/alerts/1?back=/%3Fview%3Dall")
    assert first.headers["location"] == "/sign-in?next=/alerts/1%3Fback%3D/%253Fview%253Dall"
    form = client.get(first.headers["location"])
    fields = {"csrf": token_of(form.text), "name": NURSE, "password": PASSWORD}
    fields["next"] = "/alerts/1?back=/%3Fview%3Dall"
    done = client.post("/sign-in", data=fields)
    assert (done.status_code, done.headers["location"]) == (303, fields["next"])
    assert is_in(client)
    assert web.audit()[-1] == "Nora Gray: signed in"


@pytest.mark.parametrize(
    "path", ["//elsewhere.example", "https://elsewhere.example", "/\\e.example", "http://["]
)
def test_nobody_is_led_elsewhere(web: WebClinic, path: str) -> None:
    client = web.client()
    fields = {"csrf": token_of(client.get("/sign-in").text), "name": NURSE}
    fields |= {"password": PASSWORD, "next": path}
    assert client.post("/sign-in", data=fields).headers["location"] == "/"


def test_cookies_are_kept_from_script_and_from_other_sites(web: WebClinic) -> None:
    client = web.client()
    token = token_of(client.get("/sign-in").text)
    answer = client.post(
        "/sign-in", data={"csrf": token, "name": NURSE, "password": PASSWORD, "next": "/"}
    )
    (cookie,) = [it for it in answer.headers.get_list("set-cookie") if it.startswith("monitor=")]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie  # plain http on this machine alone
    kept = web.store.engine.connect().execute(table_of(tables.SessionRow).select()).all()
    assert client.cookies["monitor"] not in str(kept)


def test_behind_https_cookies_never_go_by_http(made_clinic: Path, tmp_path: Path) -> None:
    more = 'public_url = "https://monitor.clinic.example"'
    with web_clinic(made_clinic, tmp_path, more) as own:
        answer = own.client().get("/sign-in")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age=" in answer.headers["strict-transport-security"]


def test_behind_a_proxy_that_hands_on_another_name_people_get_in(
    made_clinic: Path, tmp_path: Path
) -> None:
    """As nginx does unless it is told otherwise."""
    public = "https://monitor.clinic.example"
    with web_clinic(made_clinic, tmp_path, f'public_url = "{public}"') as own:
        for origin, status in ((public, 303), ("https://elsewhere.example", 403), ("null", 403)):
            client = own.client()
            page = client.get("/sign-in")
            cookie = page.headers["set-cookie"].partition(";")[0]
            answer = client.post(
                "/sign-in",
                data={"csrf": token_of(page.text), "name": NURSE, "password": PASSWORD},
                headers={"Origin": origin, "Sec-Fetch-Site": "same-origin", "Cookie": cookie},
            )
            assert answer.status_code == status, origin


@pytest.mark.parametrize(
    "written", ["https://Monitor.Clinic.Example", "https://monitor.clinic.example:443/"]
)
def test_an_address_that_is_written_otherwise_is_the_same(
    made_clinic: Path, tmp_path: Path, written: str
) -> None:
    """Browsers write it small and leave the usual port out: every form was refused as foreign."""
    with web_clinic(made_clinic, tmp_path, f'public_url = "{written}"') as own:
        client = own.client()
        page = client.get("/sign-in")
        assert "Secure" in page.headers["set-cookie"]
        cookie = page.headers["set-cookie"].partition(";")[0]
        answer = client.post(
            "/sign-in",
            data={"csrf": token_of(page.text), "name": NURSE, "password": PASSWORD},
            headers={"Origin": "https://monitor.clinic.example", "Cookie": cookie},
        )
        assert answer.status_code == 303


def test_a_wrong_password_and_a_wrong_name_are_told_alike(web: WebClinic) -> None:
    told = set()
    for name in (NURSE, "nobody.here"):
        answer = web.sign_in(web.client(), name, "not the password")
        assert answer.status_code == 401
        told.add(answer.text.replace(name, "NAME").split("<form")[0])
    assert len(told) == 1
    assert web.audit()[-2:] == ["Nora Gray: sign-in failed", "nobody known: sign-in failed"]


def test_guesses_are_made_slow_and_then_stop(web: WebClinic) -> None:
    client = web.client()
    statuses = [web.sign_in(client, NURSE, f"guess {n}").status_code for n in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    answer = web.sign_in(client, NURSE)
    assert answer.status_code == 429
    assert "Nothing is tried for the next" in answer.text
    web.now += timedelta(seconds=2)
    assert web.sign_in(client, NURSE).status_code == 303


def test_a_name_is_closed_for_a_while(web: WebClinic) -> None:
    client = web.client()
    for n in range(10):
        assert web.sign_in(client, NURSE, f"guess {n}").status_code == 401
        web.now += timedelta(minutes=3)
    web.now += timedelta(minutes=9)
    assert web.sign_in(client, NURSE).status_code == 429
    assert web.sign_in(web.client(), "c.field").status_code == 303  # others get in
    web.now += timedelta(minutes=4)
    assert web.sign_in(client, NURSE).status_code == 303


@pytest.mark.parametrize("act", ["password", "second-factor"])
def test_who_an_admin_sees_to_need_not_wait_for_the_door(web: WebClinic, act: str) -> None:
    """Whoever was locked out by guesses of others rang the admin, got a new password and was told
    that nothing is tried for another quarter of an hour."""
    client = web.client()
    for n in range(10):
        web.sign_in(client, NURSE, f"guess {n}")
        web.now += timedelta(minutes=3)
    assert web.sign_in(client, NURSE).status_code == 429
    answer = post(web.client(Role.ADMIN), f"/people/{NURSE}/{act}")
    given = answer.text.partition('<code class="password">')[2].partition("<")[0]
    assert web.sign_in(client, NURSE, given or PASSWORD).status_code == 303


@pytest.mark.parametrize("how", ["changed", "disabled"])
def test_a_password_that_is_changed_while_it_is_tried_opens_nothing(
    web: WebClinic, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """To try one takes a while, and whoever knew the old one was in for twelve hours."""
    tried = passwords.matches

    def meanwhile(password: str, kept: str) -> bool:
        right = tried(password, kept)
        by = ON_THE_COMMAND_LINE
        if how == "changed":
            new = "quiet lamp orchard"
            accounts.set_password(web.store, NURSE, new, must_change=False, by=by, now=web.now)
        else:
            accounts.disable(web.store, NURSE, by=by, now=web.now)
        return right

    monkeypatch.setattr(passwords, "matches", meanwhile)
    assert web.sign_in(web.client(), NURSE).status_code == 401


def test_many_who_sign_in_at_once_leave_the_daemon_its_memory(
    web: WebClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To try a password takes 64 MiB: thirty wrong ones at once, by whoever has no account, took
    two GiB of the process that watches the patients."""
    count = Counted(passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", count)
    passwords._nobody.cache_clear()
    clients = [web.client() for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda it: web.sign_in(it, f"{id(it)}").status_code, clients))
    assert statuses == [401] * 12
    assert 1 <= count.most <= 2


class Counted:
    """A hasher that knows how many were at it at once."""

    def __init__(self, own: PasswordHasher) -> None:
        self.own, self.lock, self.now, self.most = own, threading.Lock(), 0, 0

    def verify(self, kept: str, password: str) -> bool:
        with self.counted():
            return self.own.verify(kept, password)

    def hash(self, password: str) -> str:
        with self.counted():
            return self.own.hash(password)

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self.lock:
                self.now -= 1


def test_a_ward_behind_one_address_is_not_asked_to_wait() -> None:
    """A hundred screens show the worklist, each of which asks every three seconds: of thirty the
    last ones were refused, and with them whoever wanted to sign in."""
    second = 0.0
    pace = Pace(Web().requests_a_minute, clock=lambda: second)
    for second in map(float, range(0, 600, 3)):
        waits = [pace.wait("the proxy") for _ in range(100)]
        assert not any(waits), second


def test_a_session_ends_when_nothing_is_done_and_in_any_case(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    for _ in range(24):
        web.now += timedelta(minutes=29)
        assert is_in(client)
    web.now = NOW + timedelta(hours=12)
    assert not is_in(client)
    client = web.client(Role.NURSE)
    web.now += timedelta(minutes=30)
    assert not is_in(client)


def test_what_is_sent_after_the_session_ended_is_not_done_and_the_door_says_so(
    web: WebClinic,
) -> None:
    client = web.client(Role.NURSE)
    alert = web.alert_id(state="open")
    fields = {"csrf": token_of(client.get(f"/alerts/{alert}").text), "text": "rang twice"}
    web.now += timedelta(hours=1)
    sent = client.post(f"/alerts/{alert}/comment", data=fields)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?unsent=yes")
    assert "what you sent was not done" in client.get(sent.headers["location"]).text
    door = "/sign-in?unsent=yes"
    for came_from, leads_to in (
        (f"{web.url}/alerts/{alert}", f"{door}&next=/alerts/{alert}"),
        (f"https://elsewhere.example/alerts/{alert}", door),
        ("http://[", door),
    ):
        referer = {"referer": came_from}
        sent = client.post(f"/alerts/{alert}/comment", data=fields, headers=referer)
        assert sent.headers["location"] == leads_to
    assert "was not done" not in client.get("/sign-in").text


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    for _ in range(6):
        web.now += timedelta(minutes=5)
        client.get("/worklist/seen")
    assert not is_in(client)


def test_sessions_that_ended_are_removed_and_the_trail_is_kept(web: WebClinic) -> None:
    """A month after the last thing done in them, and guesses a day after; nobody who is signed in
    is signed out by it."""
    began = web.now
    web.client(Role.NURSE)
    web.sign_in(web.client(), NURSE, "perhaps it is this")
    kept = web.settings.web.sessions_kept.span
    for later, left in ((timedelta(0), 1), (kept, 1), (kept + timedelta(minutes=5), 0)):
        gone = sessions.prune(web.store, web.settings, began + later)
        with web.store.read() as connection:
            assert len(connection.execute(table_of(tables.SessionRow).select()).all()) == left
            guesses = connection.execute(table_of(tables.ThrottleRow).select()).all()
        assert bool(gone) is not bool(left)
        assert bool(guesses) is (later == timedelta(0))
    web.now = began + kept + timedelta(minutes=5)
    late = web.client(Role.VIEWER)
    sessions.prune(web.store, web.settings, web.now + timedelta(minutes=5))
    assert is_in(late)
    assert web.audit()[-3:-1] == ["Nora Gray: signed in", "Nora Gray: sign-in failed"]


def test_signing_out_ends_the_session(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    token = client.cookies["monitor"]
    assert post(client, "/sign-out").headers["location"] == "/sign-in"
    client.cookies.set("monitor", token)
    assert not is_in(client)


def test_a_changed_password_signs_out_everywhere_else(web: WebClinic) -> None:
    here, there = web.client(Role.NURSE), web.client(Role.NURSE)
    fields = {"old": PASSWORD, "new": "a better one altogether", "again": "a better one altogether"}
    wrong = post(here, "/account/password", **(fields | {"old": "not it"}))
    assert (wrong.status_code, is_in(there)) == (422, True)
    done = post(here, "/account/password", **fields)
    assert done.status_code == 303
    assert "Your password is changed" in here.get("/account").text
    assert not is_in(there)
    assert web.sign_in(web.client(), NURSE).status_code == 401


def test_the_second_factor(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    page = client.get("/account/second-factor").text
    secret = page.split("<code>")[1].split("</code>")[0].replace(" ", "")
    totp = pyotp.TOTP(secret)
    assert post(client, "/account/second-factor", code="000000").status_code == 422
    assert post(client, "/account/second-factor", code=totp.at(web.now)).status_code == 303

    other = web.client()
    assert web.sign_in(other, NURSE).status_code == 303
    assert other.get("/").headers["location"] == "/sign-in/code"
    fields = {"csrf": token_of(other.get("/sign-in/code").text), "next": "/"}
    again = other.post("/sign-in/code", data={**fields, "code": totp.at(web.now)})
    assert again.status_code == 401  # a code is taken once
    web.now += timedelta(seconds=30)
    done = other.post("/sign-in/code", data={**fields, "code": totp.at(web.now)})
    assert done.status_code == 303
    assert is_in(other)
    rows = web.store.engine.connect().execute(table_of(tables.UserRow).select()).all()
    assert secret not in str(rows)
    assert (web.folder / "web.key").stat().st_mode & 0o077 == 0


def test_a_second_factor_that_cannot_be_read_is_told_with_what_helps(web: WebClinic) -> None:
    """The key was lost with the machine; whoever signed in was told of a fault of ours."""
    client = web.client(Role.NURSE)
    page = client.get("/account/second-factor").text
    totp = pyotp.TOTP(page.split("<code>")[1].split("</code>")[0].replace(" ", ""))
    assert post(client, "/account/second-factor", code=totp.at(web.now)).status_code == 303
    (web.folder / "web.key").unlink()
    web.now += timedelta(seconds=30)
    other = web.client()
    web.sign_in(other, NURSE)
    fields = {"csrf": token_of(other.get("/sign-in/code").text), "code": totp.at(web.now)}
    told = other.post("/sign-in/code", data=fields)
    assert told.status_code == 422
    assert "cannot be read with the key in use: an admin resets it." in told.text


def test_a_role_that_needs_a_second_factor_gets_on_with_one_only(
    made_clinic: Path, tmp_path: Path
) -> None:
    with web_clinic(made_clinic, tmp_path, 'second_factor = ["admin"]') as own:
        admin = own.client(Role.ADMIN)
        assert admin.get("/people").headers["location"] == "/account/second-factor?next=/people"
        assert own.client(Role.NURSE).get("/").status_code == 200


def test_a_given_password_is_changed_first(web: WebClinic) -> None:
    admin = web.client(Role.ADMIN)
    answer = post(admin, "/people", name="new.one", full_name="New One", role="nurse")
    given = answer.text.split('<code class="password">')[1].split("<")[0]
    client = web.client()
    assert web.sign_in(client, "new.one", given).status_code == 303
    assert client.get("/").headers["location"] == "/account/password"
    fields = {"old": given, "new": "quiet lamp orchard", "again": "quiet lamp orchard"}
    assert post(client, "/account/password", seen="/account/password", **fields).status_code == 303
    assert client.get("/").status_code == 200


def test_an_admin_resets_and_disables(web: WebClinic) -> None:
    admin, nurse = web.client(Role.ADMIN), web.client(Role.NURSE)
    assert post(admin, "/people/n.gray/disable").status_code == 303
    assert not is_in(nurse)
    assert web.sign_in(web.client(), NURSE).status_code == 401
    post(admin, "/people/n.gray/enable")
    assert web.sign_in(web.client(), NURSE).status_code == 303
    last = post(admin, "/people/a.moore/disable")
    assert last.status_code == 422
    assert "the last admin" in last.text
    post(admin, "/people/n.gray/role", role="viewer")
    assert web.client(Role.NURSE).get("/account").text.count("<dd>viewer</dd>") == 1


def test_names_tell_people_apart(web: WebClinic) -> None:
    for name, full_name, why in (
        ("N.GRAY", "Another", "is taken"),
        ("other", "nora  gray", "is taken"),
        ("other", "Nora\u200b Gray", "signs that can be seen"),
        ("other", "x" * 101, "up to 100 signs"),
        ("Monitor", "", "the monitor itself"),
    ):
        with pytest.raises(AccountRefused, match=why):
            accounts.add(
                web.store,
                name=name,
                full_name=full_name,
                role=Role.NURSE,
                password=PASSWORD,
                must_change=False,
                by=ON_THE_COMMAND_LINE,
                now=NOW,
            )


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("too short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("n.gray is my name", "name of its owner"),
        ("ababababababab", "over and over"),
    ],
)
def test_weak_passwords_are_not_taken(password: str, why: str) -> None:
    with pytest.raises(WeakPassword, match=why):
        check(password, NURSE)


def test_pages_are_kept_nowhere_and_run_nothing_foreign(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    for path in ("/", "/alerts/1", "/nothing-here", "/sign-in"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store", path
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    page = client.get("/").text
    assert "style=" not in page and "<style" not in page and " on" + "click" not in page


def test_bodies_are_bounded_and_visitors_paced(made_clinic: Path, tmp_path: Path) -> None:
    with web_clinic(made_clinic, tmp_path, "requests_a_minute = 10") as own:
        client = own.client()
        token = token_of(client.get("/sign-in").text)
        fields = {"csrf": token, "name": "x" * 2**21, "password": "", "next": "/"}
        large = client.post("/sign-in", data=fields)
        assert large.status_code == 413
        assert "At most 1 MiB" in large.text
        statuses = [client.get("/sign-in").status_code for _ in range(12)]
        assert statuses[-1] == 429
