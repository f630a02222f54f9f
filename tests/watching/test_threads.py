"""A thread that Slack takes nothing in any more goes on in direct messages, or ends; the others hear nothing of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.errors import SlackError, StoreError, Unavailable, Unreachable
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.refusals import CHANNEL_GONE, HEALS, PERSON_GONE
from bot.models.slack import Watch
from bot.store import Store
from bot.watching.operator import Operator
from bot.watching.teller import MOST_REFUSALS, Teller
from bot.watching.threads import Threads
from formatters.blocks import Message
from formatters.links import Links
from playground.slack.api import Slack
from tests.store.test_watches import PIPELINE, watch
from tests.watching.conftest import Judged

POST, OPEN = "chat.postMessage", "conversations.open"
WORD = Message(text="A word.")


async def follows(store: Store, slack: Slack, name: str = "Ev1", **more: object) -> Watch:
    """Let Ada follow a build in #deploys, where its root stands."""
    place = Place(channel_id=slack.workspace.channel("deploys").id)
    said = slack.workspace.post(slack.workspace.channel("deploys"), slack.workspace.bot_user_id, "Running", [])
    one = watch(name, thread=place, root_ts=said.ts, **more)
    await store.watches.add(one)
    return one


async def kept(store: Store, name: str = "Ev1") -> Watch | None:
    return next((one for one in await store.watches.of(PIPELINE) if one.id == name), None)


async def kept_one(store: Store, name: str) -> Watch:
    found = await kept(store, name)
    assert found is not None
    return found


def operator_reads(slack: Slack) -> list[str]:
    return [one.visible for one in slack.workspace.channel("releases").messages]


@pytest.fixture(autouse=True)
def _known(slack: Slack) -> Iterator[None]:
    yield  # what Slack is made to refuse here is no mistake of the bot's
    slack.problems.clear()


async def test_whatever_holds_for_good_moves_the_watch(store: Store, slack: Slack, teller: Teller) -> None:
    for code in sorted(CHANNEL_GONE):
        one = await follows(store, slack, code)
        slack.refuse(POST, code)
        moved = await teller.once(one, "act:1", WORD)
        assert moved.moved_to_direct
        assert "act:1" in moved.told
        why, said = slack.person("ada").direct_messages[-2:]
        assert f"Slack says {code}" in why.visible
        assert said.visible == "A word."


