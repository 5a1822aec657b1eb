"""`config.toml`: every fault at once, overrides, and an example that tells all."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor import resources
from monitor.config import Section, Settings, load_settings, read_settings, section_models
from monitor.config.edit import write_config
from monitor.core.faults import Fault, Faults

CONFIG = Path("/clinic/config.toml")


def faults(text: str, environment: dict[str, str] | None = None) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        read_settings(text, CONFIG, environment or {})
    return caught.value.faults


def read(text: str = "", environment: dict[str, str] | None = None) -> Settings:
    return read_settings(text, CONFIG, environment or {})


def test_an_empty_file_has_every_default() -> None:
    settings = read()
    assert settings.clinic.email == "clinic@localhost"
    assert settings.database.url == "sqlite:////clinic/monitor.db"
    assert settings.schedules.folder == Path("/clinic/schedules")
    assert settings.intake.inbox == Path("/clinic/inbox")
    assert str(settings.intake.feed_silence_alarm) == "3 days"


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = '[clinic]\nemial = "a@b.example"\ntimezone = "Mars"\n\n[mail]\nport = "smtp"\n'
    found = faults(text)
    assert [it.key for it in found] == ["clinic.emial", "clinic.timezone", "mail.port"]
    assert found[0].valid == 'did you mean "email"?'
    assert [it.line for it in found] == [2, 3, 6]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[clinik]", "clinik", 'did you mean "clinic"?'),
        ("[clinic]\nemail = 'nobody'", "clinic.email", "not an e-mail address"),
        ("[clinic]\nopen_days = ['monday']", "clinic.open_days[1]", "'mon'"),
        ("[intake]\nsettle_seconds = -1", "intake.settle_seconds", "greater than or equal to 0"),
        ("[intake]\nfeed_silence_alarm = '3 moons'", "intake.feed_silence_alarm", '"3 days"'),
        ("[mail]\nsecurity = 'ssl'", "mail.security", "'starttls'"),
        ("[mail]\npassword = 'x'", "mail.password", "password_env"),
        ("[[routes]]\nto = []", "routes[1].to", "at least one"),
        ("[intake]\ninbox = 7", "intake.inbox", "text in quotes"),
        ("[intake]\nlate_after = 3", "intake.late_after", 'with its unit, such as "3 days"'),
        ("[clinic]\nholidays = [2026-12-25T00:00:00]", "clinic.holidays[1]", "without a time"),
        ("[intake]\ninbox = '~nobody-here/x'", "intake.inbox", "no such account"),
        (
            "[[routes]]\nto = ['a@b.example']\nnext_tier_after = ['1 hour', '30 minutes']",
            "routes[1]",
            "each longer than the last",
        ),
        ("[[routes]]\nname = 'ward'", "routes[1].to", "valid: a line to = ..."),
        (
            "[[routes]]\nto = ['a@b.example']\nkinds = ['late']",
            "routes[1].kinds[1]",
            "overdue_test",
        ),
        ("[sources.lab]\ndate_fromat = 'iso'", "sources.lab.date_fromat", '"date_format"'),
        (
            "[sources.lab]\ncodes = { PLT = 'platelets' }\nignore = ['plt_']",
            "sources.lab",
            "name a code in codes or in ignore",
        ),
        ("[heartbeat]\nurl = 'file:///etc/passwd'", "heartbeat.url", "https://"),
        ("[mail]\nusername = 'me'", "mail", "go together"),
        ("[retention]\ndays = 3", "retention.days", "not a known key"),
        ("[sources.lab]\ncolumns = { mrm = 'Pat' }", "sources.lab.columns", '"mrn"'),
        ("[sources.lab.constants]\nstate = 'F'", "sources.lab.constants", "state is no column"),
        ("[clinic", "", "not TOML"),
        ("[clinic]\nname = Hill", "", "valid: text stands in quotes"),
        (f"[mail]\nport = {'9' * 5000}", "", "a number that cannot be read"),
        (f"[clinic]\nholidays = {'[' * 5000}", "", "too deep to read"),
        ("[[clinic]]", "clinic", "must be a table; valid: [clinic]"),
        ("[routes]\nto = ['a@b.example']", "routes", "must be a list; valid: a list"),
        ("[mail]\nport = 'smtp'", "mail.port", "must be a whole number"),
        ("[sources.lab]\nwatched = 'ja'", "sources.lab.watched", "must be true or false"),
        ("[clinic]\nholidays = ['2026-02-30']", "clinic.holidays[1]", "2026-12-25"),
        ("[intake]\nsettle_seconds = inf", "intake.settle_seconds", "86400"),
        ("[alarm]\ncritical_minutes = 99999999999999", "alarm.critical_minutes", "527040"),
        (
            "[escalation]\ncritical_outcome = '99999999999 days'",
            "escalation.critical_outcome",
            "at most 36525 days",
        ),
        (
            "[escalation]\ncritical_repeat = '3000000 days'",
            "escalation.critical_repeat",
            "at most 36525 days",
        ),
        ("[clinic]\nhours = '08:00Z-18:00'", "clinic.hours", "the clinic's own clock"),
        (
            "[[routes]]\nto = ['a@b.example']\ndigest_at = '07:30+02:00'",
            "routes[1].digest_at",
            "the clinic's own clock",
        ),
        (
            "[recipients.ward]\naddresses = ['a@b.example']\nhandover = 'mon 08:00Z'",
            "recipients.ward.handover",
            "mon 08:00",
        ),
        ("[sources.lab]\nexpected = ['mon 12:00Z']", "sources.lab.expected[1]", "own clock"),
    ],
)
def test_a_fault_names_its_key_and_what_is_right(text: str, key: str, says: str) -> None:
    (fault,) = faults(text)
    assert fault.key == key
    assert says in str(fault)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            (
                "[[routes]]\nto = ['a@b.example']\n[[routes]]\nto = ['on_cal']\n"
                "[recipients.on_call]\naddresses = ['c@b.example']"
            ),
            4,
            'routes[2].to: on_cal: there is no [recipients.on_cal] did you mean "on_call"?',
        ),
        (
            "[[routes]]\nto = ['a@b.example']\nthen = [['b@b.example'], ['lead']]",
            3,
            "routes[1].then: lead: there is no [recipients.lead]",
        ),
        (
            "[recipients.lead]\naddresses = ['queue:ehr']",
            2,
            "recipients.lead.addresses: queue:ehr: there is no [queues.ehr]",
        ),
        ("[alarm]\nto = ['webhook:x']", 2, "alarm.to: webhook:x: there is no [webhooks.x]"),
        ("[mllp]\nsource = 'nord'", 2, "mllp.source: there is no [sources.nord]"),
        (
            "[sources.a]\nencoding = 'utf-8'\n[sources.a-b]\nencodng = 'x'",
            4,
            "sources.a-b.encodng",
        ),
        (
            "[recipients.a]\naddresses = ['a@b.example']\n[recipients.b]\naddresses = ['b']",
            4,
            "recipients.b.addresses[1]",
        ),
        ("clinic.name = 'x'\nclinic.timezon = 'UTC'", 2, "clinic.timezon"),
        ("mail = {host = 'a', prot = 1}", 1, "mail.prot"),
        ('[clinic]\nname = """\n[mail]\nprot = 1"""\n[mail]\nprot = 2', 6, "mail.prot"),
        ("[[mail]]\nhost = 'x'", 1, "mail: must be a table"),
        ("[[routes]]\nname = 'x'\n[[routes]]\nname = 'y'\nto = []", 1, "routes[1].to: this key"),
    ],
)
def test_a_name_that_nothing_bears_is_told_where_it_stands(text: str, line: int, says: str) -> None:
    fault = faults(text)[0]
    assert fault.line == line
    assert says in str(fault)


def test_a_password_in_the_file_is_never_repeated() -> None:
    (fault,) = faults("[mail]\npassword = 'geheim'")
    assert "geheim" not in str(fault)


def test_a_file_that_others_may_not_read_is_never_written_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a database may hold its password."""
    path = tmp_path / "config.toml"
    path.write_text("[clinic]\nname = 'A'\n")
    path.chmod(0o600)
    left = tmp_path / ".config.toml.part"
    left.write_text("of an attempt that was killed")
    seen: list[int] = []
    write = Path.write_text

    def watched(self: Path, *given: Any, **more: Any) -> int:
        seen.append(self.stat().st_mode & 0o777 if self.exists() else -1)
        return write(self, *given, **more)

    monkeypatch.setattr(Path, "write_text", watched)
    write_config(path, "[clinic]\nname = 'B'\n")
    assert (seen, path.stat().st_mode & 0o777) == ([0o600], 0o600)
    assert load_settings(path).clinic.name == "B"


