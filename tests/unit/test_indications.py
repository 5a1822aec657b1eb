"""An indication is compared by its words, in what people write and in what files name."""

from __future__ import annotations

import pytest

from monitor.core.indications import indication_key, meant_for
from monitor.core.protocol import Rule

RULE = Rule(id="r", analyte="alt", source="s", levels=(), indications=("crohns_disease",))
REST = Rule(id="r", analyte="alt", source="s", levels=(), except_indications=("crohns_disease",))


@pytest.mark.parametrize(
    "text", ["crohns_disease", "Crohn's disease", "CROHN\u2019S DISEASE", " crohns-disease "]
)
def test_whoever_has_it_is_meant_however_it_is_written(text: str) -> None:
    assert indication_key(text) == "crohns_disease"
    assert meant_for(RULE, text)
    assert not meant_for(REST, text)


@pytest.mark.parametrize("text", ["", "lupus", "crohns", "crohn_s_disease"])
def test_whoever_has_another_is_not(text: str) -> None:
    assert not meant_for(RULE, text)
    assert meant_for(REST, text)


def test_an_apostrophe_that_is_no_possessive_parts_words() -> None:
    assert indication_key("l'eczema") == "l_eczema"
