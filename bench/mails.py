"""Mails laid out a second on one core: evidence to view, sentences, figure and MIME, each of a
patient of its own, beside the bare work: one cached template and the library's MIME."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from jinja2 import Environment

from bench.plan import Plan, alone, apart, this
from bench.postbox import evidence
from bench.record import Peer, Record
from monitor.delivery.message import render_alerts
from monitor.delivery.mime import to_bytes
from monitor.delivery.view import Standing
from tests.golden.mail_samples import ANNA, NOW, leased, settings, view_of

TITLE = "Mails laid out"
DATABASES = ("",)
_TEMPLATE = Environment(autoescape=True).from_string(
    "<html><body><h1>{{ subject }}</h1><table>{% for row in rows %}<tr><td>{{ row.at }}</td>"
    "<td>{{ row.value }}</td><td>{{ row.received }}</td></tr>{% endfor %}</table>"
    "{% for line in say %}<p>{{ line }}</p>{% endfor %}</body></html>"
)


def sizes(scale: str) -> Sequence[int]:
    """Mails."""
    return {"quick": (100,), "usual": (300,), "full": (1_000,)}[scale]


def run(plan: Plan) -> list[Record]:
    """Ours with a figure, without, in German; and the peer."""
    ways: dict[str, Callable[[int], float]] = {
        "ours": ours, "german": german, "template": template_and_mime,
    }  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in ways}
    memory = []
    for _ in range(plan.repeats):
        for name, way in ways.items():
            measured = apart(way, plan.size)
            found[name].append(plan.size / measured.value)
            if name == "ours":
                memory.append(measured.peak_mib)
    peer = (Peer(name="template + MIME of the library, no figure", values=found["template"]),)
    return [
        Record(what="critical mails with a figure of their own", unit="mails/s of CPU",
               values=found["ours"], peers=peer, reach=300, peak_mib=memory,
               goal="mails with a figure laid out, a core"),
        Record(what="the same in German", unit="mails/s of CPU", values=found["german"],
               peers=peer),
    ]  # fmt: skip


def ours(count: int, locale: str = "en") -> float:
    """CPU seconds for so many mails, after the first."""
    message, clinic = leased("alert", "critical"), settings("full", locale=locale)

    def one(number: int) -> None:
        shown = evidence(number)
        standing = Standing(opened_at=NOW, state="open")
        view = view_of(
            number, shown, ANNA, standing, what="opened", reason="", now=NOW,
            zone=clinic.clinic.zone,
        )  # fmt: skip
        to_bytes(render_alerts(message, [view], clinic, NOW), message, clinic, NOW)

    return _busy(one, count)


def german(count: int) -> float:
    """The same for a German reader."""
    return ours(count, "de")


def template_and_mime(count: int) -> float:
    """What any program of this kind has to do at least."""

    def one(number: int) -> None:
        shown = evidence(number)
        values: dict[str, Any] = {"subject": shown["summary"], "rows": shown["series"]}
        html = _TEMPLATE.render(values, say=shown["say"])
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = shown["summary"]
        mail["From"], mail["To"] = "monitor@hill.example", f"nurse{number}@hill.example"
        mail["Message-ID"] = f"<{number}@hill.example>"
        mail.set_content(shown["summary"])
        mail.add_alternative(html, subtype="html")
        mail.as_bytes()

    return _busy(one, count)


def _busy(one: Callable[[int], None], count: int) -> float:
    one(0)
    began = time.process_time()
    for number in range(1, count + 1):
        one(number)
    return time.process_time() - began


if __name__ == "__main__":
    alone(this(__name__))
