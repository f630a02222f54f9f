"""The playground's page in a real browser: what one types, presses and reads, also without a mouse."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect
from slack_bolt.async_app import AsyncApp

from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.page.server import Page
from tests.browser.window import CHROMIUM, PHONE, WIDE, Window, chromium, opened
from tests.playground.echo import MODAL, ROW, Json, echo_bot
from tests.stories.team import Team, team_at_work

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    pytest.mark.asyncio(loop_scope="module"),  # the browser's, and all of them look through it
]

RED = "deploy acme/frontend release/v2.0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


@pytest_asyncio.fixture(loop_scope="module")
async def page(team: Team) -> AsyncIterator[Page]:
    async with Page(team.slack, team.circleci) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser: Browser, page: Page) -> AsyncIterator[Window]:
    async with opened(browser, page.url) as window:
        yield window
        assert window.complaints == []


async def test_a_deploy_is_typed_fails_is_rerun_and_passes(team: Team, window: Window) -> None:
    team.time_stands_still()
    await window.types(f"/ci {RED}")
    await team.until(lambda: team.circleci.world.pipelines)
    team.circleci.world.clock.advance(timedelta(seconds=5))
    await window.sees("Running", window.channel)
    team.time_flies()
    await window.opens_thread()
    await window.sees("Failed after", window.thread)
    await window.sees("test_rejects_bad_password", window.thread)
    await window.thread.get_by_role("button", name="Rerun failed").last.click()
    await window.sees("the failed jobs run again", window.dialog)
    await window.dialog.get_by_role("button").first.click()
    assert team.posts("/rerun") == []
    await window.thread.get_by_role("button", name="Rerun failed").last.click()
    await window.dialog.get_by_role("button").last.click()
    await window.sees("ada pressed Rerun failed", window.thread)
    await window.sees("Passed in", window.thread)
    await window.sees("Passed", window.channel)
    assert len(team.posts("/rerun")) == 1


async def test_it_works_without_a_mouse(team: Team, window: Window) -> None:
    keyboard = window.page.keyboard
    await window.field.focus()
    await keyboard.type("/")
    await window.page.get_by_role("option", name="/ci").wait_for()
    await keyboard.press("Enter")
    await keyboard.type("deploy acme/frontend try/slow")
    team.time_stands_still()  # or it passes before anybody can cancel it
    await keyboard.press("Enter")
    await team.until(lambda: team.circleci.world.pipelines)
    team.circleci.world.clock.advance(timedelta(seconds=5))
    await window.sees("Running", window.channel)
    await _tab_to(window, "Cancel #2417")
    await keyboard.press("Enter")
    await window.dialog.wait_for()
    await keyboard.press("Escape")
    await window.dialog.wait_for(state="detached")
    assert await _focused(window) == "Cancel #2417"
    await keyboard.press("Enter")
    await window.dialog.get_by_text("Keep it running").and_(window.page.locator(":focus")).wait_for()
    await _tab_to(window, "Cancel #2417")
    await keyboard.press("Enter")
    await team.reads("pressed Cancel")
    team.time_flies()
    await window.sees("Cancelled", window.channel)
    await _tab_to(window, "1 reply", "2 replies")
    await keyboard.press("Enter")
    await window.thread.wait_for()
    await window.thread.get_by_role("button", name="Close the thread").focus()
    await keyboard.press("Escape")
    await window.thread.wait_for(state="detached")


async def test_a_mention_is_completed_and_answered_where_it_was_said(window: Window) -> None:
    await window.field.press_sequentially("@c")
    await window.field.press("Tab")
    await window.field.press_sequentially("deplyo acme/backend main")
    await window.field.press("Enter")
    await window.sees("Only visible to you")
    await window.channel.get_by_role("button", name="Deploy main").click()
    await window.sees("Project acme/backend, branch main", window.dialog)
    await window.dialog.get_by_role("button").last.click()
    await window.sees("acme/backend", window.channel)
    # That one alone goes: the bot may have whispered again meanwhile.
    await window.channel.get_by_role("button", name="Dismiss message").first.click()
    await window.page.get_by_text("I do not know this word").wait_for(state="detached")


async def test_what_slack_refuses_is_said_at_the_field(window: Window) -> None:
    await window.types("/frobnicate")
    await window.sees("/frobnicate is not a valid command.", window.channel)
    assert await window.field.input_value() == "/frobnicate"


async def test_a_course_is_chosen_and_time_is_moved_by_hand(team: Team, window: Window) -> None:
    panel = window.page.get_by_role("region", name="The pretend CircleCI")
    await panel.get_by_role("combobox", name="Speed").select_option(label="stands still")
    await panel.get_by_role("combobox", name="Course").select_option("on-hold")
    await panel.get_by_role("button", name="Write the command").click()
    await expect(window.field).to_have_value("/ci deploy acme/frontend try/on-hold")
    await window.field.press("Enter")
    await window.sees("#2417 acme/frontend · try/on-hold", panel)
    before = team.circleci.world.clock.now()
    await panel.get_by_role("button", name="1 min on").click()
    await window.sees("hold-prod on hold", panel)
    assert (team.circleci.world.clock.now() - before).total_seconds() == 60
    await window.channel.get_by_role("button", name="Approve hold-prod").click()
    await window.dialog.get_by_role("button").last.click()
    await panel.get_by_text("Asked of CircleCI").click()
    await window.sees("/approve/", panel)


async def test_somebody_else_sees_their_own_channels_and_no_whispers(window: Window) -> None:
    await window.types("/ci help")
    await window.sees("Only visible to you")
    await window.page.get_by_label("You are").select_option("guest")
    await window.page.get_by_role("button", name="war-room").wait_for(state="detached")
    assert await window.page.get_by_text("Only visible to you").count() == 0


async def test_on_a_phone_one_thing_is_shown_at_a_time(browser: Browser, page: Page) -> None:
    async with opened(browser, page.url, PHONE) as window:
        await window.types(f"/ci {RED}")
        await window.opens_thread()
        await window.sees("Failed after", window.thread)
        assert not await window.channel.is_visible()
        assert await window.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert await window.clipped() == []
        await window.page.get_by_role("button", name="CircleCI", exact=True).click()
        await window.sees("#2417 acme/frontend")
        await window.page.get_by_role("button", name="Channels").click()
        await window.page.get_by_role("button", name="#releases").click()
        await window.sees("Nothing has been said here yet.")
        assert window.complaints == []


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide-light", "phone-dark"])
async def test_axe_finds_nothing(
    browser: Browser, page: Page, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    async with opened(browser, page.url, size, scheme=scheme) as window:
        await window.types("/ci help")
        await window.sees("Only visible to you")
        await window.types(f"/ci {RED}")
        await window.opens_thread()
        await window.sees("Failed after", window.thread)
        await _axe(window)
        await window.thread.get_by_role("button", name="Rerun all").last.click()
        await window.dialog.wait_for()
        await _axe(window)
        await window.dialog.get_by_role("button").first.click()
        if size == PHONE:
            for tab in ("Channels", "Chat", "CircleCI"):
                await window.page.get_by_role("button", name=tab, exact=True).click()
                await _axe(window)


async def test_a_modal_is_filled_in_refused_and_sent(browser: Browser) -> None:
    sent: list[str] = []

    def configure(app: AsyncApp) -> None:
        @app.action("rerun")
        async def press(ack: Any, body: Json, client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.view("deploy")
        async def submitted(ack: Any, view: Json) -> None:
            branch = view["state"]["values"]["ref"]["ref"]["value"]
            if " " in branch:
                await ack(response_action="errors", errors={"ref": "A branch has no blanks"})
                return
            sent.append(branch)
            await ack()

    async with (
        CircleCI(default_world(Clock())) as circleci,
        echo_bot(True, configure) as slack,
        Page(slack, circleci) as page,
        opened(browser, page.url) as window,
    ):
        slack.workspace.post(slack.workspace.channel("deploys"), "U0BOT", "Rerun?", [ROW, {"type": "video"}])
        await window.sees("A block of type video, which this page cannot show.")
        await window.channel.get_by_role("button", name="Rerun").click()
        branch = window.dialog.get_by_label("Branch")
        await _axe(window)
        await window.dialog.get_by_role("button", name="Deploy").click()
        await window.sees("Please complete this required field: Branch", window.dialog)
        await branch.fill("a b")
        await window.dialog.get_by_role("button", name="Deploy").click()
        await window.sees("A branch has no blanks", window.dialog)
        assert await branch.input_value() == "a b"
        await branch.fill("main")
        await branch.press("Enter")
        await window.dialog.wait_for(state="detached")
        assert sent == ["main"]
        assert window.complaints == []


MRKDWN = [
    ("*bold* _slanted_ ~gone~ plain", "<b>bold</b> <i>slanted</i> <s>gone</s> plain"),
    ("*a _b_ c*", "<b>a <i>b</i> c</b>"),
    ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
    ("`a *b* <c>`", "<code>a *b* &lt;c&gt;</code>"),
    ("```\n<b>\n```", "<pre>&lt;b&gt;\n</pre>"),
    ("one\ntwo", "one<br>two"),
    ("&gt; said\n&gt; twice\nnot", "<blockquote>said<br>twice</blockquote>not"),
    ("<https://a.example/?b=1&amp;c=2|a &amp; b>", '<a href="https://a.example/?b=1&amp;c=2">a &amp; b</a>'),
    ("<javascript:alert(1)|press>", "press"),
    ("<@U0ADA> in <#C0DEPLOYS> <!here>", "<span>@ada</span> in <span>#deploys</span> <span>@here</span>"),
    ("&lt;img src=x onerror=alert(1)&gt;", "&lt;img src=x onerror=alert(1)&gt;"),
    ("&amp;lt;", "&amp;lt;"),
    (":x: :nobody_knows:", "❌ :nobody_knows:"),
    ("<!date^1795168800^{time}|then>", "10:00"),
]


async def test_mrkdwn_is_shown_as_slack_shows_it(window: Window) -> None:
    script = """async (texts) => {
        const { mrkdwn } = await import("/page/mrkdwn.js");
        const { html, render } = await import("/page/vendor/preact-htm.js");
        return texts.map((text) => {
            const place = document.createElement("div");
            render(html`<p>${mrkdwn(text, { U0ADA: "ada", C0DEPLOYS: "deploys" })}</p>`, place);
            return place.firstChild.innerHTML.replace(/<time [^>]*>(.*?)<\\/time>/g, "$1")
                .replace(/ (class|target|rel)="[^"]*"/g, "");
        });
    }"""
    shown: list[str] = await window.page.evaluate(script, [text for text, _ in MRKDWN])
    assert shown == [expected for _, expected in MRKDWN]


async def _axe(window: Window) -> None:
    results = await Axe().run(window.page)
    assert results.violations_count == 0, results.generate_report()


async def _focused(window: Window) -> str:
    return str(await window.page.evaluate("document.activeElement.textContent"))


async def _tab_to(window: Window, *names: str) -> None:
    """Press Tab, at most as often as there are stops, until a button of one of these names has the focus."""
    for _ in range(60):
        focused = await _focused(window)
        if any(focused.startswith(name) for name in names):
            return
        await window.page.keyboard.press("Tab")
    raise AssertionError(f"nothing called {names} can be reached with Tab")
