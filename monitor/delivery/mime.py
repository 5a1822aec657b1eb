"""From a mail that is laid out to RFC 5322: text and HTML, figures inside, headers that a
repeat shares."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from monitor.config import Settings
from monitor.delivery.message import Rendered
from monitor.delivery.words import one_line
from monitor.store.outbox import Leased, domain_of

SENDER_NAME = "Laboratory monitor"
"""Says neither clinic nor drug: a sender stands on locked screens like a subject."""
_ONE_LINE_SUBJECTS = SMTP.clone(max_line_length=200)
"""A folded subject begins with an empty line or shows its fold in some clients."""


def to_email(
    rendered: Rendered, message: Leased, settings: Settings, now: datetime
) -> EmailMessage:
    """RFC 5322 with text and HTML, figures inside, and the headers a repeat shares."""
    mail = EmailMessage(policy=_ONE_LINE_SUBJECTS)
    mail["Subject"] = one_line(rendered.subject)
    mail["From"] = Address(SENDER_NAME, addr_spec=settings.mail.sender)
    mail["To"] = message.recipient
    mail["Reply-To"] = settings.clinic.email
    mail["Date"] = now
    mail["Message-ID"] = message.message_id
    if rendered.alert_ids:
        ours = f"{message.installation}@{domain_of(settings.mail.sender)}"
        mail["References"] = " ".join(f"<alert-{key}.{ours}>" for key in rendered.alert_ids[:20])
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.urgency == "critical":
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    html = mail.get_payload(1)
    assert isinstance(html, EmailMessage)
    for picture in rendered.pictures:
        html.add_related(
            picture.png,
            "image",
            "png",
            cid=f"<{picture.cid}>",
            disposition="inline",
            filename=f"{picture.cid.split('.')[0]}.png",
        )
    if rendered.whole_list:
        mail.add_attachment(
            rendered.whole_list, subtype="csv", charset="utf-8", filename="alerts.csv"
        )
    return mail
