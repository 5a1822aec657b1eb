"""What is still in the hands of somebody who cannot deal with alerts any more."""

from __future__ import annotations

from datetime import datetime

from monitor.config import Settings
from monitor.core.permissions import May, allows
from monitor.operations.accounts import Account
from monitor.operations.worklist import View, Wanted, worklist
from monitor.store.database import Store


def still_in_hand(store: Store, settings: Settings, account: Account, now: datetime) -> str:
    """A sentence about the patients whose live alerts are with somebody who cannot deal with them
    (any more), for nobody else is asked until they come back; "" where there are none."""
    if not account.is_disabled and allows(account.role, May.WORK_ALERTS):
        return ""
    wanted = Wanted(view=View.ALL, mine=account.full_name)
    count = worklist(store, settings, wanted, now).total
    if not count:
        return ""
    whose = "1 patient has" if count == 1 else f"{count} patients have"
    return (
        f"{whose} alerts in the hands of {account.full_name}, who cannot deal with them now: a "
        "nurse or a clinician has to take them over."
    )
