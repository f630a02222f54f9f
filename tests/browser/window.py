"""A browser's window on the playground's page: the tests and the pictures look through the same."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Browser, Locator, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# As root in a container there is no sandbox to be had, and nothing is to be fetched from elsewhere.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDE, PHONE = (1440, 900), (390, 844)


class Window:
    """What somebody sees and does; `complaints` is the console's error log."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def field(self) -> Locator:
        """The field below #deploys."""
        return self.page.get_by_role("textbox", name="Message #deploys")

    @property
    def channel(self) -> Locator:
        """The channel's pane."""
        return self.page.locator(".pane.channel")

    @property
    def thread(self) -> Locator:
        """The pane of the open thread."""
        return self.page.get_by_role("region", name="Thread")

    @property
    def dialog(self) -> Locator:
        """The dialog on top."""
        return self.page.get_by_role("dialog")

    async def types(self, text: str) -> None:
        """Type into #deploys, and send."""
        await self.field.fill(text)
        await self.field.press("Enter")

    async def opens_thread(self) -> None:
        """Open the newest thread of the channel."""
        await self.channel.locator(".thread-link").last.click()

    async def clipped(self) -> list[str]:
        """Return what is wider than the room it has, so that it is cut off or hangs out."""
        script = """[...document.querySelectorAll(".content *")]
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
            .map((one) => one.outerHTML)"""
        found: list[str] = await self.page.evaluate(script)
        return found

    async def shows_emoji(self) -> bool:
        """Say whether the machine has a font for them: without one each is an empty box, and none has a colour."""
        drawn: bool = await self.page.evaluate("""() => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = "40px sans-serif";
            pen.fillText("✅", 0, 45);
            const data = pen.getImageData(0, 0, 60, 60).data;
            return data.some((value, place) => place % 4 === 1 && value > data[place - 1] + 40);
        }""")
        return drawn

    async def sees(self, words: str, where: Locator | None = None) -> Locator:
        """Wait until the words can be read."""
        found = (where or self.page.locator("body")).get_by_text(words).last
        await found.wait_for()
        return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser; it takes a second, so one does for many windows."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    size: tuple[int, int] = WIDE,
    *,
    scheme: Literal["light", "dark"] = "light",
    scale: float = 1,
) -> AsyncIterator[Window]:
    """Open the page in a window that shares nothing with others."""
    async with await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        device_scale_factor=scale,
        timezone_id="UTC",
        reduced_motion="reduce",
    ) as context:
        context.set_default_timeout(30_000)
        page = await context.new_page()
        window = Window(page)
        await page.goto(url)
        await window.channel.wait_for(state="attached")
        yield window
