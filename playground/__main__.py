"""`python -m playground [--once] [--policy FILE]`: both pretend servers, their page, the bot, and a first deploy."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from playground import agent
from playground.circleci.api import CircleCI
from playground.circleci.world import World, default_world, write_frontend_past
from playground.clock import Clock
from playground.page.server import Page
from playground.screen import Screen
from playground.slack.api import Slack
from playground.slack.conversations import Channel, Message
from playground.slack.workspace import default_workspace

T = TypeVar("T")

WORLD_SECONDS_PER_SECOND = 60
PATIENCE_SECONDS = 60
PORT = 8642
FIRST_COMMAND = "deploy acme/frontend release/v2.0"
# What the ack of a command says until the answer stands, and what the first deploy in a channel brings beside it.
ASIDE = ("My answer follows", "Shall this channel use")
WAITS = {
    "POLL_INTERVAL_SECONDS": "0.5",
    "GRACE_SECONDS": "60",
    "SETTLE_SECONDS": "20",
    "AUTOMATIC_RERUN_SECONDS": "60",
    # Time runs fast here, and this CircleCI does not mind: a comparison is 130 requests.
    "CIRCLECI_REQUESTS_PER_SECOND": "200",
}
PROJECTS = """
[projects.legacy] # a configuration older than 2.1: API v2 does not know this project
slug = "gh/acme/legacy"
api = "classic"
"""
HELP = """
Go on at {page} or type here what you would say in #deploys:
  /ci deploy acme/frontend hold/prod        then: press Approve hold-prod
  /ci deploy acme/frontend try/config-error
  @ci deploy acme/backend main
  /ci help
  press <button>                            on the newest message that has it
Each branch try/<name> plays another course; Ctrl-C leaves.
"""


async def main(*, once: bool, port: int, policy: Path | None = None) -> int:
    """Play the story; returns 0 when it ended as it should."""
    # A killed playground takes its bot along.
    current = asyncio.current_task()
    assert current is not None  # noqa: S101  # for mypy: a coroutine runs in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel)
    world = default_world(Clock(speed=WORLD_SECONDS_PER_SECOND))
    write_frontend_past(world)
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    with tempfile.TemporaryDirectory(prefix="ci-chatops-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port_of_bot = agent.free_port()
        settings = {"ADMINS": "U0ADMIN", "PROJECTS_FILE": str(folder / "projects.toml")}
        settings |= {"AGENTS": "true", "PORT": str(port_of_bot)}
        (folder / "projects.toml").write_text(PROJECTS)
        if policy is not None:
            settings["POLICY_FILE"] = str(policy)
        async with (
            CircleCI(world) as circleci,
            Slack(workspace, socket_mode=True) as slack,
            the_bot(slack, circleci, folder, **settings) as bot,  # type: ignore[arg-type]  # of `cwd`
            Page(slack, circleci, port) as page,
        ):
            print(f"Watch it, and press its buttons, at {page.url}", flush=True)
            if not await _arrives(slack, bot):
                print(f"The bot did not start:\n{_log(folder)}", file=sys.stderr)
                return 1
            noticing = asyncio.create_task(_notice_its_end(bot, folder))
            try:
                ended = await _play(Stage(slack, bot, world), page, port_of_bot, once=once)
            finally:
                noticing.cancel()
            if once and ended == 0:
                print("The story ended as it should: it failed, ada ran it again, it passed.")
            return ended


@asynccontextmanager
async def the_bot(
    slack: Slack, circleci: CircleCI, folder: Path, *role: str, cwd: Path | None = None, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the bot unchanged, as a process of its own, with nothing but its public settings and `more` of them."""
    settings = {
        "PATH": os.defpath,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.url,
        "CIRCLECI_TOKEN": circleci.token,
        "CIRCLECI_URL": circleci.url,
        "DATA_DIR": str(folder),
        "HOST": "127.0.0.1",
        "PORT": "0",
        **WAITS,
        **more,
    }
    with (folder / "bot.log").open("a") as log:
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *role), env=settings, cwd=cwd, stdout=log, stderr=log
        )
        try:
            yield bot
        finally:
            with suppress(ProcessLookupError):
                bot.send_signal(signal.SIGTERM)
            await bot.wait()


