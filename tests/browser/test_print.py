"""What a page is on paper."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic

_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.mark.parametrize("mrn", ["D1063", "D1035", "D1112"])
def test_a_patient_prints_on_one_sheet(web: WebClinic, someone: Any, mrn: str) -> None:
    """With two alerts and a hold, with two alerts, with none."""
    nurse = someone(Role.NURSE)
    nurse.open(f"/patients/{web.patient_id(mrn)}")
    sheet = nurse.page.pdf(prefer_css_page_size=True)
    assert len(_PAGE.findall(sheet)) == 1