def test_the_environment_overrides_every_kind_of_key() -> None:
    settings = read(
        "[mail]\nport = 25\n[[routes]]\nto = ['a@b.example']\n[sources.CityLab]\n",
        {
            "MONITOR__CLINIC__EMAIL": "nurse@clinic.example",
            "MONITOR__MAIL__PORT": "2525",
            "MONITOR__CLINIC__OPEN_DAYS": '["mon", "tue"]',
            "MONITOR__ROUTES__0__DIGEST": "false",
            "MONITOR__SOURCES__CITYLAB__DECIMAL_COMMA": "true",
            "MONITOR__DATABASE__URL": "sqlite:///other.db",
            "MONITOR__CLINIC__TELEPHONE": "044 123",
            "MONITOR_CONFIG": "not ours",
        },
    )
    assert settings.clinic.email == "nurse@clinic.example"
    assert settings.clinic.telephone == "044 123"
    assert settings.mail.port == 2525
    assert settings.clinic.open_days == ["mon", "tue"]
    assert settings.routes[0].digest is False
    assert settings.sources["CityLab"].decimal_comma is True
    assert settings.database.url == "sqlite:////clinic/other.db"


def test_a_fault_of_the_environment_names_the_variable() -> None:
    found = faults("", {"MONITOR__MAIL__PORT": "smtp", "MONITOR__CLNIC__EMAIL": "a@b.example"})
    assert {(fault.file, fault.key) for fault in found} == {
        ("environment", "MONITOR__MAIL__PORT"),
        ("environment", "MONITOR__CLNIC__EMAIL"),
    }


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MONITOR__MAIL__PORT__X", "1", "points at nothing"),
        ("MONITOR__ROUTES__7__TO", '["a@b.example"]', "points at nothing"),
        ("MONITOR__ROUTES__0", "x", "points at nothing"),
        ("MONITOR__MAIL__PORT", "9" * 5000, "must be a whole number"),
        ("MONITOR__CLINIC__HOLIDAYS", "[" * 5000, "must be a list"),
    ],
)
def test_a_variable_that_cannot_be_taken_is_named(name: str, value: str, says: str) -> None:
    (fault,) = faults("[mail]\nport = 25\n[[routes]]\nto = ['a@b.example']\n", {name: value})
    assert (fault.file, fault.key) == ("environment", name)
    assert says in fault.problem


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="monitor init"):
        load_settings(tmp_path / "config.toml")


