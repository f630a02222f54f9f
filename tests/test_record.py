"""An entry of the record holds no secret, in the store and on standard output."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import AskedAlready, BotError, Locked, NotFound, NothingToDo, Taken
from bot.models.audit import Entry
from bot.models.caller import Caller
from bot.models.slack import utc_now
from bot.record import MOST_NAMED, Record, begun, ended
from bot.store import Store
from tests.store.conftest import store

__all__ = ["store"]
AT = datetime(2026, 11, 29, 8, 49, tzinfo=UTC)


TOKEN = "ghp_" + "a1B2" * 9


async def called(person_id: str) -> str:
    return {"U0GRACE": "grace"}.get(person_id, "")


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Taken("U0GRACE", "Cancel #2417"), "grace was first: Cancel #2417 is already under way."),
        (Taken("U0GONE", "`it` & <b>"), "U0GONE was first: it & <b> is already under way."),
        (
            AskedAlready("U0GRACE", "main", asked_at=AT, url="https://acme.slack.com/p1"),
            "grace asked for this at 2026-11-29 08:49 UTC, and it is still open: the request",
        ),
        (
            Locked("acme/frontend main", key="k", holder_id="U0GRACE", reason="x", age=timedelta(0), word="lock"),
            "acme/frontend main is locked by grace",
        ),
        (NotFound("branch", "nosuch", looked_in="acme/frontend"), "CircleCI knows no branch nosuch in acme/frontend"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_an_entry_holds_plain_words(store: Store, error: BotError, result: str) -> None:
    record = Record(store, timedelta(days=1), called, to_output=False)
    await record.keep(ended(begun(Caller(person_id="U0ADA", delivery_id="d"), "deploy", "deploy"), error))
    (kept,) = await store.audit.lately(timedelta(days=1), lambda _: True, 1)
    assert kept.result.startswith(result)
    assert "<@" not in kept.result
    assert "http" not in kept.result


@pytest.mark.parametrize(
    ("person_id", "brought", "name"),
    [("U0GRACE", "", "grace"), ("U0GRACE", "Grace H", "Grace H"), ("U0GONE", "", ""), ("", "", "")],
)
async def test_an_entry_names_who_did_it_also_where_a_mention_does_not(
    store: Store, person_id: str, brought: str, name: str
) -> None:
    record = Record(store, timedelta(days=1), called, to_output=False)
    caller = Caller(person_id=person_id, name=brought, delivery_id="d")
    await record.at_the_door(caller, "lock", "lock", NothingToDo("nobody_reads_here"))
    (kept,) = await store.audit.lately(timedelta(days=1), lambda _: True, 1)
    assert kept.user_name == name


async def test_slack_is_asked_about_few_people_whatever_an_entry_holds(store: Store) -> None:
    asked: list[str] = []

    async def name(person_id: str) -> str:
        asked.append(person_id)
        return ""

    entry = Entry(
        at=utc_now(), user_id="", channel_id="C0", word="deploy", what="x", result="<@U1> <@U2> <@U3> <@U4> <@U5>"
    )
    await Record(store, timedelta(days=1), name, to_output=False).keep(entry)
    assert len(asked) == MOST_NAMED
    (kept,) = await store.audit.lately(timedelta(days=1), lambda _: True, 1)
    assert kept.result == "U1 U2 U3 U4 U5"


async def test_no_word_of_an_entry_holds_what_looks_like_a_credential(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {"user_id": "U0ADA", "team_id": "T0", "channel_id": "C0", "for_id": "", "agreed_id": "", "word": "deploy"}
    words = {name for name, field in Entry.model_fields.items() if field.annotation is str} - {*ours, "request"}
    entry = Entry(at=utc_now(), parameters=(TOKEN,), **ours, **dict.fromkeys(words, TOKEN))
    await Record(store, timedelta(days=1), called, to_output=True).keep(entry)
    (kept,) = await store.audit.lately(timedelta(days=1), lambda _: True, 1)
    assert TOKEN not in kept.model_dump_json()
    assert {name: getattr(kept, name) for name in ours} == ours
    assert TOKEN not in capsys.readouterr().out
