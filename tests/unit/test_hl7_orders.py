"""Which specimen, order, note and patient an OBX of HL7 belongs to, by where it stands."""

from __future__ import annotations

import pytest

from tests.hl7_messages import MSH, PID, obx, rows

WBC = obx("6690-2^WBC^LN", "5.4")


def test_several_patients_orders_and_specimens_keep_their_own() -> None:
    spm = "SPM|1|{}||BLD"
    parts = [MSH, PID.format(mrn="A1"), "ORC|RE||O1", "OBR|1||||||202603020800", WBC]
    parts += ["OBR|2||S2||||202603020900", WBC, spm.format("T2")]
    parts += [PID.format(mrn="A2"), "OBR|1||S3||||202603021000", WBC, "ZXX|1|unknown", WBC]
    found = rows("\r".join(parts))
    assert [(it.mrn, it.specimen_id, it.collected_at[11:13]) for it in found] == [
        ("A1", "O1", "08"), ("A1", "T2", "09"), ("A2", "S3", "10"), ("A2", "S3", "10"),
    ]  # fmt: skip


def test_in_oul_r22_the_specimen_comes_first() -> None:
    header = MSH.replace("ORU^R01", "OUL^R22^OUL_R22")
    group = ["SPM|1|T{0}{1}2026030{0}", "OBR|1||S||||", WBC, "OBR|2||S||||", WBC]
    parts = [header, PID]
    for number in (1, 2):
        parts += [it.format(number, "|" * 15) if it.startswith("SPM") else it for it in group]
    found = rows("\r".join(parts))
    assert [(it.specimen_id, it.collected_at) for it in found] == [
        ("T1", "2026-03-01"), ("T1", "2026-03-01"), ("T2", "2026-03-02"), ("T2", "2026-03-02"),
    ]  # fmt: skip


def test_where_the_specimens_stand_before_their_orders_in_an_oru_they_count_for_what_follows() -> (
    None
):
    """Read as those of the order in front of them, the urine's cells would be the blood's, and the
    blood's the urine's."""
    parts = [MSH, PID.format(mrn="A1")]
    for number, kind in (("B1", "BLD^Blood"), ("U1", "UR^Urine")):
        parts += ["ORC|RE", f"SPM|1|{number}||{kind}", "NTE|1||clotted", "OBR|1|||X", WBC, WBC]
    found = rows("\r".join(parts))
    told = [(it.specimen_id, it.analyte, it.comment) for it in found]
    assert told[::2] == [("B1", "6690-2", "clotted"), ("U1", "6690-2 (UR)", "clotted")]


@pytest.mark.parametrize("kind", ["ORU^R01", "OUL^R22^OUL_R22"])
def test_an_orc_behind_its_obr_is_that_orders(kind: str) -> None:
    """Taken for the beginning of another order it would leave the results without their time, and
    the cells of a urine sediment without its name."""
    parts = [MSH.replace("ORU^R01", kind), PID.format(mrn="A1")]
    for number, order in (("1", "CBC^Blood count^L"), ("2", "UST^Urinstatus^L")):
        parts += [f"OBR|{number}|||{order}|||20260302083{number}", f"ORC|SC||F{number}"]
        parts += ["NTE|1||old sample", WBC + "|||20260302160000"]
    blood, urine = rows("\r".join(parts))
    assert (blood.collected_at, blood.specimen_id) == ("2026-03-02T08:31:00", "F1")
    assert (blood.analyte, blood.comment) == ("6690-2", "old sample")
    assert urine.analyte == "6690-2 (Urinstatus)"


def test_an_orc_in_front_of_its_obr_is_not_that_of_an_order_without_results() -> None:
    parts = [MSH, PID.format(mrn="A1"), "ORC|RE||F1", "OBR|1|||X", "NTE|1||cancelled"]
    parts += ["ORC|RE||F2", "NTE|1||haemolysed", "OBR|2|||X|||20260302", WBC]
    (found,) = rows("\r".join(parts))
    assert (found.specimen_id, found.comment) == ("F2", "haemolysed")


def test_what_an_analyser_measures_of_its_control_blood_is_nobodys() -> None:
    control = MSH.replace("|P|2.5.1", "|Q|2.3.1")
    (found,) = rows("\r".join([control, PID.format(mrn="A1"), "OBR|1||6|XR|||20260302", WBC]))
    assert found.analyte == "6690-2 (control)"
