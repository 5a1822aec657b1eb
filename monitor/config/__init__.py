"""`config.toml` and its overrides by environment variables, as frozen settings."""

from monitor.config.models import (
    UNCHANGED_EMAIL,
    Clinic,
    Database,
    Heartbeat,
    Intake,
    Mail,
    Retention,
    Route,
    Schedules,
    Section,
    Settings,
    Source,
    Web,
    section_models,
)
from monitor.config.read import load_settings, read_settings

__all__ = [
    "UNCHANGED_EMAIL",
    "Clinic",
    "Database",
    "Heartbeat",
    "Intake",
    "Mail",
    "Retention",
    "Route",
    "Schedules",
    "Section",
    "Settings",
    "Source",
    "Web",
    "load_settings",
    "read_settings",
    "section_models",
]