def test_a_file_in_another_encoding_says_where_and_what_would_be_right(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('[clinic]\n# Tösstal\nname = "Zürich"\n'.encode("cp1252"))
    with pytest.raises(Faults) as caught:
        load_settings(path)
    assert "line 2: not UTF-8 text: the byte f6" in str(caught.value.faults[0])
    assert "save the file as UTF-8" in str(caught.value.faults[0])


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[clinic]\nname = "Zürich"\n', encoding="utf-8-sig")
    assert load_settings(path).clinic.name == "Zürich"


TABLES = ("sources", "recipients", "webhooks", "queues", "syslogs")
"""Tables of tables: one a laboratory, one a channel."""


def uncommented_example() -> str:
    return re.sub(r"^#(?=[\[a-z])", "", resources.example_config(), flags=re.MULTILINE)


def keys_of(model: type[Section]) -> set[str]:
    return set(model.model_fields)


def test_the_example_has_every_key_and_no_other() -> None:
    written = tomllib.loads(uncommented_example())
    assert set(written) == set(section_models())
    for name, model in section_models().items():
        section = written[name]
        if isinstance(section, list):
            (section,) = section
        elif name in TABLES:
            (section,) = section.values()
        assert set(section) == keys_of(model), name


def test_the_example_has_the_defaults() -> None:
    assert read(resources.example_config()) == read()
    everything = read(uncommented_example())
    assert everything.routes[0] == everything.routes[0].model_validate(
        {"to": ["clinic@localhost"], "name": "clinic"}
    )
    assert everything.sources["example_lab"] == everything.sources["example_lab"].model_validate({})


def test_the_example_says_of_every_key_why() -> None:
    lines = resources.example_config().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"#?[a-z_]+ = ", line):
            assert before.startswith("# "), f"{line!r} lacks its line of why"
