"""Requests that are not what they seem: refused, nothing done, and nothing of them in the log."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from playground.slack import payloads
from playground.slack.delivery import INTERACTIVE
from tests.stories.team import Team, team_at_work

MARK = "f0rged-b0dy-mark"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, socket_mode=False, admins="U0ADMIN") as team:
        yield team


async def post(team: Team, body: str, headers: dict[str, str]) -> int:
    assert team.app.server is not None
    url = f"http://127.0.0.1:{team.app.server.port}/slack/events"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=kind | headers) as answer:
        return answer.status


def command(text: str, **changed: str) -> str:
    fields = {
        "command": "/ci",
        "text": text,
        "user_id": "U0ADA",
        "user_name": "ada",
        "team_id": "T0ACME",
        "channel_id": "C0DEPLOYS",
        "trigger_id": "1.2.3",
        "token": MARK,
    }
    return urlencode({**fields, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "1"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 30},
        {"X-Slack-Request-Timestamp": ""},
    ],
    ids=["wrong signature", "no signature", "old", "no number", "far future", "no time"],
)
async def test_what_slack_did_not_sign_is_refused(
    team: Team, changed: dict[str, str], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    body = command("deploy acme/frontend main")
    assert await post(team, body, {**team.slack.courier.signed(body), **changed}) in (401, 403)
    assert team.posts("") == []
    told = capfd.readouterr()
    assert MARK not in told.out + told.err + caplog.text


async def test_a_replay_starts_nothing_twice(team: Team) -> None:
    body = command("deploy acme/frontend main")
    headers = team.slack.courier.signed(body)
    assert [await post(team, body, headers) for _ in range(3)] == [200] * 3
    await team.reads("Passed in")
    assert await post(team, body, headers) == 200
    assert len(team.posts("/pipeline")) == len(team.deploys.roots) == 1


async def test_another_workspace_may_only_read(team: Team) -> None:
    body = command("deploy acme/frontend main", team_id="T0EVIL")
    assert await post(team, body, team.slack.courier.signed(body)) == 200
    await team.is_told(team.ada, "people from other workspaces may only read")
    assert team.posts("/pipeline") == []


async def test_a_response_url_elsewhere_is_never_called(team: Team) -> None:
    heard: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response()

    server = web.Application()
    server.router.add_post("/{path:.*}", elsewhere)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    body = command("help", response_url=f"http://127.0.0.1:{port}/commands/T/1/x")
    assert await post(team, body, team.slack.courier.signed(body)) == 200
    await team.is_told(team.ada, "says more about one word")
    await runner.cleanup()
    assert heard == []


@pytest.mark.parametrize(
    "value",
    ["{}", "not json", '{"pipeline_id": "../../me"}', '{"pipeline_id": 7}', '{"pipeline_id": "x", "admin": true}', ""],
)
async def test_an_altered_button_does_nothing(team: Team, value: str) -> None:
    await team.runs()
    await team.reads("Running")
    posts = len([seen for seen in team.circleci.requests if seen.method != "GET"])
    button = team.root.element("Cancel #2417") | {"value": value}
    delivery = await team.ada.click(team.root, button)
    assert delivery.acked
    await team.slack.wait_for(lambda: team.ada.sees_only)
    assert len([seen for seen in team.circleci.requests if seen.method != "GET"]) == posts


async def test_a_window_sent_by_somebody_else_does_nothing(team: Team) -> None:
    admin = team.slack.person("admin")
    await admin.command("releases", "/ci", "env set acme/frontend DEPLOY_TOKEN")
    told = await team.is_told(admin, "Nothing is set yet")
    await admin.click(told, "Type the value")
    view = await team.slack.wait_for(lambda: admin.modal)
    assert view is not None
    workspace = team.slack.workspace
    state = {"values": {"value": {"value": {"type": "plain_text_input", "value": "hunter2"}}}}
    payload = payloads.interaction(
        workspace,
        workspace.user("grace"),
        "view_submission",
        trigger_id="1.2.3",
        view=view.as_json(workspace, state),
        response_urls=[],
    )
    delivery = await team.slack.courier.deliver(INTERACTIVE, payload)
    assert "is not yours" in json.dumps(delivery.body)
    assert team.circleci.classic.secrets == {}