async def test_each_who_waits_goes_their_own_way_from_a_place_that_is_gone(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    one = await follows(store, slack, also_told=("U0GRACE",), actor_id="U0ADMIN", acted_before=("U0ADA",))
    slack.workspace.channel("deploys").is_archived = True
    await threads.each([one], lambda watch: teller.once(watch, "act:1", WORD))
    kept_now = await store.watches.of(PIPELINE)
    assert {(watch.follower_id, watch.moved_to_direct) for watch in kept_now} == {
        ("U0ADA", True), ("U0GRACE", False), ("U0ADMIN", False)
    }  # fmt: skip
    await threads.each(kept_now, lambda watch: teller.once(watch, "act:1", WORD))
    for left in await store.watches.of(PIPELINE):
        assert left.moved_to_direct
        assert left.wait_for_it == (left.follower_id,)
        assert left.without(left.follower_id) is None
    for name in ("ada", "grace", "admin"):
        assert [message.visible for message in slack.person(name).direct_messages][1:] == ["A word."]


async def test_they_do_also_where_who_followed_it_can_be_told_nothing(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    one = await follows(store, slack, also_told=("U0GRACE",))
    slack.workspace.channel("deploys").is_archived = True
    slack.refuse(OPEN, "user_disabled")
    await threads.each([one], lambda watch: teller.once(watch, "act:1", WORD))
    await threads.each(await store.watches.of(PIPELINE), lambda watch: teller.once(watch, "act:1", WORD))
    assert slack.person("grace").direct_messages[-1].visible == "A word."
    assert [watch.follower_id for watch in await store.watches.of(PIPELINE)] == ["U0GRACE"]


async def test_nobody_is_lost_while_circleci_does_not_say_what_they_may_look_at(
    store: Store, slack: Slack, messenger: Messenger, operator: Operator
) -> None:
    judged = Judged(*[Unavailable("CircleCI does not answer")] * 2)
    teller = Teller(messenger, store.watches, Links(), operator, judged)
    threads = Threads(store.watches, teller, operator, timedelta(seconds=5))
    await follows(store, slack)
    slack.workspace.channel("deploys").is_archived = True
    for tries in range(3):
        told = await threads.each(await store.watches.of(PIPELINE), lambda one: teller.once(one, "act:1", WORD))
        assert (told.late is None) is (tries == 2)
    assert slack.person("ada").direct_messages[-1].visible == "A word."
    # After it has not for long, it is told that nothing is followed any more.
    judged.errors.append(Unavailable("CircleCI does not answer"))
    await follows(store, slack, "Ev2", refusals=2 * MOST_REFUSALS)
    await threads.each([await kept_one(store, "Ev2")], lambda one: teller.once(one, "act:1", WORD))
    assert "so I follow it no more for you" in slack.person("ada").direct_messages[-1].visible
    assert await kept(store, "Ev2") is None


async def test_what_heals_moves_nothing(store: Store, slack: Slack, teller: Teller) -> None:
    one = await follows(store, slack)
    for code in sorted(HEALS - {"ratelimited"} | {"internal_error", "fatal_error", "service_unavailable"}):
        slack.refuse(POST, code)
        with pytest.raises(SlackError, match=code):
            await teller.once(one, "act:1", WORD)
    await teller.once(one, "act:1", WORD)
    assert slack.person("ada").direct_messages == []
    assert operator_reads(slack) == []


async def test_what_nobody_knows_is_tried_a_few_times(store: Store, slack: Slack, teller: Teller) -> None:
    one = await follows(store, slack)
    slack.refuse(POST, "brand_new", times=MOST_REFUSALS)
    for tries in range(1, MOST_REFUSALS):
        with pytest.raises(SlackError, match="brand_new"):
            await teller.once(one, "act:1", WORD)
        found = await kept(store)
        assert found is not None
        one = found
        assert one.refusals == tries
    one = await teller.once(one, "act:1", WORD)
    assert one.moved_to_direct
    assert one.refusals == 0


async def test_where_the_person_is_gone_too_the_operator_hears_it_once_and_it_ends(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    builds = [await follows(store, slack, name) for name in ("Ev1", "Ev2")]
    builds.append(await follows(store, slack, "Ev3", asker_id="U0GRACE"))
    slack.workspace.channel("deploys").is_archived = True
    slack.refuse(OPEN, "user_disabled", times=2)
    told = await threads.each(builds, lambda one: teller.once(one, "act:1", WORD))
    assert told == (None, (), None)
    assert [one.id for one in await store.watches.of(PIPELINE)] == ["Ev3"]
    gone, ended = operator_reads(slack)
    assert "I cannot write in" in gone
    assert "I do not follow acme/frontend #2417 any more for U0ADA" in ended
    assert "user_disabled" in ended


@pytest.mark.parametrize("code", sorted(PERSON_GONE))
async def test_nobody_is_looked_for_who_cannot_be_told(store: Store, slack: Slack, teller: Teller, code: str) -> None:
    slack.refuse(POST, "restricted_action_read_only_channel")
    slack.refuse(OPEN, code)
    with pytest.raises(Unreachable, match=code):
        await teller.once(await follows(store, slack), "act:1", WORD)


async def test_direct_messages_that_are_refused_for_no_known_reason_end_too(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    await follows(store, slack)
    slack.refuse(POST, "thread_not_found", times=100)
    slack.refuse(OPEN, "brand_new", times=100)
    for tries in range(2 * MOST_REFUSALS):
        assert await kept(store), tries
        told = await threads.each(await store.watches.of(PIPELINE), lambda one: teller.once(one, "act:1", WORD))
        assert (told.late is None) == (tries == 2 * MOST_REFUSALS - 1)
    assert await kept(store) is None


async def test_who_was_moved_and_is_refused_there_follows_no_more(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    one = await follows(store, slack)
    slack.refuse(POST, "is_archived")
    one = await teller.once(one, "act:1", WORD)
    slack.refuse(POST, "user_disabled")
    await threads.each([one], lambda one: teller.once(one, "act:2", WORD))
    assert await kept(store) is None


async def test_one_that_breaks_costs_the_others_nothing(
    store: Store, slack: Slack, teller: Teller, threads: Threads
) -> None:
    good, bad, last = [await follows(store, slack, name) for name in ("good", "bad", "last")]

    async def tell(one: Watch) -> None:
        if one.id == "bad":
            raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")
        await teller.once(one, "act:1", WORD)

    told = await threads.each([good, bad, last], tell)
    assert told.broke == (bad,)
    assert isinstance(told.error, UnicodeEncodeError)
    assert [one.id for one in await store.watches.of(PIPELINE) if one.told] == ["good", "last"]


async def test_without_a_memory_nothing_is_told(store: Store, slack: Slack, threads: Threads) -> None:
    async def tell(_: Watch) -> None:
        raise StoreError("Redis: gone")

    with pytest.raises(StoreError):
        await threads.each([await follows(store, slack)], tell)


async def test_who_is_let_go_reads_why_and_the_root_says_so(store: Store, slack: Slack, threads: Threads) -> None:
    await follows(store, slack)
    slack.refuse(POST, "internal_error")
    for _ in range(2):  # the first time Slack is busy
        await threads.let_go(await store.watches.of(PIPELINE), lambda one: Message(text=f"No more of {one.id}."))
    assert await kept(store) is None
    (root,) = slack.workspace.channel("deploys").roots
    assert "Not followed here any more" in root.visible
    assert root.buttons == ["Open in CircleCI"]
    assert [one.visible for one in root.replies] == ["No more of Ev1."]
