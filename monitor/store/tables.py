"""All tables: this registry is what the rest of the program imports them from.

Tables name each other by text in their foreign keys, and the metadata (migrations, copies, joins)
is whole only once every room of tables is imported; who comes through here finds it so.
Instants are UTC; days are clinic days.
"""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from monitor.store.account_tables import AuditRow as AuditRow
from monitor.store.account_tables import SessionRow as SessionRow
from monitor.store.account_tables import ThrottleRow as ThrottleRow
from monitor.store.account_tables import UserRow as UserRow
from monitor.store.alert_tables import AlertHistory as AlertHistory
from monitor.store.alert_tables import AlertRow as AlertRow
from monitor.store.intake_tables import File as File
from monitor.store.intake_tables import FixRow as FixRow
from monitor.store.intake_tables import HeldRowTable as HeldRowTable
from monitor.store.intake_tables import MergedRow as MergedRow
from monitor.store.intake_tables import PersonChange as PersonChange
from monitor.store.intake_tables import Repeat as Repeat
from monitor.store.message_tables import BreakerRow as BreakerRow
from monitor.store.message_tables import Delivery as Delivery
from monitor.store.message_tables import DeliveryAlert as DeliveryAlert
from monitor.store.people_tables import EnrolmentRow as EnrolmentRow
from monitor.store.people_tables import Identifier as Identifier
from monitor.store.people_tables import KeptAnswer as KeptAnswer
from monitor.store.people_tables import MergeRow as MergeRow
from monitor.store.people_tables import Patient as Patient
from monitor.store.result_tables import EventRow as EventRow
from monitor.store.result_tables import ReadingRow as ReadingRow
from monitor.store.result_tables import ResultRow as ResultRow
from monitor.store.rule_tables import PersonalRow as PersonalRow
from monitor.store.rule_tables import ProposalRow as ProposalRow
from monitor.store.rule_tables import ProtocolText as ProtocolText
from monitor.store.running_tables import DaemonRow as DaemonRow
from monitor.store.running_tables import Fact as Fact
from monitor.store.running_tables import JobRun as JobRun
from monitor.store.running_tables import JobTurn as JobTurn
from monitor.store.running_tables import Listener as Listener
from monitor.store.running_tables import SilentFeed as SilentFeed
from monitor.store.token_tables import ApiTokenRow as ApiTokenRow


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a class, for statements without objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
