"""Subscriptions as they are kept: by channel and project, so many, and what each channel was told of a branch."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import Event, Fitting, Mode, Subscription, Wish, id_of
from bot.store import Store, subscriptions

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SLUG = ProjectSlug("gh/acme/frontend")


def rule(number: int = 1, **changes: object) -> Subscription:
    kept = {"id": f"s{number}", "channel_id": "C0WEB", "made_by": "U0ADA", "made_at": NOW + timedelta(seconds=number)}
    named = {"project_slug": SLUG, "project_title": "acme/frontend", "default_branch": "main"}
    return Subscription.model_validate(kept | named | changes)


async def test_one_is_found_by_its_channel_and_its_project_until_it_is_removed(store: Store) -> None:
    first, second = rule(1), rule(2, channel_id="C0OPS", project_slug=ProjectSlug("github/Acme/Frontend"))
    third = rule(3, project_slug=ProjectSlug("gh/acme/backend"))
    for one in (third, first, second):
        assert await store.subscriptions.add(one)
    assert await store.subscriptions.all() == [first, second, third]
    assert await store.subscriptions.of_channel("C0WEB") == [first, third]
    assert await store.subscriptions.of_project(SLUG) == [first, second]
    assert await store.subscriptions.remove(first)
    assert not await store.subscriptions.remove(first)
    assert await store.subscriptions.of_channel("C0WEB") == [third]
    assert await store.subscriptions.of_project(SLUG) == [second]
    assert await store.subscriptions.get("s1") is None


async def test_a_channel_has_so_many_and_no_more_however_many_ask_at_once(store: Store) -> None:
    rules = [rule(number) for number in range(subscriptions.MOST + 2)]
    added = await asyncio.gather(*(store.subscriptions.add(one) for one in rules))
    assert (
        len([one for one in added if one]) == len(await store.subscriptions.of_channel("C0WEB")) == subscriptions.MOST
    )
    assert await store.subscriptions.add(rule(99, channel_id="C0OPS"))


async def test_one_alone_hears_that_it_is_paused_and_what_is_removed_stays_so(store: Store) -> None:
    one = rule()
    assert not await store.subscriptions.pause(one, "is_archived")
    await store.subscriptions.add(one)
    paused = [store.subscriptions.pause(one, "is_archived") for _ in range(3)]
    assert sorted(await asyncio.gather(*paused)) == [False, False, True]
    assert await store.subscriptions.get("s1") == one.model_copy(update={"paused": "is_archived"})
    assert await store.subscriptions.pause(one, "")
    assert not await store.subscriptions.pause(one, "")
    await store.subscriptions.remove(one)
    assert not await store.subscriptions.pause(one, "is_archived")
    assert await store.subscriptions.all() == []


async def test_what_is_known_of_a_branch_takes_every_change_and_goes_with_the_last_subscription(store: Store) -> None:
    for one in (rule(1), rule(2)):
        await store.subscriptions.add(one)

    async def told(key: str) -> None:
        await store.subscriptions.know(
            "C0WEB", SLUG, "main", lambda known: known.model_copy(update={"told": known.told | {key}})
        )

    await asyncio.gather(told("1:broke"), told("2:fixed"))
    expected = Branch(channel_id="C0WEB", project_slug=SLUG, branch="main", told=frozenset({"1:broke", "2:fixed"}))
    assert await store.subscriptions.known("C0WEB", ProjectSlug("GH/acme/Frontend"), "main") == expected
    assert await store.subscriptions.known("C0OPS", SLUG, "main") is None
    await store.subscriptions.remove(rule(1))
    assert await store.subscriptions.known("C0WEB", SLUG, "main") == expected
    await store.subscriptions.remove(rule(2))
    assert await store.subscriptions.known("C0WEB", SLUG, "main") is None


async def test_nothing_is_forgotten_while_another_version_alone_can_read_a_subscription(store: Store) -> None:
    """Two versions may run at once, and what only one of them reads may be about that branch."""
    await store.subscriptions.add(rule(1))
    await store.subscriptions.know("C0WEB", SLUG, "main", lambda known: known)
    theirs = rule(1).model_dump(mode="json") | {"events": ["broke", "of-a-later-version"]}
    await store._connection.redis.hset("ci:subscriptions", "s1", json.dumps(theirs))
    await store.subscriptions.forget_unheard("C0WEB", SLUG, "acme/frontend")
    assert await store.subscriptions.known("C0WEB", SLUG, "main") is not None
    await store._connection.redis.hset("ci:subscriptions", "s1", rule(1, branches=["next"]).model_dump_json())
    await store.subscriptions.forget_unheard("C0WEB", SLUG, "acme/frontend")
    assert await store.subscriptions.known("C0WEB", SLUG, "main") is None


async def test_of_too_many_branches_the_oldest_green_one_is_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_BRANCHES", 2)
    for number, (name, red) in enumerate([("old-red", 1), ("green", 0), ("new", 3)], 1):

        def change(known: Branch, number: int = number, red: int = red) -> Branch:
            return known.model_copy(update={"number": number, "red_since": red})

        await store.subscriptions.know("C0WEB", SLUG, name, change)
    assert await store.subscriptions.known("C0WEB", SLUG, "green") is None
    assert await store.subscriptions.known("C0WEB", SLUG, "old-red") is not None


@pytest.mark.parametrize(
    ("branches", "branch", "is_wanted"),
    [
        ((), "trunk", True),
        ((), "main", False),  # was the default branch when the channel subscribed
        (("main", "release/*"), "release/v2.0", True),
        (("main", "release/*"), "feature", False),
        (("!renovate/*",), "feature", True),
        (("!renovate/*",), "renovate/httpx", False),
        (("*", "!renovate/*"), "renovate/httpx", False),
    ],
)
def test_a_branch_is_wanted_by_globs_or_as_the_default_branch_of_today(
    branches: tuple[str, ...], branch: str, is_wanted: bool
) -> None:
    assert rule(branches=branches).wants(branch, "trunk") is is_wanted


async def test_what_is_there_already_is_kept_as_it_is(store: Store) -> None:
    first, again = rule(1), rule(1, made_by="U0GRACE")
    assert await store.subscriptions.add(first) == first
    assert await store.subscriptions.add(again) == first
    assert await store.subscriptions.of_channel("C0WEB") == await store.subscriptions.of_project(SLUG) == [first]


def test_the_same_events_of_the_same_branches_are_one_in_whatever_order() -> None:
    one = id_of("C0WEB", SLUG, Wish(branches=("main", "release/*")))
    turned = Wish(branches=("release/*", "main"), events=(Event.FIXED, Event.BROKE), mode=Mode.CHANNEL)
    assert id_of("C0WEB", "github/Acme/frontend", turned) == one
    others = [Wish(), Wish(branches=("main",)), Wish(branches=("main", "release/*"), events=(Event.BROKE,))]
    assert len({one, *(id_of("C0WEB", SLUG, wish) for wish in others), id_of("C0OPS", SLUG, turned)}) == 5


async def test_what_is_known_of_the_branches_of_a_project_is_listed_and_forgotten_one_by_one(store: Store) -> None:
    kept = store.subscriptions
    for branch in ("main", "old"):
        await kept.know("C0WEB", SLUG, branch, lambda state: state.model_copy(update={"red_since": 7}))
    await kept.forget("C0WEB", SLUG, "old")
    assert [(one.branch, one.red_since) for one in await kept.known_of("C0WEB", SLUG)] == [("main", 7)]
    assert await kept.known_of("C0DEPLOYS", SLUG) == []


@pytest.mark.parametrize(
    ("branches", "ref", "is_wanted"),
    [
        (("tag:v*",), Ref(name="v1.0", kind="tag"), True),
        (("tag:v*",), Ref(name="v1.0"), False),
        (("tag:v*",), Ref(name="trunk"), False),  # the default branch: it is not named
        (("main", "tag:v*"), Ref(name="main"), True),
        (("*",), Ref(name="v1.0", kind="tag"), False),
        (("tag:v*", "!tag:v0*"), Ref(name="v0.9", kind="tag"), False),
        (("!tag:v0*",), Ref(name="v1.0", kind="tag"), True),
        ((), Ref(name="v1.0", kind="tag"), False),
    ],
)
def test_a_tag_is_wanted_where_it_is_named_as_one(branches: tuple[str, ...], ref: Ref, is_wanted: bool) -> None:
    assert rule(branches=branches, default_branch="trunk").wants_ref(ref) is is_wanted


def test_of_a_tag_each_end_is_told_where_nothing_is_said() -> None:
    one = rule(branches=("main", "tag:v*"))
    assert one.events_of(Ref(name="v1.0", kind="tag")) == (Event.FAILED, Event.PASSED)
    assert one.events_of(Ref(name="main")) == (Event.BROKE, Event.FIXED)
    assert rule(events=(Event.PASSED,)).events_of(Ref(name="v1.0", kind="tag")) == (Event.PASSED,)


def test_whose_builds_and_which_workflows_are_part_of_what_a_rule_is() -> None:
    wishes = [
        Wish(),
        Wish(by="ada"),
        Wish(by="grace"),
        Wish(workflows=("deploy",)),
        Wish(workflows=("deploy", "e2e")),
        Wish(left_out=("acme/old",)),
    ]
    assert len({id_of("C0WEB", SLUG, wish) for wish in wishes}) == len(wishes)
    assert id_of("C0WEB", SLUG, Wish(by="ADA")) == id_of("C0WEB", SLUG, Wish(by="ada"))
    assert id_of("C0WEB", SLUG, Wish(workflows=("e2e", "deploy"))) == id_of("C0WEB", SLUG, wishes[4])


async def test_a_rule_of_a_pattern_is_read_as_one_to_each_project_that_it_means(store: Store) -> None:
    subscriptions, web = store.subscriptions, Fitting(slug=ProjectSlug("gh/acme/web"), title="acme/web")
    api = Fitting(slug=ProjectSlug("gh/acme/api"), title="acme/api", default_branch="trunk")
    of_web, of_all = (
        rule(1, pattern="acme/web*", project_slug="acme/web*"),
        rule(2, pattern="acme/*", project_slug="acme/*"),
    )
    for one in (of_web, of_all, rule(3, project_slug=web.slug)):
        await subscriptions.add(one)
    await subscriptions.fit([web, api], [of_all, of_web])
    assert [one.id for one in await subscriptions.of_project(ProjectSlug("github/Acme/web"))] == ["s1", "s2", "s3"]
    (one,) = await subscriptions.of_project(api.slug)
    assert (one.project_slug, one.default_branch, one.line) == (api.slug, "trunk", "acme/* broke fixed")
    assert sorted(await subscriptions.projects()) == [api.slug, web.slug]
    assert await subscriptions.pause(one, "is_archived")
    kept = await subscriptions.get("s2")
    assert kept is not None
    assert (kept.project_slug, kept.paused) == ("acme/*", "is_archived")
    await subscriptions.fit([web], [of_web.model_copy(update={"left_out": ("acme/web",)})])
    assert [one.id for one in await subscriptions.of_project(web.slug)] == ["s2", "s3"]
    await subscriptions.remove(of_all)
    assert await subscriptions.of_project(api.slug) == []
    assert await subscriptions.projects() == [web.slug]


async def test_a_pattern_hears_of_a_project_since_it_means_that(store: Store) -> None:
    """Since it was made of all that are found soon after; what an earlier version found is heard of as it was."""
    kept, now = store.subscriptions, utc_now()
    old, new = (
        rule(number, pattern="acme/*", project_slug="acme/*", made_at=made_at)
        for number, made_at in enumerate((now - timedelta(days=30), now - timedelta(minutes=20)), start=1)
    )
    for one in (old, new):
        await kept.add(one)
    web = Fitting(slug=ProjectSlug("gh/acme/web"), title="acme/web")
    await kept.fit([web], [old, new])
    first, second = await kept.of_project(web.slug)
    assert (first.hears_since >= now, second.hears_since) == (True, new.made_at)
    await kept.fit([web], [old.model_copy(update={"left_out": ("acme/web",)}), new])
    await kept.fit([web], [new])
    assert [one.hears_since for one in await kept.of_project(web.slug)] == [new.made_at]
    await kept.is_by_now(second, ProjectSlug("gh/acme/site"), "acme/site", "main")
    assert [one.hears_since for one in await kept.of_project(ProjectSlug("gh/acme/site"))] == [new.made_at]
    assert old.at(Fitting(slug=web.slug, title="acme/web", rules=(old.id,))).hears_since == old.made_at


async def test_a_thread_is_known_by_the_branch_that_it_is_about(store: Store) -> None:
    kept = store.subscriptions
    await kept.know("C0WEB", SLUG, "main", lambda state: state.model_copy(update={"red_since": 7, "root_ts": "1.5"}))
    await kept.know("C0WEB", SLUG, "main", lambda state: state.model_copy(update={"red_since": 0, "root_ts": None}))
    found = [await kept.of_thread(channel, ts) for channel, ts in (("C0WEB", "1.5"), ("C0OPS", "1.5"), ("C0WEB", "2"))]
    assert [one.branch if one else None for one in found] == ["main", None, None]
    await kept.forget("C0WEB", SLUG, "main")
    assert await kept.of_thread("C0WEB", "1.5") is None


@pytest.mark.parametrize("pattern", ["", "gh/acme/*"])
async def test_what_is_known_and_its_thread_go_on_under_the_name_of_by_now(store: Store, pattern: str) -> None:
    """Also where it is called otherwise twice, and whatever it was called when that was written."""
    kept, names = store.subscriptions, [SLUG, ProjectSlug("gh/acme/web"), ProjectSlug("gh/acme/site")]
    one = rule(pattern=pattern, project_slug=ProjectSlug(pattern or SLUG))
    await kept.add(one)
    if pattern:
        await kept.fit([Fitting(slug=SLUG, title="acme/frontend", default_branch="main")], [one])
    red = {"red_since": 7, "root_ts": "1.0", "pipeline_id": "p7"}
    posting = Branch(channel_id="C0WEB", project_slug=SLUG, branch="main", red_since=8)
    await kept.know("C0WEB", SLUG, "main", lambda known: known.model_copy(update={**red, "posting": posting}))
    for before, now in pairwise(names):
        (meant,) = await kept.of_project(before)
        await kept.is_by_now(meant, now, now.partition("/")[2], "main")
    (state,) = await kept.known_of("C0WEB", names[-1])
    assert state.posting
    assert {state.project_slug, state.posting.project_slug} == {names[-1]}
    assert state == await kept.known("C0WEB", names[-1], "main") == await kept.of_thread("C0WEB", "1.0")
    assert state == await kept.know("C0WEB", names[-1], "main", lambda known: known)
    assert await kept.now_called(SLUG) == names[-1]
    await kept.add(rule(2))
    assert await kept.now_called(SLUG) == SLUG  # another project is called so by now
