"""Who asks leaves a line in the audit trail: before something is shown, and with what is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from monitor.store.audit import Actor, note
from monitor.store.database import Store
from monitor.store.deeds import Deed


class Trailed(ABC):
    """A request of somebody: a person of the pages, or a program with a token."""

    __slots__ = ()
    now: datetime

    @property
    @abstractmethod
    def store(self) -> Store: ...

    @property
    @abstractmethod
    def actor(self) -> Actor: ...

    def audit(
        self, what: str, *, patient_id: int | None = None, alert_id: int | None = None,
        detail: str = "",
    ) -> None:  # fmt: skip
        """A line about what is looked at: to be written before it is shown."""
        with self.store.write() as connection:
            self._line(what, patient_id, alert_id, detail)(connection)

    def deed(
        self, what: str, *, patient_id: int | None = None, alert_id: int | None = None,
        detail: str = "",
    ) -> Store:  # fmt: skip
        """The store to do one thing with; its line stands with what is done, or not at all."""
        return Deed(self.store, self._line(what, patient_id, alert_id, detail))

    def _line(
        self, what: str, patient_id: int | None, alert_id: int | None, detail: str
    ) -> Callable[[Connection], None]:
        def write(connection: Connection) -> None:
            note(
                connection, self.actor, what, self.now, patient_id=patient_id, alert_id=alert_id,
                detail=detail,
            )  # fmt: skip

        return write
