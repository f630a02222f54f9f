"""Deploys are recorded one after the other: whoever comes second sees the first."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.models.attempt import Attempt, Refusal
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.store import Store
from bot.store.own import MOST

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
FRONTEND, MAIN = ProjectSlug("gh/acme/frontend"), Ref(name="main")
THREAD = Place(channel_id="C0")


def one(name: str, **found: object) -> Attempt:
    return Attempt(
        id=name, project_slug=FRONTEND, project_title="", ref=MAIN, thread=THREAD, asker_id=name, asked_at=NOW
    ).model_copy(update=found)


async def test_of_many_that_have_seen_the_same_one_begins(store: Store) -> None:
    await store.attempts.save(one("before"))
    seen = await store.attempts.lately_of(FRONTEND, MAIN)
    began = await asyncio.gather(*(store.attempts.begin(one(f"person {number}"), seen) for number in range(5)))
    assert sorted(began) == [False] * 4 + [True]
    now = await store.attempts.lately_of(FRONTEND, MAIN)
    assert len(now) == 2
    assert await store.attempts.get(f"person {began.index(False)}") is None
    assert await store.attempts.begin(one("late"), now)


async def test_a_pull_request_is_one_however_it_is_called(store: Store) -> None:
    await store.attempts.save(one("before", ref=Ref(name="pull/12/head")))
    assert not await store.attempts.begin(one("after", ref=Ref(name="pull/12")), [])
    assert await store.attempts.begin(one("after", ref=Ref(name="pull/13")), [])


@pytest.mark.parametrize(
    ("kept", "begins"),
    [
        ({}, True),  # its process was killed before it was sent
        ({"sent_at": NOW, "over": True, "refusal": Refusal(kind="Unauthorized")}, True),
        ({"sent_at": NOW}, False),
        ({"sent_at": NOW, "pipeline_id": PipelineId("p"), "pipeline_number": 7}, False),
    ],
    ids=str,
)
async def test_what_another_run_has_sent_is_not_written_over(
    store: Store, kept: dict[str, object], begins: bool
) -> None:
    before = await store.attempts.save(one("mine", **kept))
    assert await store.attempts.begin(one("mine"), []) is begins
    assert await store.attempts.get("mine") == (one("mine") if begins else before)


async def test_of_two_runs_of_one_deploy_one_sends_it(store: Store) -> None:
    await store.attempts.save(one("mine"))
    runs = [one("mine", sent_at=NOW, newest_number=number) for number in (7, 8)]
    assert sorted(await asyncio.gather(*map(store.attempts.send, runs))) == [False, True]


async def test_what_was_put_off_is_sent_again_and_by_one(store: Store) -> None:
    await store.attempts.save(one("mine"))
    sent = one("mine", sent_at=NOW)
    assert await store.attempts.send(sent)
    other = one("mine", sent_at=NOW + timedelta(seconds=1))
    await store.attempts.put_off(other)  # it has sent nothing that it could take back
    assert await store.attempts.get("mine") == sent
    assert await store.attempts.put_off(sent) == await store.attempts.get("mine") == one("mine")
    assert await store.attempts.send(other)
    await store.attempts.put_off(sent)
    assert not await store.attempts.send(sent)
    assert await store.attempts.get("mine") == other


async def test_what_came_to_nothing_meanwhile_is_not_sent(store: Store) -> None:
    await store.attempts.save(one("mine"))
    assert await store.attempts.refuse(one("mine", over=True, refusal=Refusal(kind="Locked")))
    assert not await store.attempts.send(one("mine", sent_at=NOW))
    assert not await store.attempts.refuse(one("mine", over=True, refusal=Refusal(kind="Rejected", status=403)))
    await store.attempts.save(one("other"))
    assert await store.attempts.send(one("other", sent_at=NOW))
    refused = one("other", sent_at=NOW, over=True, refusal=Refusal(kind="Rejected", status=403))
    assert await store.attempts.refuse(refused)
    assert await store.attempts.get("other") == refused


@pytest.mark.parametrize("so_far", ["unsent", "sent", "answered"])
async def test_a_run_that_is_refused_late_writes_over_nothing_that_another_has_sent(store: Store, so_far: str) -> None:
    answer = {"pipeline_id": PipelineId("p"), "pipeline_number": 7} if so_far == "answered" else {}
    sent = {} if so_far == "unsent" else {"sent_at": NOW, "newest_number": 6}
    kept = await store.attempts.save(one("mine", **sent, **answer))
    late = one("mine", over=True, refusal=Refusal(kind="Rejected", status=403))
    assert await store.attempts.refuse(late) is (so_far == "unsent")
    assert await store.attempts.get("mine") == (late if so_far == "unsent" else kept)
    assert await store.attempts.lately_of(FRONTEND, MAIN) == ([] if so_far == "unsent" else ["mine"])


async def test_it_has_an_end_and_twenty_are_known_of_a_branch(store: Store) -> None:
    for number in range(22):
        seen = await store.attempts.lately_of(FRONTEND, MAIN)
        later = {"asked_at": NOW.replace(minute=number)}
        assert await store.attempts.begin(one(f"{number}", **later), seen)
    assert await store.attempts.lately_of(FRONTEND, MAIN) == [f"{number}" for number in range(21, 1, -1)]
    redis = store._connection.redis
    assert all([0 < await redis.ttl(name) <= 24 * 3600 for name in await redis.keys("ci:*")])


async def test_what_somebody_asked_for_is_theirs_newest_first(store: Store) -> None:
    await store.attempts.save(one("U0ADA"))  # nothing came of it yet
    assert await store.own.of("U0ADA") == []
    for number in range(MOST + 5):
        began = {"pipeline_id": PipelineId(f"p{number}"), "asked_at": NOW + timedelta(minutes=number)}
        await store.attempts.save(one(f"Ev{number}", asker_id="U0ADA", **began))
    again = {"pipeline_id": PipelineId("p20"), "asked_at": NOW + timedelta(days=1), "reran": "w", "sent_at": NOW}
    await store.attempts.save(one("rerun", asker_id="U0ADA", **again))
    found = await store.own.of("U0ADA")
    assert len(found) == MOST
    assert [tuple(owned)[:2] for owned in found[:2]] == [("p20", True), (f"p{MOST + 4}", True)]
    assert await store._connection.redis.ttl(store._connection.key("own", "U0ADA")) > 0
