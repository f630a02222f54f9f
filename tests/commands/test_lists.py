"""What somebody may not look at is in no list, and not counted."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.circleci.reads import Reads
from bot.models.caller import Caller
from bot.models.classic import BuildSummary, FollowedProject
from bot.permissions import Permissions
from bot.policy import Kind, parse
from bot.requests import Nothing
from bot.routing import Context
from bot.settings import Projects, Settings
from commands import lists
from tests.test_permissions import Agents, FarSide

POLICY = """
[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "the vault is not looked at"
effect = "deny"
roles = ["guests"]
words = ["read"]
projects = ["gh/acme/vault"]
"""
GUEST = Caller(person_id="U0GUEST", delivery_id="d1")
ADA = Caller(person_id="U0ADA", delivery_id="d2")


class Workspace:
    """Slack, as far as the policy asks it."""

    async def kind_of(self, user_id: str) -> Kind:
        return Kind.GUEST if user_id == "U0GUEST" else Kind.MEMBER

    async def members_of(self, group_id: str) -> frozenset[str]:  # noqa: ARG002  # there is no group
        return frozenset()

    async def channels_of(self, user_id: str) -> frozenset[str]:  # noqa: ARG002  # nobody is in one
        return frozenset()

    async def user_name(self, user_id: str) -> str:
        return user_id


class Classic:
    """Reads's lists; the code host of one is left out, as it may be."""

    async def recent_builds(self, limit: int) -> tuple[BuildSummary, ...]:
        assert limit == 100
        return tuple(BuildSummary(build_num=number, **one) for number, one in enumerate(NAMED))

    async def followed_projects(self) -> tuple[FollowedProject, ...]:
        return tuple(FollowedProject(**one) for one in NAMED)


NAMED: tuple[dict[str, Any], ...] = (
    {"username": "acme", "reponame": "vault", "vcs_type": "github"},
    {"username": "acme", "reponame": "vault"},
    {"username": "acme", "reponame": "site", "vcs_type": "github"},
    {"username": "acme", "reponame": "app"},
)


@pytest.fixture
def context() -> Context:
    permissions = permissions_under(POLICY)
    return cast("Context", SimpleNamespace(circleci=Classic(), permissions=permissions, projects=Projects()))


def permissions_under(policy: str) -> Permissions:
    settings = Settings.model_construct(admins=())
    reads, agents = cast("Reads", FarSide()), Agents()
    return Permissions(parse(policy), settings, Projects(), Workspace(), reads, team_id="T0ACME", agents=agents)


async def test_recent_leaves_out_what_somebody_may_not_read(context: Context) -> None:
    assert [one.title for one in (await lists.recent(Nothing(), GUEST, context)).builds] == ["acme/site", "acme/app"]
    assert len((await lists.recent(Nothing(), ADA, context)).builds) == 4


async def test_projects_leaves_it_out_and_counts_the_rest(context: Context) -> None:
    found = await lists.projects(lists.Filter(wanted="A"), GUEST, context)
    assert [one.project_title for one in found.projects] == ["acme/app", "acme/site"]
    assert found.of == 2
    assert (await lists.projects(lists.Filter(wanted="vau"), GUEST, context)).projects == ()
    assert (await lists.projects(lists.Filter(wanted="vau"), ADA, context)).of == 4


async def test_a_list_knows_a_tag_from_a_branch_and_takes_what_has_no_name_for_the_worst() -> None:
    policy = """
[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "releases are not looked at"
effect = "deny"
roles = ["guests"]
words = ["read"]
tags = ["v*"]
"""
    named: tuple[dict[str, Any], ...] = (
        {"branch": "v2"},
        {"vcs_tag": "v2"},
        {"vcs_tag": "x2"},
        {"branch": "main\u2003"},
        {},
    )
    builds = [BuildSummary(build_num=number, username="a", reponame="b", **one) for number, one in enumerate(named)]
    permissions = permissions_under(policy)
    context = SimpleNamespace(permissions=permissions, projects=Projects())
    seen = await lists._readable(builds, GUEST, cast("Context", context))
    assert [one.build_num for one in seen] == [0, 2]
    assert len(await lists._readable(builds, ADA, cast("Context", context))) == 5
