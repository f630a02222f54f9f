"""`make picture`: the pictures of the README and the documents, and every message of the stories on one sheet."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import FloatRect

from bot.settings import Projects
from playground.circleci.scenarios import COURSES
from playground.circleci.world import write_frontend_past
from playground.page.server import Page
from playground.slack.conversations import Channel
from playground.slack.people import Person
from tests.browser.window import CHROMIUM, Window, chromium, opened
from tests.stories.team import Team, is_sign, team_at_work

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SHEET = Path(__file__).parents[2] / "contact-sheet.png"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PANEL = 300  # the pretend CircleCI's column is no part of Slack
# What is asked at the end, when every course has been played: each part is a section of the sheet.
SAID = {
    "Who does not know it yet": ("hello", "help", "help deploy", "heroku-key --help"),
    "Mistakes": (
        "deplyo acme/frontend main",
        "deploy acme/nothing main",
        "deploy acme/frontend relase/v2.0",
        "deploy acme/frontend main extra words",
        "deploy",
        "status acme/frontend #1",
        "env set acme/frontend DEPLOY_TOKEN hunter2",
    ),
    "Looking": (
        "status acme/frontend try/failing-tests",
        "status acme/frontend #2418",
        "tests acme/frontend try/failing-tests",
        "build acme/frontend 1848",
        "logs acme/frontend 1848",
        "artifacts acme/cli main",
        "artifacts acme/cli main linux",
        "mine",
        "recent",
        "projects",
        "me",
    ),
    "What failed, and why": (
        "triage acme/frontend try/failing-tests",
        "triage acme/frontend try/timed-out-step",
        "flaky acme/frontend main last=40",
        "flaky acme/backend main",
        "why-red acme/frontend try/failing-tests",
        "why-red acme/backend",
    ),
    "Acting": (
        "cancel acme/cli",
        "cancel acme/frontend 1848",
        "approve acme/frontend try/on-hold",
        "env set acme/frontend DEPLOY_TOKEN",
        "env remove acme/frontend DEPLOY_TOKEN",
        "keys add acme/frontend deploy-key",
        "keys acme/frontend",
        "ssh-key add acme/frontend",
        "heroku-key add",
        "cache clear acme/frontend",
        "doctor",
    ),
    "Who may": (
        "why deploy acme/frontend main",
        "why secrets acme/frontend",
        "lock acme/frontend:main database migration, ask me first",
        "locks",
        "audit 7d",
    ),
}
# What is asked in the channel in which they were played.
SAID_AT_WORK = ("", "help all", "deploy --help")
PEOPLE = Projects(people={"octo-ada": "U0ADA", "octo-grace": "U0GRACE"})
COLUMNS = """
    html, body { overflow: visible; height: auto; }
    body { padding: 20px; columns: 400px 5; column-gap: 24px; }
    section { break-inside: avoid; margin-bottom: 18px; border: 1px solid var(--line); border-radius: 8px; }
    section > h2 { padding: 8px 16px; background: var(--hover); } .messages { overflow: visible; }
"""


@asynccontextmanager
async def place(**settings: Any) -> AsyncIterator[tuple[Team, Page]]:
    """Start a team at work, and its page."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            team_at_work(Path(folder), projects=PEOPLE, admins=("U0ADMIN",), **settings) as team,
            Page(team.slack, team.circleci) as page,
        ):
            write_frontend_past(team.circleci.world)
            yield team, page


