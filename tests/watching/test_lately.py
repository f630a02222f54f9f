"""What a channel would have been told in the last week: what is known of it, and nothing that is not."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from bot.circleci.reads import Reads
from bot.errors import Unavailable
from bot.models.build import Build
from bot.models.circleci import Pipeline
from bot.models.subscription import Event
from bot.watching.lately import MOST_READ, last_week, would_have
from bot.watching.read_on import A_PAGE
from tests.store.test_subscriptions import rule
from tests.watching.test_branches import START, build

BACKEND: dict[str, Any] = {"project_slug": "gh/acme/backend", "default_branch": "main"}
LONG_AGO, LATELY = START - timedelta(days=30), START


def said(builds: Sequence[Build], reaches: datetime | None = None, **changes: Any) -> list[str]:
    found = would_have(rule(**{**BACKEND, **changes}), builds, reaches=reaches)
    return [f"{one.event} {one.number}" for one in found.posted]


@pytest.mark.parametrize(
    ("reaches", "changes", "expected"),
    [
        (None, {}, ["broke 1", "fixed 3", "broke 5"]),
        (LONG_AGO, {}, ["fixed 3", "broke 5"]),  # whether it was red before the first nobody knows
        (LONG_AGO, {"events": ("failed",)}, ["failed 1", "failed 2", "failed 5"]),
        (None, {"events": ("passed",)}, ["passed 3", "passed 4"]),
        (None, {"branches": ("release/*",)}, []),
        (None, {"by": "octo-grace"}, []),
        (None, {"workflows": ("deploy",)}, []),
    ],
)
def test_it_is_what_the_rule_tells_of_each(
    reaches: datetime | None, changes: dict[str, object], expected: list[str]
) -> None:
    builds = [build(1), build(2), build(3, "success"), build(4, "success"), build(5), build(6, "canceled")]
    assert said(builds[::-1], reaches, **changes) == expected


def test_each_branch_and_each_tag_stands_for_itself() -> None:
    builds = [build(1), build(2, vcs={"branch": "fix"}), build(3, "success"), build(4, vcs={"tag": "v1.0"})]
    builds.append(build(5, "success", vcs={"tag": "v1.0"}))
    assert said(builds, branches=("*", "tag:v*")) == ["broke 1", "broke 2", "fixed 3", "failed 4", "passed 5"]
    found = would_have(rule(**BACKEND, branches=("*", "tag:v*"), events=("broke",)), builds, reaches=None)
    assert [f"{one.event} {one.number}" for one in found.posted] == ["broke 1", "broke 2", "broke 4"]
    assert found.red == ("fix",)


def test_what_is_older_than_a_week_is_none_of_it_but_says_how_it_stood() -> None:
    late = [build(1), build(8 * 24), build(8 * 24 + 1, "success")]
    found = would_have(rule(**BACKEND), late, reaches=LONG_AGO)
    assert [(one.event, one.number) for one in found.posted] == [(Event.FIXED, 193)]
    assert (found.since, found.is_least) == (None, False)
    again = would_have(rule(**BACKEND), [build(1, "success", 2)], reaches=LATELY)
    assert (again.since, again.is_least) == (LATELY, True)


class FarSide:
    def __init__(self, *builds: Build) -> None:
        self.builds = {one.pipeline.id: one for one in builds}
        self.asked: list[str] = []
        self.trouble: Exception | None = None
        self.hidden = 0  # of the oldest, behind two pages of builds of forks
        self.answers = asyncio.Event()
        self.answers.set()

    async def pipelines(self, _slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        self.asked.append(f"{branch} {pages}")
        await self.answers.wait()
        if self.trouble is not None:
            raise self.trouble
        listed = [one.pipeline for one in self.builds.values()]
        own = [one for one in listed if branch is None or (one.ref and one.ref.name == branch)]
        return tuple(own[self.hidden :] if pages <= 2 else own)

    async def outline(self, pipeline: Pipeline) -> Build:
        self.asked.append(pipeline.id)
        return self.builds[pipeline.id]


async def of(far_side: FarSide, **changes: Any) -> list[int] | None:
    found = await last_week(cast("Reads", far_side), rule(**{**BACKEND, **changes}))
    return None if found is None else [one.number for one in found.posted]


@pytest.mark.parametrize(
    ("branches", "lists"),
    [((), ["main 2"]), (("main",), ["main 2"]), (("main", "fix"), ["main 1", "fix 1", "fix 8"]), (("*",), ["None 2"])],
)
async def test_two_pages_are_read_and_the_workflows_of_the_newest(branches: tuple[str, ...], lists: list[str]) -> None:
    far_side = FarSide(*(build(number, "success") for number in range(1, MOST_READ + 5)))
    assert await of(far_side, branches=branches) == []
    assert far_side.asked[: len(lists)] == lists
    assert sorted(far_side.asked[len(lists) :]) == sorted(f"p{number}" for number in range(5, MOST_READ + 5))


async def test_a_branch_is_read_on_where_those_of_forks_stand_between_its_builds() -> None:
    """A list of a branch leaves these out: few on a page are not all there are."""
    far_side = FarSide(*(build(number, "success" if number % 2 else "failed") for number in range(1, 8)))
    far_side.hidden = 4
    assert await of(far_side) == [2, 3, 4, 5, 6, 7]
    assert far_side.asked[:2] == ["main 2", "main 8"]


async def test_what_is_not_known_is_left_out() -> None:
    assert await of(FarSide()) is None
    assert await of(FarSide(build(1)), branches=("fix",)) is None
    assert await of(FarSide(build(1)), pattern="acme/*") is None
    broken = FarSide(build(1))
    broken.trouble = Unavailable("it does not answer")
    assert await of(broken) is None
    silent = FarSide(build(1))
    silent.answers.clear()
    assert await last_week(cast("Reads", silent), rule(**BACKEND), seconds=0.01) is None


async def test_a_list_that_is_whole_tells_of_the_first_of_a_branch() -> None:
    assert await of(FarSide(build(1))) == [1]
    assert await of(FarSide(*(build(number) for number in range(1, A_PAGE + 1)))) == []
