"""What mails of a random clinic say is true, in both halves and both languages, and at minimal
privacy it names nobody."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.mail_world import Mood, mail_server
from tests.property.saying_judge import faults
from tests.property.saying_world import READERS, SayingWorld


@pytest.mark.parametrize("seed", range(2))
def test_mails_say_what_is_so(tmp_path: Path, seed: int) -> None:
    mood = Mood()
    with mail_server(mood) as port:
        world = SayingWorld(tmp_path, port, mood, Random(seed))
        world.run(days=3)
        world.store.dispose()
    told = {it.to for it in world.sent}
    assert told >= set(READERS)
    assert len(world.sent) >= 6 * len(READERS)
    assert list(faults(world.sent, world.zone)) == []