async def readme(scheme: Literal["light", "dark"]) -> None:
    """Take a failed deploy on a phone and in a channel."""
    async with place() as (team, page), chromium() as browser:
        async with opened(browser, page.url, (1340, 850), scheme=scheme, scale=2) as window:
            await window.types("/ci deploy acme/frontend main")
            await team.reads("Passed in")
            await window.types("/ci deploy acme/frontend release/v2.0")
            await team.reads("Compared with")
            await window.opens_thread()
            await window.sees("Failed after", window.thread)
            await window.field.blur()
            await window.page.mouse.move(5, 5)
            clip: FloatRect = {"x": 0, "y": 0, "width": 1340 - PANEL, "height": 850}
            await _save(window, PICTURES / f"channel-{scheme}.png", clip)
        async with opened(browser, page.url, (390, 960), scheme=scheme, scale=2) as window:
            await window.opens_thread()
            await window.sees("Failed after", window.thread)
            await window.page.mouse.move(5, 5)
            await _save(window, PICTURES / f"phone-{scheme}.png")


async def subscribed(scheme: Literal["light", "dark"]) -> None:
    """Take what a channel and a person are told of pushes: a red branch with its thread, and a direct message."""
    async with place(subscription_seconds=0.5, settle_seconds=0.5) as (team, page), chromium() as browser:
        async with opened(browser, page.url, (1340, 850), scheme=scheme, scale=2) as window:
            await window.types("/ci subscribe acme/frontend main broke fixed still-red")
            await team.reads("From now on I say here")
            await window.types("/ci notify me failed")
            await window.sees("when a build of yours fails")
            await window.channel.get_by_role("button", name="Dismiss message").first.click()
            await _as_if_long_ago(team)
            await team.until(lambda: any(seen.path.endswith("frontend/pipeline") for seen in team.circleci.requests))
            await _is_pushed(team, "main", "octo-grace", "failing-tests")
            root = await team.reads("main is red")
            await _is_pushed(team, "main", "octo-ada", "failing-tests")
            await team.until(lambda: root.replies)
            await team.slack.person("grace").click(root, "I look at it")
            await team.until(lambda: len(root.replies) > 1)
            await _is_pushed(team, "fix/cart", "octo-ada", "failing-tests")
            direct = team.slack.workspace.open_im("U0ADA")
            await team.until(lambda: any("fix/cart" in one.visible for one in direct.roots))
            await window.opens_thread()
            await window.sees("looks at it", window.thread)
            await window.field.blur()
            await window.page.mouse.move(5, 5)
            clip: FloatRect = {"x": 0, "y": 0, "width": 1340 - PANEL, "height": 850}
            await _save(window, PICTURES / f"red-{scheme}.png", clip)
        async with opened(browser, page.url, (390, 700), scheme=scheme, scale=2) as window:
            await window.page.get_by_role("button", name="Channels").click()
            await window.page.get_by_role("navigation", name="Channels").get_by_role("button", name="ci").click()
            await window.sees("fix/cart", window.channel)
            await window.page.mouse.move(5, 5)
            await _save(window, PICTURES / f"mine-{scheme}.png")


async def _as_if_long_ago(team: Team) -> None:
    """Let people have wished for it days ago: CircleCI's time flies here, and what has just ended is soon hours old."""
    for notice in await team.app.store.notices.all():
        await team.app.store.notices.put(notice.model_copy(update={"since": notice.since - timedelta(days=9)}))


async def _is_pushed(team: Team, branch: str, by: str, course: str) -> None:
    team.circleci.world.set_scenario("gh/acme/frontend", branch, course)
    team.circleci.world.trigger("gh/acme/frontend", branch=branch, parameters={}, by=by)


async def sheet() -> None:
    """Put every message of every course on one sheet, and the answers to what cannot be carried out."""
    async with place() as (team, page), chromium() as browser, opened(browser, page.url, (2200, 1200)) as window:
        parts = [await _course(team, window, name) for name in COURSES if name != "skip-ci"]  # starts nothing
        parts.append(await _at_work(team, window))
        parts += [await _answers(team, window, title, said) for title, said in SAID.items()]
        await window.page.evaluate(
            """([parts, columns]) => {
                const section = ([title, html]) => `<section><h2>${title}</h2>${html}</section>`;
                document.body.innerHTML = parts.map(section).join("");
                const sheet = new CSSStyleSheet();
                sheet.replaceSync(columns);
                document.adoptedStyleSheets = [sheet];
            }""",
            [parts, COLUMNS],
        )
        await window.page.screenshot(path=SHEET, full_page=True)


