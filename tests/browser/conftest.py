"""A real browser: Debian's Chromium, driven by playwright, and axe for accessibility.

Where there is no Chromium the tests of this folder are left out and the summary says so, or
they fail where CI is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from monitor.core.permissions import Role
from tests.conftest import chromium
from tests.web_clinic import PASSWORD, PEOPLE, WebClinic

_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
)  # fmt: skip
_PATIENCE = 10_000
"""Milliseconds that a page has for what a story expects of it."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ended with its module: while it lives, nothing else of this process can run an event loop."""
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.fail("CI must test in a browser, but there is no Chromium: apt install chromium")
    browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
    yield browser
    browser.close()


class Person:
    """Somebody before a browser of their own."""

    def __init__(self, web: WebClinic, page: Page) -> None:
        self.web, self.page = web, page
        self.said: list[str] = []
        """What the browser complained of: refused scripts and styles, faults of our script."""
        page.on("console", lambda it: self._hear(it.type, it.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "status of 4" not in text:
            self.said.append(text)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.web.url}{path}")

    def settled(self) -> None:
        """The page is whole and its script has run: keys are listened to."""
        self.page.wait_for_load_state("load")

    def sign_in(self, role: Role, password: str = PASSWORD) -> None:
        """Fill the form of /sign-in, wherever it was met."""
        self.page.get_by_label("Name").fill(PEOPLE[role][0])
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def check_accessible(self, *, only_contrast: bool = False) -> None:
        """Nothing that axe knows of WCAG 2.2 AA is wrong with the page as it stands."""
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        run_only = {"type": "tag", "values": rules}
        if only_contrast:
            run_only = {"type": "rule", "values": ["color-contrast"]}
        options = {"runOnly": run_only, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        told = [f"{it['id']}: {node['html'][:120]}" for it in found for node in it["nodes"]]
        assert not told, f"{self.page.url}\n" + "\n".join(told)


@pytest.fixture
def someone(web: WebClinic, chrome: Browser) -> Iterator[Any]:
    """Calls people to their browsers: `someone(Role.NURSE)` is signed in, `someone()` is not.
    What is passed by name goes to the browser's context: `color_scheme="dark"`."""
    contexts = []

    def call(role: Role | None = None, **context: Any) -> Person:
        own = chrome.new_context(**context)
        contexts.append(own)
        page = own.new_page()
        page.set_default_timeout(_PATIENCE)
        person = Person(web, page)
        if role is not None:
            person.open("/sign-in")
            person.sign_in(role)
            page.wait_for_url(f"{web.url}/")
        return person

    yield call
    for context in contexts:
        context.close()
