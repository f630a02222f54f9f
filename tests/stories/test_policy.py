"""Stories of who may do what: a policy file, user groups, guests, and Slack not saying."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.team import Team, is_sign, team_at_work

POLICY = """
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "everybody may read"
words = ["read"]

[[rules]]
name = "members deploy to try"
roles = ["members"]
words = ["deploy", "cancel"]
branches = ["try/*"]

[[rules]]
name = "the release team ships"
roles = ["release-team"]
words = ["deploy", "rerun", "cancel", "approve"]

[[rules]]
name = "the backend is frozen"
effect = "deny"
words = ["deploy"]
projects = ["acme/backend"]
"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    async with team_at_work(tmp_path / "data", policy_file=file, admins="U0ADMIN") as team:
        yield team


async def says(team: Team, name: str, text: str, words: str) -> str:
    person = team.slack.person(name)
    await person.command("deploys", "/ci", text)
    return (await team.is_told(person, words)).visible


async def test_the_rule_that_refuses_is_named_and_nothing_is_asked_of_circleci(team: Team) -> None:
    told = await says(team, "grace", "deploy acme/frontend main", "You may not deploy")
    assert "no rule allows it" in told
    assert team.posts("/pipeline") == []
    await says(team, "ada", "deploy acme/backend main", "the backend is frozen")
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    await team.reads("Passed in")


async def test_the_default_branch_is_a_branch_like_any_other(team: Team) -> None:
    told = await says(team, "grace", "deploy acme/frontend", "You may not deploy")
    assert "acme/frontend main" in told


async def test_a_button_is_checked_when_it_is_pressed(team: Team) -> None:
    await team.deploys_branch("hold/prod")
    held = await team.slack.wait_for(
        lambda: [one for one in team.deploys.messages if "Approve hold-prod" in one.buttons], timeout=15
    )
    await team.grace.click(held[0], "Approve hold-prod")
    await team.is_told(team.grace, "You may not approve")
    assert not [seen for seen in team.circleci.requests if "/approve/" in seen.path]
    await team.ada.click(held[0], "Approve hold-prod")
    await team.reads("Passed in")


async def test_a_change_of_a_user_group_takes_effect(team: Team) -> None:
    await says(team, "grace", "deploy acme/frontend main", "You may not deploy")
    team.slack.workspace.usergroups["S0RELEASE"].users.append("U0GRACE")
    team.app.permissions.forget()  # as after a minute
    await team.grace.command("deploys", "/ci", "deploy acme/frontend main")
    await team.reads("Passed in")


async def test_a_group_that_slack_does_not_tell_allows_nothing(team: Team) -> None:
    team.slack.refuse("usergroups.users.list", "missing_scope", times=5)
    told = await says(team, "ada", "deploy acme/frontend main", "You may not deploy")
    assert "Slack does not say who is in the user groups of “the release team ships”" in told
    assert team.posts("/pipeline") == []


async def test_why_names_the_rule_and_who_could(team: Team) -> None:
    told = await says(team, "grace", "why deploy acme/frontend main", "You may not deploy (acme/frontend main)")
    assert "Who could: release-team." in told
    assert "“" not in told
    told = await says(team, "ada", "why deploy acme/frontend main", "You may deploy (acme/frontend main)")
    assert "the release team ships" in told
    told = await says(team, "ada", "why deploy acme/backend main", "You may not deploy (acme/backend main)")
    assert "the backend is frozen" in told
    assert "Nobody could." in told
    await says(team, "ada", "why frobnicate", "I know no such command.")
    await says(team, "ada", "why", "What do you want to do?")


@pytest.mark.parametrize("name", ["guest", "stranger"])
async def test_without_a_file_guests_and_strangers_only_read(tmp_path: Path, name: str) -> None:
    async with team_at_work(tmp_path) as team:
        await team.deploys_branch("hold/prod")
        await team.reads("Waiting for approval")
        someone = team.slack.person(name)
        held = next(one for one in team.deploys.messages if "Approve hold-prod" in one.buttons)
        for text in ("deploy acme/frontend main", "rerun acme/frontend main", "cancel acme/frontend main"):
            await someone.command("deploys", "/ci", text)
        await someone.click(held, "Approve hold-prod")
        await someone.click(team.root, "Cancel #2417")
        await team.slack.wait_for(lambda: len(someone.sees_only) == 5 and not any(map(is_sign, someone.sees_only)))
        assert all("may only read" in one.visible for one in someone.sees_only)
        await someone.command("deploys", "/ci", "status acme/frontend hold/prod")
        await team.is_told(someone, "On hold")
        assert len([seen for seen in team.circleci.requests if seen.method == "POST"]) == 1


async def test_when_slack_does_not_say_who_somebody_is_the_answer_is_no(tmp_path: Path) -> None:
    async with team_at_work(tmp_path) as team:
        team.slack.refuse("users.info", "internal_error", times=5)
        await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        await team.is_told(team.ada, "Slack does not say who you are")
        assert team.posts("/pipeline") == []


EVERYBODY = """
[roles.blocked]
users = ["U0ADA"]

[[rules]]
name = "everybody deploys"
words = ["read", "deploy"]
"""
BUT_SOME = {
    "named": ("U0ADA", 'effect = "deny"\nroles = ["blocked"]', "You may not deploy"),
    "admins": ("U0ADA", 'effect = "deny"\nroles = ["admins"]', "You may not deploy"),
    "demanded": ("U0GRACE", 'effect = "demand"\nroles = ["blocked"]\ntyped = true', "type its branch or tag once more"),
}


@pytest.mark.parametrize(("admins", "rule", "words"), BUT_SOME.values(), ids=BUT_SOME)
async def test_a_rule_about_some_holds_where_another_allows_everybody(
    tmp_path: Path, admins: str, rule: str, words: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f'{EVERYBODY}\n[[rules]]\nname = "but not they"\nwords = ["deploy"]\n{rule}\n')
    async with team_at_work(tmp_path / "data", policy_file=file, admins=admins) as team:
        await says(team, "ada", "deploy acme/frontend main", words)
        assert team.posts("/pipeline") == []