async def _course(team: Team, window: Window, name: str) -> list[str]:
    """Return the thread of one course, at its end, as it stands on the page."""
    before = len(team.deploys.roots)
    await team.deploys_branch(f"try/{name}")
    await team.slack.wait_for(lambda: len(team.deploys.roots) > before, timeout=20)
    root = team.deploys.roots[-1]
    if name == "on-hold":
        held = await team.slack.wait_for(lambda: [one for one in root.replies if "Approve hold-prod" in one.buttons])
        await team.ada.click(held[0], "Approve hold-prod")
    going_on = ("Running", "Finishing")
    await team.slack.wait_for(
        lambda: not any(word in root.visible for word in going_on) and len(root.replies) > 0, timeout=60
    )
    await asyncio.sleep(1)  # the last edit of the root may be under way
    await window.opens_thread()
    return [COURSES[name], await window.thread.locator(".messages").evaluate("one => one.outerHTML")]


async def _at_work(team: Team, window: Window) -> list[str]:
    """Return what somebody sees who asks for help in a busy channel: the last messages of it."""
    await _asks(team, window, team.deploys, SAID_AT_WORK)
    last = """(one, number) => {
        const kept = one.cloneNode(false);
        kept.append(...[...one.querySelectorAll(".message")].slice(-number).map((each) => each.cloneNode(true)));
        return kept.outerHTML;
    }"""
    shown = await window.channel.locator(".messages").evaluate(last, len(SAID_AT_WORK))
    return ["What can I do here?", shown]


async def _answers(team: Team, window: Window, title: str, said: Sequence[str]) -> list[str]:
    """Return what the one who asked all this sees; each part has a channel of its own."""
    admin = team.slack.person("admin")
    channel = team.slack.workspace.add_channel(f"C0{title.upper()}", title.lower().replace(" ", "-"), admin.id, "U0BOT")
    await _asks(team, window, channel, said)
    return [title, await window.channel.locator(".messages").evaluate("one => one.outerHTML")]


async def _asks(team: Team, window: Window, channel: Channel, said: Sequence[str]) -> None:
    """Let the admin ask all this in a channel, and look at it."""
    admin = team.slack.person("admin")
    for number, text in enumerate(said, start=len(admin.sees_only) + 1):
        await admin.command(channel, "/ci", text)
        await team.slack.wait_for(partial(_is_answered, admin, number))
    await window.page.get_by_label("You are").select_option("admin")
    await window.page.get_by_role("button", name=channel.name).click()
    await window.sees("Only visible to you")


def _is_answered(person: Person, times: int) -> bool:
    return len(person.sees_only) >= times and not any(map(is_sign, person.sees_only))


async def _save(window: Window, path: Path, clip: FloatRect | None = None) -> None:
    clipped = await window.clipped()
    if clipped or window.complaints:
        sys.exit(f"{path.name}: {[*clipped, *window.complaints]}")
    path.parent.mkdir(exist_ok=True)
    await window.page.screenshot(path=path, clip=clip)


async def refuse_boxes() -> None:
    """Leave, and change no picture, where each mark would be an empty box."""
    async with chromium() as browser:
        if not await Window(await browser.new_page()).shows_emoji():
            sys.exit(
                "There is no font for emoji here, so every mark would be an empty box, and no picture was made. "
                "On Debian: apt install fonts-noto-color-emoji"
            )


async def main() -> None:
    """Take all of them."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed. On Debian: apt install chromium fonts-lato fonts-noto-color-emoji")
    await refuse_boxes()
    for scheme in SCHEMES:
        await readme(scheme)
        await subscribed(scheme)
    await sheet()


if __name__ == "__main__":
    asyncio.run(main())
