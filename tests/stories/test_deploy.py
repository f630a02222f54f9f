"""A deploy over HTTP, from the slash command to the final reply."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from bot.app import App
from bot.settings import Projects, Settings
from tests.stories.far_sides import FarSides, far_sides

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@pytest.fixture
async def far() -> AsyncIterator[FarSides]:
    async with far_sides() as both:
        yield both


@pytest.fixture
async def app(far: FarSides, tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        slack_bot_token=SecretStr("xoxb-1"),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=far.url,
        circleci_token=SecretStr("token"),
        circleci_url=far.url,
        data_dir=tmp_path,
        host="127.0.0.1",
        port=0,
        poll_interval_seconds=0.1,
        settle_seconds=0.001,
        circleci_requests_per_second=1000,
    )
    async with App(settings, Projects()) as app:
        yield app


async def types(app: App, far: FarSides, text: str, trigger_id: str = "1.2.3") -> int:
    """Deliver a slash command as Slack does; returns the status of the ack."""
    fields = {"command": "/ci", "text": text, "user_id": "U0ADA", "user_name": "ada", "team_id": "T0ACME"}
    more = {"channel_id": "C0DEPLOYS", "trigger_id": trigger_id, "response_url": f"{far.url}/answer"}
    return await deliver(app, {**fields, **more})


async def presses(app: App, far: FarSides, person: str, button: dict[str, str]) -> int:
    """Deliver a press on a button of the root message as Slack does."""
    action = {"type": "button", "action_id": button["action_id"], "value": button["value"], "action_ts": person}
    payload = {
        "type": "block_actions",
        "user": {"id": f"U0{person.upper()}", "username": person, "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "container": {"type": "message", "message_ts": "1763632800.000001", "channel_id": "C0DEPLOYS"},
        "response_url": f"{far.url}/answer",
        "actions": [action],
    }
    return await deliver(app, {"payload": json.dumps(payload)})


async def deliver(app: App, fields: dict[str, str]) -> int:
    """Post a signed form to the bot's one address."""
    assert app.server is not None
    body, stamp = urlencode(fields), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature,
    }
    url = f"http://127.0.0.1:{app.server.port}/slack/events"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def until(seen: Callable[[], bool]) -> None:
    """Wait until people see it."""
    async with asyncio.timeout(20):
        while not seen():  # noqa: ASYNC110  # the far sides run in this same loop
            await asyncio.sleep(0)


async def test_a_deploy_is_started_followed_and_ends_green(app: App, far: FarSides) -> None:
    assert await types(app, far, "deploy acme/frontend release/v2.0") == 200
    await until(lambda: any("passed in" in post["text"] for post in far.posts))
    assert far.triggers == [{"branch": "release/v2.0"}]
    root = far.posts[0]
    assert (root["method"], root["channel"], root.get("thread_ts")) == ("chat.postMessage", "C0DEPLOYS", None)
    final = next(post for post in far.posts if "passed in" in post["text"])
    assert final["thread_ts"] == "1763632800.000001"
    assert "app.tar.gz" in str(final["blocks"])


async def test_the_same_delivery_three_times_starts_one_pipeline(app: App, far: FarSides) -> None:
    for _ in range(3):
        assert await types(app, far, "deploy acme/frontend release/v2.0") == 200
    await until(lambda: any("passed in" in post["text"] for post in far.posts))
    assert len(far.triggers) == 1


async def test_an_unknown_word_is_answered_with_the_near_miss(app: App, far: FarSides) -> None:
    assert await types(app, far, "deply acme/frontend main") == 200
    await until(lambda: bool(far.answers))
    assert "Did you mean `deploy`" in far.answers[0]["text"]
    assert far.triggers == []


async def test_an_unknown_project_is_said_with_what_it_may_mean(app: App, far: FarSides) -> None:
    assert await types(app, far, "deploy acme/nothing") == 200
    await until(lambda: bool(far.answers))
    assert "or my token may not see it" in far.answers[0]["text"]


async def test_two_people_press_rerun_failed_and_one_rerun_begins(app: App, far: FarSides) -> None:
    far.statuses = ["failed"]
    await types(app, far, "deploy acme/frontend release/v2.0")
    await until(lambda: any("failed after" in post["text"] for post in far.posts))
    final = next(post for post in far.posts if "failed after" in post["text"])
    assert "test_adds_item" in str(final["blocks"])
    rows = [block["elements"] for block in final["blocks"] if block["type"] == "actions"]
    rerun = next(button for row in rows for button in row if button["action_id"] == "rerun_failed")
    await asyncio.gather(presses(app, far, "ada", rerun), presses(app, far, "grace", rerun))
    await until(lambda: any("passed in" in post["text"] for post in far.posts) and bool(far.answers))
    assert far.reruns == [{"from_failed": True}]
    assert "first" in far.answers[0]["text"]
    assert sum("pressed Rerun failed" in post["text"] for post in far.posts) == 1
    assert len(far.triggers) == 1