async def _arrives(slack: Slack, bot: asyncio.subprocess.Process) -> bool:
    connected = asyncio.create_task(slack.connected())
    ended = asyncio.create_task(bot.wait())
    await asyncio.wait({connected, ended}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    arrived = connected.done() and connected.exception() is None
    for task in (connected, ended):
        task.cancel()
    return arrived


async def _notice_its_end(bot: asyncio.subprocess.Process, folder: Path) -> None:
    await bot.wait()
    print(f"The bot has ended by itself:\n{_log(folder)}\nCtrl-C leaves.", file=sys.stderr)


class Stage(NamedTuple):
    """Where the story is played."""

    slack: Slack
    bot: asyncio.subprocess.Process
    world: World


class OtherwiseError(Exception):
    """The story cannot go on: ada was answered alone, or asked for more, or the bot has ended."""


async def _play(stage: Stage, page: Page, port_of_bot: int, *, once: bool) -> int:
    slack = stage.slack
    screen = Screen(slack.workspace, sys.stdout)
    watching = asyncio.create_task(screen.follow(slack))
    deploys = slack.workspace.channel("deploys")
    try:
        green = await _story(stage, deploys, screen)
        screen.say(f"ada types  /ci agent add {agent.NAME}, presses, and sends the window")
        print(await agent.lines(slack, port_of_bot), flush=True)
        if once:
            return 0 if green and not slack.problems else 1
        await _talk(slack, deploys, screen, HELP.format(page=page.url))
        return 0
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        screen.show()
        for problem in slack.problems:
            print(f"The pretend Slack complains: {problem}", file=sys.stderr)


async def _story(stage: Stage, deploys: Channel, screen: Screen) -> bool:
    """Deploy, see it fail, press Rerun failed, see it pass."""
    ada, before = stage.slack.person("ada"), len(stage.world.pipelines)

    def begins() -> bool:
        if deploys.roots and len(stage.world.pipelines) == before:
            raise OtherwiseError("the bot asks for more before it starts anything")
        return bool(deploys.roots)

    screen.say(f"ada types  /ci {FIRST_COMMAND}")
    await ada.command("deploys", "/ci", FIRST_COMMAND)
    try:
        await _until(stage, begins)
        await _until(stage, lambda: any("Compared with" in reply.visible for reply in deploys.messages))
        failed = await _until(stage, lambda: _newest(deploys, "Rerun failed", replies_only=True))
        screen.say("ada presses  [ Rerun failed ]")
        await ada.click(failed, failed.element("Rerun failed"))
        await _until(stage, lambda: next((one for one in deploys.messages if "Passed in" in one.visible), None))
        root = deploys.roots[0]
        return await _until(stage, lambda: "Passed" in root.visible)
    except (TimeoutError, OtherwiseError) as error:
        print(f"The story did not end as it should: {error}", file=sys.stderr)
        return False


def _is_aside(said: str) -> bool:
    return any(words in said for words in ASIDE)


async def _until(stage: Stage, seen: Callable[[], T | None]) -> T:
    """Return what is seen; raises OtherwiseError where that will not come."""

    def seen_or_not() -> T | None:
        told = [one.visible for one in stage.slack.person("ada").sees_only if not _is_aside(one.visible)]
        if not (found := seen()) and told:
            raise OtherwiseError(f"ada was told {told[-1]!r}")
        return found

    waiting = asyncio.create_task(stage.slack.wait_for(seen_or_not, timeout=PATIENCE_SECONDS))
    ended = asyncio.create_task(stage.bot.wait())
    await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not waiting.done():
        waiting.cancel()
        raise OtherwiseError("the bot has ended")
    found = waiting.result()
    assert found is not None  # noqa: S101  # for mypy: it waits until there is something
    return found


def _newest(channel: Channel, label: str, *, replies_only: bool = False) -> Message | None:
    found = [one for one in channel.messages if label in one.buttons and (one.thread_ts or not replies_only)]
    return found[-1] if found else None


async def _talk(slack: Slack, deploys: Channel, screen: Screen, help_text: str) -> None:
    """Carry out what the newcomer types until there is no more; the page goes on without a keyboard."""
    ada = slack.person("ada")
    print(help_text, flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, _, rest = line.strip().partition(" ")
        if word == "press":
            message = _newest(deploys, rest)
            if message is None:
                screen.say(f"no message has a button {rest}")
            else:
                await ada.click(message, message.element(rest))
        elif word == "@ci":
            await ada.mention("deploys", rest)
        elif word == "/ci":
            await ada.command("deploys", "/ci", rest)
        elif word:
            print(help_text, flush=True)
    if not sys.stdin.isatty():
        await asyncio.Event().wait()


def _log(folder: Path) -> str:
    return "\n".join((folder / "bot.log").read_text().splitlines()[-12:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave after the story; exit 0 if it ended as it should")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="who may do what: try a policy file (docs/policy.md)"
    )
    parser.add_argument("--port", type=int, default=PORT, help="where the page is, if that port is free (%(default)s)")
    arguments = parser.parse_args()
    try:
        sys.exit(asyncio.run(main(once=arguments.once, port=arguments.port, policy=arguments.policy)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(0)
