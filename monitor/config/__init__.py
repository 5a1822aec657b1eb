"""`config.toml` and its overrides by environment variables, as frozen settings."""

from monitor.config.book import route_book
from monitor.config.mllp import Mllp
from monitor.config.models import (
    UNCHANGED_EMAIL,
    Alarm,
    Bounces,
    Clinic,
    Database,
    Escalation,
    Heartbeat,
    Intake,
    Mail,
    Queue,
    Recipient,
    Relay,
    Retention,
    Route,
    Schedules,
    Settings,
    Source,
    Syslog,
    Webhook,
    section_models,
)
from monitor.config.read import load_settings, read_settings
from monitor.config.section import Section
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
    "read_settings",
    "route_book",
    "section_models",
]
