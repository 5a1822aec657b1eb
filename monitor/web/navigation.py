"""The pages that stand in the navigation, in their order; those that a person may not see are left
out."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.permissions import May


@dataclass(frozen=True, slots=True)
class Entry:
    """A link: where, how it is called, its sign, and who sees it."""

    path: str
    label: str
    icon: str
    needs: May


ENTRIES = (
    Entry("/", "Worklist", "list", May.SEE_PATIENTS),
    Entry("/patients", "Patients", "person", May.SEE_PATIENTS),
    Entry("/load", "Load", "upload", May.LOAD_FILES),
    Entry("/quarantine", "Quarantine", "hold", May.MEND_ROWS),
    Entry("/schedules", "Schedules", "calendar", May.SEE_SCHEDULES),
    Entry("/reports", "Reports", "chart", May.SEE_REPORTS),
    Entry("/operations", "Operations", "pulse", May.SEE_OPERATIONS),
    Entry("/people", "People", "people", May.MANAGE_PEOPLE),
    Entry("/audit", "Audit trail", "shield", May.SEE_AUDIT),
)
