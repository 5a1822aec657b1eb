"""A mail as bytes: whatever it says, the library reads back what was laid out, and what the
library itself would have put together says the same."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from html import unescape
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.delivery.message import Picture, Rendered
from monitor.delivery.mime import SENDER_NAME, to_bytes
from monitor.delivery.words import one_line
from monitor.store.leases import Leased
from tests.golden.mail_samples import NOW, leased
from tests.golden.mail_samples import settings as clinic_settings

SETTINGS = clinic_settings("full")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=300)
TEXTS = st.lists(WORDS, max_size=12).map("\n".join)
CIDS = st.from_regex(r"trend-[0-9]{1,4}\.[a-z0-9]{8}@hill\.example", fullmatch=True)
PICTURES = st.builds(Picture, cid=CIDS, png=st.binary(max_size=300))
MAILS = st.builds(
    Rendered,
    subject=WORDS,
    text=TEXTS,
    html=TEXTS,
    pictures=st.lists(PICTURES, max_size=2).map(tuple),
    alert_ids=st.lists(st.integers(1, 10**9), max_size=25).map(tuple),
    whole_list=st.one_of(st.just(""), TEXTS),
)


def made_by_the_library(mail: Rendered, message: Leased) -> EmailMessage:
    """The same mail, put together by the standard library."""
    made = EmailMessage(policy=policy.SMTP.clone(max_line_length=200))
    made["Subject"] = one_line(mail.subject)
    made["From"] = Address(SENDER_NAME, addr_spec=SETTINGS.mail.sender)
    made["To"] = message.recipient
    made["Reply-To"] = SETTINGS.clinic.email
    made["Date"] = NOW
    made["Message-ID"] = message.message_id
    if mail.alert_ids:
        ours = f"{message.installation}@hill.example"
        made["References"] = " ".join(f"<alert-{key}.{ours}>" for key in mail.alert_ids[:20])
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    if message.urgency == "critical":
        made["Importance"] = "high"
        made["X-Priority"] = "1"
    made.set_content(mail.text)
    made.add_alternative(mail.html, subtype="html")
    html = made.get_payload(1)
    assert isinstance(html, EmailMessage)
    for picture in mail.pictures:
        html.add_related(
            picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline",
            filename=f"{picture.cid.split('.')[0]}.png",
        )  # fmt: skip
    if mail.whole_list:
        made.add_attachment(mail.whole_list, subtype="csv", charset="utf-8", filename="alerts.csv")
    return made


def told(raw: bytes) -> list[Any]:
    """Headers, order of parts and what is in them, as a mail program reads them."""
    mail = message_from_bytes(raw, policy=policy.default)
    said: list[Any] = [
        sorted(
            (name, " ".join(str(value).split()))
            for name, value in mail.items()
            if name != "Content-Type"
        )
    ]
    for part in mail.walk():
        assert isinstance(part, EmailMessage)
        assert not part.defects
        about = (
            part.get_content_type(),
            part.get_filename(),
            part["Content-ID"],
            part.get_content_disposition(),
        )
        said.append((about, None if part.is_multipart() else shown(part)))
    return said


def shown(part: EmailMessage) -> Any:
    """What a part holds; of HTML, whichever way it writes a letter."""
    content = part.get_content()
    return unescape(content) if part.get_content_type() == "text/html" else content


@settings(max_examples=60, deadline=None)
@given(MAILS, st.sampled_from(["critical", "urgent"]))
def test_a_mail_says_what_the_library_would_have_it_say(mail: Rendered, urgency: str) -> None:
    message = leased("alert", urgency)
    raw = to_bytes(mail, message, SETTINGS, NOW)
    assert told(raw) == told(made_by_the_library(mail, message).as_bytes())
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def html_of(text: str) -> EmailMessage:
    """The HTML of a mail that says this, as a mail program gets it."""
    raw = to_bytes(
        Rendered(subject="a", text="b", html=text), leased("alert", "urgent"), SETTINGS, NOW
    )
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("html",))
    assert isinstance(body, EmailMessage)
    assert unescape(body.get_content()).splitlines() == [text]
    return body


def test_html_goes_as_it_is_and_says_other_letters_by_references() -> None:
    """So that it reads well as it stands, and no server has to decode it."""
    body = html_of('<p title="Thrombozyten über 10⁹/L">Jürgen Müller: steigt weiter an</p>')
    assert body["Content-Transfer-Encoding"] == "7bit"
    assert "J&#252;rgen M&#252;ller" in body.get_content()


def test_html_of_other_letters_stays_in_them() -> None:
    body = html_of("<p>Лейкоциты ниже границы, доза 50 мг</p>" * 3)
    assert body["Content-Transfer-Encoding"] == "base64"


def test_html_of_longer_lines_than_a_server_takes_is_encoded() -> None:
    body = html_of("<p>" + "neutrophils " * 80 + "</p>")
    assert body["Content-Transfer-Encoding"] == "quoted-printable"


def test_a_text_that_looks_like_a_boundary_ends_no_part() -> None:
    message = leased("alert", "urgent")
    first = to_bytes(Rendered(subject="a", text="b", html="c"), message, SETTINGS, NOW)
    boundary = first.split(b'boundary="')[1].split(b'"')[0].decode()
    mail = Rendered(subject="a", text=f"b\n--{boundary}--\nd", html="c")
    parsed = message_from_bytes(to_bytes(mail, message, SETTINGS, NOW), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == f"b\n--{boundary}--\nd\n"


def test_a_repeat_is_the_same_mail_to_the_byte() -> None:
    mail = Rendered(subject="a", text="b", html="c", whole_list="d")
    message = leased("alert", "urgent")
    again = to_bytes(mail, replace(message, attempts=3), SETTINGS, NOW)
    assert again == to_bytes(mail, message, SETTINGS, NOW)
