"""The protocol, by the library's own client in both eras, and request by request by what its specification demands."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import aiohttp
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from bot.agents.bridge import EXPIRED, IN_QUERY, UNKNOWN, WRONG_HOST, WRONG_ORIGIN
from bot.agents.crowd import Crowd
from bot.agents.face import INSTRUCTIONS, PROMPTS
from bot.models.agent import new_token
from tests.agents.face import Stage, an_agent, face

NOW, BEFORE, FIRST = "2026-07-28", "2025-11-25", "2025-03-26"
ERAS: tuple[Literal["auto", "legacy"], ...] = ("auto", "legacy")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with face(tmp_path) as stage:
        yield stage


@asynccontextmanager
async def client(stage: Stage, era: Literal["auto", "legacy"], path: str = "") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {stage.token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(stage.address + path, http_client=http), mode=era) as client,
    ):
        yield client


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_of_either_era_lists_and_calls(stage: Stage, era: Literal["auto", "legacy"]) -> None:
    async with client(stage, era) as agent:
        assert agent.instructions == INSTRUCTIONS
        listed = (await agent.list_tools()).tools
        hints = [one.annotations and one.annotations.model_dump(exclude_none=True) for one in listed]
        assert [one.name for one in listed] == ["deploy", "status"]
        assert hints[1] == {
            "read_only_hint": True,
            "destructive_hint": False,
            "idempotent_hint": True,
            "open_world_hint": True,
        }
        said = await agent.call_tool("status", {"project": "acme/frontend"})
        assert said.structured_content == {
            "agent": "laptop",
            "asked": {"project": "acme/frontend"},
            "readonly": False,
        }
        assert [getattr(part, "text", "") for part in said.content] == ["status for laptop"]
        assert not said.is_error


@pytest.mark.parametrize("era", ERAS)
async def test_another_address_only_reads(stage: Stage, era: Literal["auto", "legacy"]) -> None:
    async with client(stage, era, "/readonly") as agent:
        assert [one.name for one in (await agent.list_tools()).tools] == ["status"]
        said = await agent.call_tool("status", {})
        assert said.structured_content == {"agent": "laptop", "asked": {}, "readonly": True}
        with pytest.raises(MCPError, match="deploy does more than read"):
            await agent.call_tool("deploy", {})
    assert stage.desk.begun == ["status"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_may_begin_with_words_of_ours(stage: Stage, era: Literal["auto", "legacy"]) -> None:
    async with client(stage, era) as agent:
        assert [one.name for one in (await agent.list_prompts()).prompts] == list(PROMPTS)
        said = await agent.get_prompt("red-build", {"project": "acme/{ref}", "ref": "main"})
        assert "The newest build of acme/{ref} on main is red." in str(said.messages[0].content)
        for name, given in (("nothing", {}), ("release", {"project": "acme/frontend"})):
            with pytest.raises(MCPError, match=r"Unknown prompt: nothing|release needs ref"):
                await agent.get_prompt(name, given)


@pytest.mark.parametrize("era", ERAS)
async def test_what_nobody_expected_is_a_number_and_stays_in_the_log(
    stage: Stage, era: Literal["auto", "legacy"], capfd: pytest.CaptureFixture[str]
) -> None:
    stage.desk.fails = RuntimeError("secret-mark")
    async with client(stage, era) as agent:
        said = await agent.call_tool("status", {})
    assert said.is_error
    assert "secret-mark" not in said.model_dump_json()
    told = capfd.readouterr().out
    assert f"reference='{(said.structured_content or {})['reference']}'" in told
    assert told.count("secret-mark") == 1


async def test_a_call_ends_before_its_client_gives_up_and_an_act_goes_on(tmp_path: Path) -> None:
    async with face(tmp_path, longest=0.05) as stage, client(stage, "auto") as agent:
        stage.desk.may.clear()
        read, act = [await agent.call_tool(name, {}) for name in ("status", "deploy")]
        assert "ask the same again" in read.model_dump_json()
        assert "It is under way" in act.model_dump_json()
        stage.desk.may.set()
        await stage.is_so(stage.desk.ended, ["deploy"])


def test_a_bot_without_agents_imports_nothing_for_them() -> None:
    told = "import sys, bot.app; print(sorted({'mcp', 'mcp_types', 'starlette', 'uvicorn', 'anyio'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


# Request by request: what is sent, and what must come back.
def meta(version: str = NOW) -> dict[str, Any]:
    return {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    }


def rpc(method: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}, **more}


def modern(method: str, name: str = "", version: str = NOW) -> dict[str, str]:
    return {"MCP-Protocol-Version": version, "Mcp-Method": method, **({"Mcp-Name": name} if name else {})}


CALL = rpc("tools/call", {"name": "status", "arguments": {}, **meta()})
OPEN = rpc("initialize", {"protocolVersion": BEFORE, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}})


class Probe(NamedTuple):
    """What is sent, and the status, and what stands in the answer."""

    sent: Any
    headers: Mapping[str, str] = MappingProxyType({})
    status: int = 200
    told: str = ""
    method: str = "POST"
    path: str = ""


PROBES = {
    "a call": Probe(CALL, modern("tools/call", "status"), 200, '"text":"status for laptop"'),
    "a call of before": Probe(
        rpc("tools/call", {"name": "status"}), {"MCP-Protocol-Version": BEFORE}, 200, "status for laptop"
    ),
    "a call of the first": Probe(rpc("tools/call", {"name": "status"}), {}, 200, "status for laptop"),
    "what there is": Probe(rpc("server/discover", meta()), modern("server/discover"), 200, '"supportedVersions"'),
    "a handshake": Probe(OPEN, {}, 200, f'"protocolVersion":"{BEFORE}"'),
    "a list may be kept": Probe(rpc("tools/list", meta()), modern("tools/list"), 200, '"ttlMs":600000'),
    "a ping of before": Probe(rpc("ping"), {"MCP-Protocol-Version": BEFORE}, 200, '"result":{}'),
    "an unknown version": Probe(
        rpc("tools/list", meta("2031-01-01")), modern("tools/list", version="2031-01-01"), 400, f'"{NOW}"'
    ),
    "a version that is no word": Probe(CALL, modern("tools/call", "status", "\u00ff"), 400, "error"),
    "versions that differ": Probe(rpc("tools/list", meta(BEFORE)), modern("tools/list"), 400, "-32020"),
    "methods that differ": Probe(CALL, modern("tools/list"), 400, "-32020"),
    "names that differ": Probe(CALL, modern("tools/call", "deploy"), 400, "-32020"),
    "an unknown method": Probe(rpc("tools/nothing", meta()), modern("tools/nothing"), 404, "-32601"),
    "an unknown method of before": Probe(rpc("nothing"), {"MCP-Protocol-Version": BEFORE}, 200, "-32601"),
    "an unknown tool": Probe(
        rpc("tools/call", {"name": "nothing", **meta()}), modern("tools/call", "nothing"), 400, "-32602"
    ),
    "an unknown tool of before": Probe(rpc("tools/call", {"name": "nothing"}), {}, 200, "-32602"),
    "arguments that are none": Probe(
        rpc("tools/call", {"name": "status", "arguments": [1], **meta()}), modern("tools/call", "status"), 400, "-32602"
    ),
    "a name that is half a letter": Probe(
        rpc("tools/call", {"name": "\ud800", **meta()}), modern("tools/call", "x"), 400, "-32020"
    ),
    "a name that is half a letter, of before": Probe(rpc("tools/call", {"name": "\ud800"}), {}, 400, "error"),
    "a number for a name": Probe(rpc("tools/call", {"name": 7, **meta()}), modern("tools/call", "7"), 400, "error"),
    "a number for a name, of before": Probe(rpc("tools/call", {"name": 7}), {}, 200, "-32602"),
    "a name misspelled": Probe(rpc("tools/call", {"name": "deploi"}), {}, 200, "Did you mean deploy?"),
    "a name without an end": Probe(rpc("tools/call", {"name": "x" * 9000}), {}, 200, f'Unknown tool: {"x" * 60}"'),
    "a list for parameters": Probe({**rpc("tools/list"), "params": [1]}, {}, 400, "error"),
    "a cursor to nowhere": Probe(rpc("tools/list", {"cursor": "x"}), {}, 200, '"tools":['),
    "half a letter for an argument": Probe(
        rpc("tools/call", {"name": "status", "arguments": {"project": "\ud800"}, **meta()}),
        modern("tools/call", "status"),
        200,
        "status for laptop",
    ),
    "a stream": Probe(
        rpc("subscriptions/listen", {"notifications": {}, **meta()}), modern("subscriptions/listen"), 404, "-32601"
    ),
    "no JSON": Probe(b"{", modern("tools/list"), 400, "-32700"),
    "no JSON of before": Probe(b"{", {}, 400, "-32700"),
    "no UTF-8": Probe(b"\xff\xfe", modern("tools/list"), 400, "-32700"),
    "JSON without an end": Probe(b"[" * 100_000, modern("tools/list"), 400, "-32700"),
    "JSON without an end of before": Probe(b"[" * 100_000, {}, 400, "-32700"),
    "a batch": Probe([CALL, CALL], modern("tools/call", "status"), 400, "-32600"),
    "a batch of before": Probe([CALL, CALL], {"MCP-Protocol-Version": FIRST}, 400, "error"),
    "a notification": Probe(
        {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"MCP-Protocol-Version": BEFORE}, 202
    ),
    "a notification of today": Probe({"jsonrpc": "2.0", "method": "notifications/cancelled"}, modern("x"), 202),
    "an answer to nothing": Probe({"jsonrpc": "2.0", "id": 1, "result": {}}, modern("x"), 400),
    "too much": Probe(b" " * (1024**2 + 1), modern("tools/list"), 413),
    "another kind": Probe(b"a=b", {"Content-Type": "text/plain"}, 400),
    "a form of a page": Probe(CALL, {"Origin": "https://evil.example"}, 403, WRONG_ORIGIN),
    "a page in a sandbox": Probe(CALL, {"Origin": "null"}, 403, WRONG_ORIGIN),
    "a page with a name before it": Probe(CALL, {"Origin": "https://localhost@evil.example"}, 403, WRONG_ORIGIN),
    "a page that is named like us": Probe(CALL, {"Origin": "https://localhost.evil.example"}, 403, WRONG_ORIGIN),
    "a tool on this machine": Probe(
        CALL, {"Origin": "http://localhost:6274", **modern("tools/call", "status")}, 200, "status for laptop"
    ),
    "another name for us": Probe(CALL, {"Host": "evil.example:80"}, 421, WRONG_HOST),
    "a name before ours": Probe(CALL, {"Host": "localhost@evil.example"}, 421, WRONG_HOST),
    "a name that is none": Probe(CALL, {"Host": "[::1"}, 421, WRONG_HOST),
    "our name in numbers": Probe(
        CALL, {"Host": "[::1]:80", **modern("tools/call", "status")}, 200, "status for laptop"
    ),
    "no token": Probe(CALL, {"Authorization": ""}, 401, UNKNOWN),
    "a wrong token": Probe(CALL, {"Authorization": f"Bearer {new_token()}"}, 401, UNKNOWN),
    "a token of another kind": Probe(CALL, {"Authorization": "Basic cia_x"}, 401, UNKNOWN),
    "a token without an end": Probe(CALL, {"Authorization": f"Bearer cia_{'x' * 5000}"}, 401, UNKNOWN),
    "a token in the address": Probe(CALL, {}, 400, IN_QUERY, path=f"?token={new_token()}"),
    "a stream to listen to": Probe(None, {}, 405, method="GET"),
    "the end of a session": Probe(None, {}, 405, method="DELETE"),
    "a page that asks first": Probe(None, {"Origin": "https://evil.example"}, 405, method="OPTIONS"),
    "a login": Probe(None, {}, 404, method="GET", path="/.well-known/oauth-protected-resource"),
}


async def send(stage: Stage, probe: Probe) -> tuple[int, str, dict[str, str]]:
    body = probe.sent if isinstance(probe.sent, bytes | None) else json.dumps(probe.sent).encode()
    shown = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}
    headers = {**shown, "Accept": "application/json, text/event-stream", **probe.headers}
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            probe.method, stage.address + probe.path, data=body and BytesIO(body), headers=headers
        ) as answer,
    ):
        return answer.status, await answer.text(), {**answer.headers}


async def test_each_request_is_answered_as_it_is_meant(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    for name, probe in PROBES.items():
        status, told, headers = await send(stage, probe)
        assert (status, probe.told in told) == (probe.status, True), (name, told)
        assert "mcp-session-id" not in {one.lower() for one in headers}, name
        assert (status == 401) == (headers.get("WWW-Authenticate") == "Bearer"), name
        assert stage.desk.begun == (["status"] if "status for laptop" in probe.told else []), name
        stage.desk.begun.clear()
    assert "cia_" not in caplog.text
    assert not [one for one in caplog.records if one.exc_info]


async def test_a_token_is_good_until_it_is_removed_or_expires(stage: Stage) -> None:
    call = PROBES["a call"]
    old, stage.token = await an_agent(stage.store, "old", good_for=timedelta(seconds=-1))
    assert (await send(stage, call))[:2] == (401, EXPIRED)
    young, stage.token = await an_agent(stage.store, "young")
    assert (await send(stage, call))[0] == 200
    for agent in (old, young):
        assert await stage.store.agents.remove(agent)
    assert (await send(stage, call))[:2] == (401, UNKNOWN)


async def test_without_redis_nobody_is_known(tmp_path: Path) -> None:
    async with face(tmp_path, url=f"unix://{tmp_path}/nothing") as stage:
        status, _, headers = await send(stage, PROBES["a call"])
        assert (status, headers["Retry-After"]) == (503, "5")


async def test_who_keeps_too_much_open_or_lists_all_the_time_is_told_and_others_are_let_in(tmp_path: Path) -> None:
    async with face(tmp_path, crowd=Crowd(16, 2)) as stage, aiohttp.ClientSession() as others:
        stage.desk.may.clear()
        waits = [asyncio.create_task(send(stage, PROBES["a call"])) for _ in range(2)]
        await stage.is_so(stage.desk.begun, ["status"] * 2)
        status, told, headers = await send(stage, PROBES["a call"])
        assert (status, headers["Retry-After"], "come back" in told) == (429, "1", True)
        async with others.get(stage.address.replace("/mcp", "/healthz")) as alive:
            assert alive.status == 200
        stage.desk.may.set()
        assert {(await one)[0] for one in waits} == {200}
        lists = Probe(rpc("tools/list", meta()), modern("tools/list"))
        assert [(await send(stage, lists))[0] for _ in range(6)] == [200] * 5 + [429]
        _, stage.token = await an_agent(stage.store, "desktop")
        assert (await send(stage, lists))[0] == 200


async def test_the_public_address_is_ours_and_those_of_others_are_not(tmp_path: Path) -> None:
    async with face(tmp_path, public_url="https://ci.acme.example:8443") as stage:
        call = PROBES["a call"]
        for host, origin, status in (
            ("ci.acme.example", "https://ci.acme.example:8443", 200),
            ("CI.acme.example:8443", "https://CI.acme.example:8443", 200),
            ("ci.acme.example:8443", "https://ci.acme.example", 403),
            ("127.0.0.1:3000", "http://127.0.0.1:3000", 200),
            ("ci.acme.example.evil.example", "https://ci.acme.example:8443", 421),
        ):
            asked = call._replace(headers={**call.headers, "Host": host, "Origin": origin})
            assert (await send(stage, asked))[0] == status, host


@pytest.mark.parametrize("era", ["a call", "a call of before"])
async def test_who_goes_away_takes_a_question_along_and_no_act(stage: Stage, era: str) -> None:
    stage.desk.may.clear()
    begun: list[str] = []
    for name in ("deploy", "status"):
        named = {"Mcp-Name": name} if era == "a call" else {}
        call = Probe(rpc("tools/call", {"name": name, **meta()}), {**PROBES[era].headers, **named})
        sent = asyncio.create_task(send(stage, call))
        begun.append(name)
        await stage.is_so(stage.desk.begun, begun)
        sent.cancel()
    await stage.is_so(stage.desk.taken_back, ["status"])
    stage.desk.may.set()
    await stage.is_so(stage.desk.ended, ["deploy"])


async def test_an_act_that_is_under_way_at_the_end_is_waited_for(tmp_path: Path) -> None:
    async with face(tmp_path) as stage:
        stage.desk.may.clear()
        sent = asyncio.create_task(send(stage, Probe(rpc("tools/call", {"name": "deploy"}))))
        await stage.is_so(stage.desk.begun, ["deploy"])
        asyncio.get_running_loop().call_later(0.1, stage.desk.may.set)
    assert stage.desk.ended == ["deploy"]
    assert (await sent)[0] == 200
