"""What keeps the monitor itself in order: `[backup]`, `[metrics]`."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from monitor.config.field_types import OptionalDuration
from monitor.config.section import OptionalPath, Section


class Backup(Section):
    alarm_after: OptionalDuration = None
    """Older than this the latest backup is an alarm."""


class Metrics(Section):
    token_env: str = ""
    """The bearer token of GET /metrics is named here or below; without one this machine alone
    may ask."""
    token_file: OptionalPath = None

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token_env and self.token_file:
            raise ValueError("name token_env or token_file, not both")
        return self
