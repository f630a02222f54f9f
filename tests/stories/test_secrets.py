"""Stories of secrets: set, listed and removed by those allowed, and never to be read again anywhere."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.actions import RunCommand
from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.stories.team import Team, team_at_work

VALUE = "hunter2-SECRET-VALUE"
GITHUB = "ghp_" + "a1B2" * 9
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRETKEYMATERIAL\n-----END OPENSSH PRIVATE KEY-----"


@pytest.fixture
async def team(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, socket_mode=getattr(request, "param", True), admins=("U0ADMIN",)) as team:
        yield team


BOTH_WAYS = pytest.mark.parametrize("team", [True, False], ids=["socket", "http"], indirect=True)


async def asks(team: Team, text: str, words: str) -> Message:
    """Let the admin ask, and return the answer that only they see."""
    admin = team.slack.person("admin")
    await admin.command("releases", "/ci", text)
    return await team.is_told(admin, words)


async def fills(team: Team, told: Message, label: str, values: dict[str, str], words: str) -> None:
    """Open the form, fill it in, send it, and wait for the outcome."""
    admin = team.slack.person("admin")
    await admin.click(told, label)
    view = await team.slack.wait_for(lambda: admin.modal)
    assert view is not None
    await admin.submit(view, dict(values))
    await team.slack.wait_for(lambda: shown(admin, words))
    view = admin.modal
    assert view is not None
    await admin.close(view)


def shown(person: Person, words: str) -> bool:
    return person.modal is not None and words in person.modal.visible


@BOTH_WAYS
async def test_a_variable_is_set_listed_and_removed(team: Team) -> None:
    await asks(team, "env acme/frontend", "no environment variables")
    told = await asks(team, "env set acme/frontend DEPLOY_TOKEN", "Nothing is set yet")
    await fills(team, told, "Type the value", {"value": VALUE}, "is set in gh/acme/frontend")
    assert team.circleci.classic.secrets["gh/acme/frontend", "DEPLOY_TOKEN"] == VALUE
    listed = await asks(team, "env list acme/frontend", "1 environment variable")
    assert "DEPLOY_TOKEN` ••••" in listed.visible
    await asks(team, "env acme/frontend DEPLOY_TOKEN", "is set in acme/frontend")
    told = await asks(team, "env remove acme/frontend DEPLOY_TOKEN", "can be removed")
    admin = team.slack.person("admin")
    await admin.click(told, "Remove DEPLOY_TOKEN")
    await team.is_told(admin, "is removed from gh/acme/frontend")
    await admin.click(told, told.element("Remove DEPLOY_TOKEN"))
    await team.is_told(admin, "is not there any more")
    assert team.circleci.classic.secrets == {}
    await asks(team, "env remove acme/frontend DEPLOY_TOKEN", "knows no environment variable")


TYPED = (
    f"env set acme/frontend DEPLOY_TOKEN {VALUE}",
    f"evn acme/frontend set DEPLOY_TOKEN={VALUE}",
    f"please set the env var DEPLOY_TOKEN of acme/frontend to {VALUE}",
    f"ssh-key add acme/frontend {VALUE}",
    f"heroku-key {VALUE}",
    f"deploy acme/frontend main token={VALUE}",
    f"deploy acme/frontend main image={GITHUB}",
    KEY,
)


async def test_a_typed_value_is_refused_and_kept_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with team_at_work(tmp_path, admins=("U0ADMIN",), audit_log=True) as team:
        admin = team.slack.person("admin")
        for text in TYPED:
            await admin.command("releases", "/ci", text)
            assert "Your message still stands" not in admin.sees_only[-1].visible
            await admin.mention("releases", text)
            await team.is_told(admin, "Your message still stands in Slack: delete it.")
        await team.slack.wait_for(lambda: len(admin.sees_only) == 2 * len(TYPED))
        kept = "\n".join(await in_redis(team))
        told = "\n".join(one.visible for one in admin.sees_only)
        assert told.count("I do not take a secret from a message") == 2 * len(TYPED)
        assert told.count("make a new one") == 2 * len(TYPED)
        for secret in (VALUE, GITHUB, "SECRETKEYMATERIAL"):
            assert secret not in told + kept
        said = json.dumps([call.arguments for call in team.slack.calls])
        assert VALUE not in said + "".join(capsys.readouterr())
        assert VALUE not in "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("bot"))


async def test_a_button_of_an_earlier_version_with_a_value_is_refused(team: Team) -> None:
    meant = RunCommand(text=f"env set acme/frontend DEPLOY_TOKEN {VALUE}")
    element = {"type": "button", "action_id": "run_command", "block_id": "b", "value": meant.pack()}
    place = team.slack.workspace.post(team.deploys, "U0BOT", "Did you mean env?", [])
    await team.ada.click(place, element)
    told = await team.is_told(team.ada, "I do not take a secret from a message")
    assert "It still stands on the button" in told.visible
    assert not any(VALUE in kept for kept in await in_redis(team))


async def test_what_circleci_refuses_is_said_without_the_value(team: Team) -> None:
    told = await asks(team, "ssh-key add acme/frontend", "Paste the key")
    await fills(team, told, "Paste the key", {"private_key": VALUE}, "it does not take this value")
    told = await asks(team, "heroku-key add", "CircleCI Cloud dropped this")
    await fills(team, told, "Paste the key", {"key": VALUE}, "it takes no Heroku keys any more")
    assert team.circleci.classic.secrets == {}


@BOTH_WAYS
async def test_a_slow_circleci_is_waited_for_in_the_window(team: Team) -> None:
    admin = team.slack.person("admin")
    told = await asks(team, "env set acme/frontend DEPLOY_TOKEN", "Nothing is set yet")
    answers = asyncio.Event()
    team.circleci.faults.add("POST", "*/envvar", until=answers)
    await admin.click(told, "Type the value")
    view = await team.slack.wait_for(lambda: admin.modal)
    assert view is not None
    await admin.submit(view, {"value": VALUE})
    assert "I am asking CircleCI" in view.visible
    answers.set()
    await team.slack.wait_for(lambda: "is set in gh/acme/frontend" in view.visible)


async def test_only_admins_may_and_the_form_asks_again(team: Team) -> None:
    await team.ada.command("releases", "/ci", "env acme/frontend")
    await team.is_told(team.ada, "You may not look at or change secrets here: only my admins may (admin).")
    told = await asks(team, "env set acme/frontend DEPLOY_TOKEN", "Nothing is set yet")
    shared = team.slack.workspace.post(team.deploys, "U0BOT", "leaked", told.blocks)
    await team.ada.click(shared, "Type the value")
    await team.slack.wait_for(lambda: len(team.ada.sees_only) == 2)
    assert team.ada.modal is None


async def test_checkout_keys_are_made_shown_and_removed(team: Team) -> None:
    admin = team.slack.person("admin")
    await asks(team, "keys acme/frontend", "has no checkout keys")
    told = await asks(team, "keys add acme/frontend deploy-key", "CircleCI makes a deploy-key")
    await admin.click(told, "Add deploy-key")
    await team.is_told(admin, "has a new checkout key")
    fingerprint = team.circleci.classic.keys["gh/acme/frontend"][0]["fingerprint"]
    listed = await asks(team, "keys acme/frontend", "1 checkout key.")
    assert f"{fingerprint}` · preferred · since 2026-11-20" in listed.visible
    await asks(team, f"keys show acme/frontend {fingerprint}", "ssh-rsa AAAA")
    told = await asks(team, f"keys remove acme/frontend {fingerprint}", "can be removed")
    await admin.click(told, "Remove this key")
    await team.is_told(admin, "is removed from gh/acme/frontend")
    await admin.click(told, told.element("Remove this key"))
    await team.is_told(admin, "is not there any more")
    await asks(team, f"keys show acme/frontend {fingerprint}", "knows no checkout key")


async def test_caches_are_cleared_where_circleci_still_can(team: Team) -> None:
    admin = team.slack.person("admin")
    told = await asks(team, "cache clear acme/frontend", "can be cleared")
    await admin.click(told, "Clear the caches")
    await team.is_told(admin, "CircleCI removed this in 2020")
    team.circleci.classic.has_build_cache = True
    await admin.click(told, told.element("Clear the caches"))
    await team.is_told(admin, "build dependency caches deleted")


async def test_a_token_in_a_pasted_link_is_taken_out(team: Team) -> None:
    link = f"https://circleci.com/api/v1.1/project/gh/acme/cli/7/artifacts?circle-token={VALUE}"
    await team.ada.command("releases", "/ci", f"status {link}")
    await team.is_told(team.ada, "carried a CircleCI token")
    assert not any(VALUE in kept for kept in await in_redis(team))
    assert VALUE not in team.slack.workspace.transcript()


@BOTH_WAYS
async def test_nothing_secret_is_to_be_found_anywhere(
    team: Team, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    team.circleci.classic.takes_heroku_keys = True
    told = await asks(team, "env set acme/frontend DEPLOY_TOKEN", "Nothing is set yet")
    await fills(team, told, "Type the value", {"value": VALUE}, "is set in gh/acme/frontend")
    told = await asks(team, "env set acme/frontend OTHER", "Nothing is set yet")
    team.circleci.faults.add("POST", "*/envvar", status=500, body={"message": VALUE})
    await fills(team, told, "Type the value", {"value": VALUE}, "I cannot tell whether it took")
    told = await asks(team, "ssh-key add acme/frontend", "Paste the key")
    await fills(
        team, told, "Paste the key", {"hostname": "prod.acme.example", "private_key": KEY}, "may log in to prod"
    )
    told = await asks(team, "heroku-key add", "CircleCI Cloud dropped this")
    await fills(team, told, "Paste the key", {"key": VALUE}, "has the Heroku key")
    await asks(team, "env acme/frontend", "1 environment variable")
    await asks(team, "keys acme/frontend", "has no checkout keys")
    assert list(team.circleci.classic.ssh_keys.values()) == [KEY + "\n"]
    assert team.circleci.classic.heroku_key == VALUE
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        metrics = await answer.text()
    places = {
        "slack": team.slack.workspace.transcript(),
        "slack's API": json.dumps([call.arguments for call in team.slack.calls]),
        "logs": caplog.text + "".join(capsys.readouterr()),
        "metrics": metrics,
        "redis": "\n".join(await in_redis(team)),
    }
    tokens = (team.circleci.token, team.slack.bot_token, team.slack.app_token)
    for name, text in places.items():
        assert text, name
        for secret in (VALUE, "SECRETKEYMATERIAL", *tokens):
            assert secret not in text, name


async def in_redis(team: Team) -> list[str]:
    """Return everything the bot keeps, whatever its kind."""
    async with Redis.from_url(team.app.docket.url) as redis:
        kept = []
        for key in await redis.keys("*"):
            read: dict[object, Any] = {
                b"string": redis.get,
                b"hash": redis.hgetall,
                b"set": redis.smembers,
                b"zset": lambda name: redis.zrange(name, 0, -1),
                b"list": lambda name: redis.lrange(name, 0, -1),
                b"stream": redis.xrange,
            }
            kind = await redis.type(key)
            if kind in read:  # it may be gone by now
                kept.append(f"{key!r} {await read[kind](key)!r}")
        return kept


async def test_what_a_test_quotes_is_masked_before_it_is_posted(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, mask_values="hunter2-declared, other-value") as team:
        leaky = TestPlan(
            "test_login", "t.py", f"401 with ghp_{'a' * 36} and hunter2-declared and {team.circleci.token}"
        )
        job = JobPlan("test", ends="failed", tests=(leaky,), log=("used other-value here", "exit 1"))
        course = Scenario((WorkflowPlan("build", (job,)),))
        team.circleci.world.set_scenario("gh/acme/frontend", "main", course)
        await team.deploys_branch("main")
        final = await team.reads("Failed after")
        assert "401 with [masked] and [masked] and [masked]" in final.visible
        await team.ada.command("deploys", "/ci", "tests acme/frontend main")
        await team.is_told(team.ada, "[masked]")
        said = team.slack.workspace.transcript()
        for secret in ("hunter2-declared", "other-value", "ghp_aaaa", team.circleci.token):
            assert secret not in said
