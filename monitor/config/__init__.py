"""`config.toml` and its overrides by environment variables, as frozen settings."""

from monitor.config.mllp import Mllp
from monitor.config.models import (
    UNCHANGED_EMAIL,
    Alarm,
    Bounces,
    Clinic,
    Database,
    Heartbeat,
    Intake,
    Mail,
    Queue,
    Relay,
    Retention,
    Route,
    Schedules,
    Settings,
    Source,
    Syslog,
    Web,
    Webhook,
    section_models,
)
from monitor.config.read import load_settings, read_settings
from monitor.config.section import Section

__all__ = [
    "UNCHANGED_EMAIL",
    "Alarm",
    "Bounces",
    "Clinic",
    "Database",
    "Heartbeat",
    "Intake",
    "Mail",
    "Mllp",
    "Queue",
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
    "section_models",
]
