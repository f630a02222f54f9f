"""Whatever a person without a word says, presses or sends, no write that needs the word reaches CircleCI."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.actions import ButtonAction
from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.stories.team import Team, team_at_work

COMMANDS = (
    "deploy acme/frontend main",
    "deploy acme/backend",
    "deploy https://github.com/acme/frontend/tree/main",
    "rerun acme/frontend release/v2.0",
    "rerun acme/frontend #2417 all",
    "rerun acme/frontend #2417 ssh",
    "cancel acme/frontend try/slow",
    "approve acme/frontend hold/prod",
    "lock acme/frontend",
    "env acme/frontend",
    "env set acme/frontend NAME",
    "env remove acme/frontend NAME",
    "keys add acme/frontend deploy-key",
    "keys remove acme/frontend c9:0b",
    "ssh-key add acme/frontend",
    "heroku-key add",
    "cache clear acme/frontend",
    "webhook acme/frontend",
    "help",
    "why deploy acme/frontend main",
    "status acme/frontend",
)
# What members may not do without ADMINS.
SECRET_PATHS = ("/envvar", "/checkout-key", "/ssh-key", "/heroku-key", "/webhook")


def forged(values: dict[str, str]) -> list[tuple[str, str]]:
    """Return every button there is, with the ids somebody may have seen."""
    made = []
    for kind in ButtonAction.__subclasses__():
        fields = {name: values.get(name, "x") for name in kind.model_fields}
        if "job_number" in fields:
            fields["job_number"] = "1842"
        if "word" in fields:
            fields["word"] = "rerun"  # not what the act takes
        made.append((kind.action_id, kind.model_validate(fields).pack()))
    return sorted(made)


MOVES = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(COMMANDS)),
    st.tuples(st.just("mention"), st.sampled_from(COMMANDS)),
    st.tuples(st.just("press"), st.integers(0, 30)),
    st.tuples(st.just("forge"), st.integers(0, len(ButtonAction.__subclasses__()) - 1)),
)


class Stage:
    """A team in the middle of its day, kept over all examples."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._team = team_at_work(
            folder, admins="U0ADMIN", circleci_webhook_secret="x", public_url="https://ci.example"
        )
        self.team: Team = self._runner.run(self._team.__aenter__())
        self._runner.run(self._prepare())

    async def _prepare(self) -> None:
        team = self.team
        await team.deploys_branch("release/v2.0")
        await team.reads("Failed after")
        await team.deploys_branch("hold/prod")
        await team.reads("Waiting for approval")
        team.circleci.world.clock.speed = 0.001
        await team.deploys_branch("try/slow")
        await team.is_done()
        failed = team.circleci.world.pipelines[0]
        self.forged = forged(
            {
                "pipeline_id": failed.id,
                "workflow_id": failed.runs[0].id,
                "project_slug": "gh/acme/frontend",
                "text": "deploy acme/frontend main",
                "kind": "deploy-key",
                "name": "NAME",
                "key": "gh/acme/frontend",
            }
        )

    def plays(self, name: str, moves: list[tuple[str, Any]]) -> list[str]:
        """Let somebody do all that; returns the writes that reached CircleCI."""
        return self._runner.run(self._plays(self.team.slack.person(name), moves))

    async def _plays(self, person: Person, moves: list[tuple[str, Any]]) -> list[str]:
        requests = self.team.circleci.requests
        before = len(requests)
        for kind, what in moves:
            await self._move(person, kind, what)
        await self.team.is_done()
        if person.modal is not None:
            await person.submit(
                person.modal, {block["block_id"]: "x" for block in person.modal.blocks if "element" in block}
            )
            await self.team.is_done()
        return [f"{seen.method} {seen.path}" for seen in requests[before:] if seen.method != "GET"]

    async def _move(self, person: Person, kind: str, what: Any) -> None:
        shown = [one for one in (*self.team.deploys.messages, *person.sees_only) if one.buttons]
        match kind:
            case "say":
                await person.command("deploys", "/ci", what)
            case "mention":
                await person.mention("deploys", what)
            case "press":
                buttons = [(message, label) for message in shown for label in message.buttons]
                message, label = buttons[what % len(buttons)]
                await person.click(message, label)
            case "forge":
                action_id, value = self.forged[what]
                await person.click(shown[0], _button(shown[0], action_id, value))

    def close(self) -> None:
        self.team.slack.problems.clear()
        self._runner.run(self._team.__aexit__(None, None, None))
        self._runner.close()


def _button(message: Message, action_id: str, value: str) -> dict[str, Any]:
    element = dict(message.element(message.buttons[0]))
    return element | {"action_id": action_id, "value": value}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    yield stage
    stage.close()


QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(moves=st.lists(MOVES, min_size=1, max_size=8), name=st.sampled_from(["guest", "stranger"]))
def test_guests_and_strangers_reach_no_write(stage: Stage, moves: list[tuple[str, Any]], name: str) -> None:
    assert stage.plays(name, moves) == []


@QUICK
@given(moves=st.lists(MOVES, min_size=1, max_size=8))
def test_members_reach_no_secrets(stage: Stage, moves: list[tuple[str, Any]]) -> None:
    writes = stage.plays("grace", moves)
    assert not [write for write in writes if any(path in write for path in SECRET_PATHS)]
