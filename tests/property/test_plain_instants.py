"""ISO 8601 as most programs write it means the same as when it is read form by form."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitor.intake.dates import read_moment

_OFFSETS = st.sampled_from(["", "Z", "+00:00", "+05:30", "-11:00", "+14:00", "+23:59", "-24:00"])
_ZONES = st.sampled_from(["Europe/London", "Asia/Kathmandu", "America/St_Johns"])


@given(
    day=st.tuples(st.integers(1880, 2110), st.integers(0, 13), st.integers(0, 32)),
    clock=st.tuples(st.integers(0, 25), st.integers(0, 61), st.integers(0, 61)),
    parted=st.sampled_from(" T"),
    offset=_OFFSETS,
    name=_ZONES,
)
def test_a_plain_instant_is_the_one_of_its_longer_form(
    day: tuple[int, int, int],
    clock: tuple[int, int, int],
    parted: str,
    offset: str,
    name: str,
) -> None:
    zone = ZoneInfo(name)
    text = "{:04}-{:02}-{:02}".format(*day) + parted + "{:02}:{:02}:{:02}".format(*clock)
    longer = read_moment(f"{text}.0{offset}", "iso", zone)
    assert read_moment(text + offset, "iso", zone) == longer
    if clock[2] == 0:
        assert read_moment(text[:-3] + offset, "iso", zone) == longer
