"""What becomes of each test that was due: tables of boundaries, on the shipped schedule (weekly
for eight weeks, three days of grace; every three months, fourteen days of grace)."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.judges import View
from monitor.core.review import view_of
from monitor.core.tested import Became, tested
from tests.spec.cases import *  # noqa: F403
