"""An entry of the record holds no secret, in the store and on standard output."""

from datetime import timedelta

import pytest

from bot.models.audit import Entry
from bot.models.slack import utc_now
from bot.record import Record
from bot.store import Store
from tests.store.conftest import store

__all__ = ["store"]
TOKEN = "ghp_" + "a1B2" * 9


async def test_no_word_of_an_entry_holds_what_looks_like_a_credential(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = dict.fromkeys(("user_name", "what", "about", "rule", "result", "ref", "job", "agreed_name"), TOKEN)
    entry = Entry(at=utc_now(), user_id="U0ADA", channel_id="C0", word="deploy", parameters=(TOKEN,), **hostile)
    await Record(store, timedelta(days=1), to_output=True).keep(entry)
    (kept,) = await store.audit.lately(timedelta(days=1), lambda _: True, 1)
    assert TOKEN not in kept.model_dump_json()
    assert kept.user_id == "U0ADA"
    assert TOKEN not in capsys.readouterr().out
