"""`config.toml` and its overrides by environment variables, as frozen settings."""

from monitor.config.book import locale_of, recipient_of, route_book
from monitor.config.channels import Alarm, Bounces, Mail, Queue, Relay, Syslog, Webhook
from monitor.config.clinic import Clinic, Database, Heartbeat, Retention, Schedules
from monitor.config.field_types import UNCHANGED_EMAIL
from monitor.config.mllp import Mllp
from monitor.config.models import Settings, section_models
from monitor.config.read import load_settings, read_settings
from monitor.config.secrets import missing_secrets
from monitor.config.section import Section
from monitor.config.sources import Intake, Source
from monitor.config.telling import Escalation, Recipient, Route
from monitor.config.web import Web

__all__ = [
    "UNCHANGED_EMAIL",
    "Alarm",
    "Bounces",
    "Clinic",
    "Database",
    "Escalation",
    "Heartbeat",
    "Intake",
    "Mail",
    "Mllp",
    "Queue",
    "Recipient",
    "Relay",
    "Retention",
    "Route",
    "Schedules",
    "Section",
    "Settings",
    "Source",
    "Syslog",
    "Web",
    "Webhook",
    "load_settings",
    "locale_of",
    "missing_secrets",
    "read_settings",
    "recipient_of",
    "route_book",
    "section_models",
]
