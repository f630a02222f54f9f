"""Short ways to the moment before an act, in a world whose time is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.actions import ButtonAction
from bot.models.audit import Entry
from bot.models.slack import Invocation
from playground.circleci.pipelines import Pipeline
from playground.slack.conversations import Json, Message
from playground.slack.modals import View
from playground.slack.people import Person
from tests.stories.team import Team, is_offer, is_sign, team_at_work

FRONTEND, BACKEND, MOBILE = "gh/acme/frontend", "gh/acme/backend", "circleci/5e0c5f62/9f1c2d7a"
RUNNING, ON_HOLD, OVER = 20, 60, 400  # seconds until a build runs, waits for its approval, has ended


@asynccontextmanager
async def team_under(policy: str, folder: Path, **settings: object) -> AsyncIterator[Team]:
    """Start a team under a policy, or under the default one; time goes by at CircleCI when it is told to."""
    if policy:
        settings["policy_file"] = folder / "policy.toml"
        (folder / "policy.toml").write_text(policy)
    chosen = {"admins": "U0ADMIN", **settings}
    async with team_at_work(folder / "data", speed=0, **chosen) as team:  # type: ignore[arg-type]  # settings
        yield team


def goes_by(team: Team, seconds: float) -> None:
    """Let time go by at CircleCI."""
    team.circleci.world.clock.advance(timedelta(seconds=seconds))
    team.circleci.world.tick()


def pushed(team: Team, branch: str, seconds: float, *, slug: str = FRONTEND, revision: str = "") -> Pipeline:
    """Let somebody push, and so much time go by; nobody follows the build."""
    world = team.circleci.world
    pipeline = world.trigger(slug, branch=branch, parameters={}, by="barbara", revision=revision)
    goes_by(team, seconds)
    return pipeline


async def followed(team: Team, branch: str, seconds: float, words: str) -> Message:
    """Let Ada deploy a branch, and so much time go by; returns the message that says these words then."""
    await team.deploys_branch(branch)
    await team.is_done()
    goes_by(team, seconds)
    return await team.reads(words)


def somewhere(team: Team) -> Message:
    """Return a message of the bot's, for presses on whatever button it is made to bear."""
    return team.slack.workspace.post(team.deploys, team.slack.workspace.bot_user_id, "It bears a button.", [])


def button(action: ButtonAction) -> Json:
    """Return the element of a button, as Slack would send it back."""
    return {"type": "button", "action_id": action.action_id, "block_id": "b", "value": action.pack()}


def answers(person: Person, before: list[Message]) -> list[Message]:
    """Return what somebody was told since; a sign that is to go is none, nor what is offered beside it."""
    return [one for one in person.sees_only if one not in before and not is_sign(one) and not is_offer(one)]


async def presses(team: Team, person: Person, place: Message, element: str | Json | ButtonAction) -> list[Message]:
    """Press a button and wait until it is carried out; returns what only that person is told."""
    before = list(person.sees_only)
    await team.clicks(person, place, button(element) if isinstance(element, ButtonAction) else element)
    await team.is_done()
    return answers(person, before)


async def types(team: Team, person: Person, text: str) -> list[Message]:
    """Type a command and wait until it is carried out; returns what only that person is told."""
    before = list(person.sees_only)
    await person.command("deploys", "/ci", text)
    await team.is_done()
    return answers(person, before)


async def mentions(team: Team, person: Person, text: str) -> list[Message]:
    """Mention the bot and wait until it is carried out; returns what only that person is told."""
    before, deliveries = list(person.sees_only), team.app.store.deliveries
    event = (await person.mention("deploys", text)).payload["event"]
    said_id = f"{event['channel']}:{event['ts']}"
    async with asyncio.timeout(10):  # it is recorded before it is acknowledged, and forgotten when it is done
        while await deliveries.said(Invocation, said_id):
            await team.slack.pause(0.01)
    return answers(person, before)


async def opens(team: Team, person: Person, place: Message, element: str | Json | ButtonAction) -> View:
    """Press a button that opens a window, and return it."""
    await person.click(place, button(element) if isinstance(element, ButtonAction) else element)
    view = await team.slack.wait_for(lambda: person.modal)
    assert view is not None
    return view


async def fills_in(person: Person, view: View, **values: str) -> str:
    """Fill in a window, send it and close it; returns what it said in the end."""
    await person.submit(view, dict(values))
    said = person.modal.visible if person.modal else ""
    if person.modal is not None:
        await person.close(person.modal)
    return said


async def again_until(act: Callable[[], Awaitable[object]], seen: Callable[[], object]) -> None:
    """Do the same again until something is seen."""
    async with asyncio.timeout(10):
        while not seen():
            await act()


async def pulls_forward(team: Team, task: str) -> None:
    """Let the bot do now what it has put off."""
    docket, now = team.app.docket, datetime.now(UTC)
    for one in (await docket.snapshot()).future:
        if one.function_name == task and one.when > now:  # else it is about to be done, and would be put off
            await docket.replace(task, when=now, key=one.key)(*one.args)


def writes(team: Team) -> list[str]:
    """Return what was changed at CircleCI, or tried to be."""
    return [f"{seen.method} {seen.path}" for seen in team.circleci.requests if seen.method != "GET"]


async def record(team: Team) -> list[Entry]:
    """Return all acts on record, oldest first."""
    return (await team.app.store.audit.lately(timedelta(days=1), lambda _: True, 1000))[::-1]


async def on_record(team: Team, what: str) -> Entry:
    """Wait until an act of this name is on record, and return it."""
    async with asyncio.timeout(10):
        while True:
            found = [one for one in await record(team) if one.what == what]
            if found:
                return found[0]
            await team.slack.pause(0.05)


def said(messages: list[Message]) -> str:
    """Return what messages say."""
    return "\n".join(one.visible for one in messages)
