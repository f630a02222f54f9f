"""`make agents`: real clients, without a model or a login, call a bot at work; a table says what each of them did.

They are fetched by npm into a folder that is gone afterwards, and run there with nothing of this machine's settings.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.logs import configure
from bot.models.agent import digest_of, new_token
from tests.agents.asking import agent_of
from tests.stories.team import team_at_work

CLAUDE, CODEX, MCPORTER, INSPECTOR = "claude-code@2.1.332", "codex@0.171.0", "mcporter@0.12.3", "inspector@2.12.0"
CONFORMANCE = "conformance@0.1.16"
PACKAGES = (
    *(f"@anthropic-ai/{CLAUDE}", f"@openai/{CODEX}", MCPORTER, f"@modelcontextprotocol/{INSPECTOR}"),
    *(f"@modelcontextprotocol/{CONFORMANCE}", "node@22"),  # which the conformance suite needs
)
SCENARIOS = ("server-initialize", "ping", "tools-list", "prompts-list", "dns-rebinding-protection")
PATIENCE = 90
PASSED_ON = ("content-type", "allow", "www-authenticate")


@dataclass
class Client:
    """How one is run, and what it must say in the end."""

    name: str
    run: Callable[["Stage"], Awaitable[str]]
    says: str
    calls: bool = True


@dataclass
class Window:
    """Stands between a client and the bot, and notes what goes through; who shows no token is lent one."""

    port: int
    token: str
    asked: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    tools: int = 0
    called: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Pass a request on."""
        body, there = await request.read(), f"http://127.0.0.1:{self.port}{request.path}"
        kept = ("host", "origin", "accept", "content-type", "authorization")
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in kept or name.lower().startswith("mcp-")
        }
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, there, data=body, headers=headers) as answer,
        ):
            said = await answer.read()
            self._note(request, _decoded(body), _decoded(said))
            passed = {name: value for name, value in answer.headers.items() if name.lower() in PASSED_ON}
            return web.Response(status=answer.status, body=said, headers=passed)

    def _note(self, request: web.Request, asked: dict[str, Any], said: dict[str, Any]) -> None:
        method, params, result = asked.get("method"), asked.get("params") or {}, said.get("result") or {}
        if method is None or not result:
            return
        self.asked.append(method)
        self.versions.add(request.headers.get("MCP-Protocol-Version") or params.get("protocolVersion") or "none")
        self.tools = max(self.tools, len(result.get("tools", ())))
        if method == "tools/call" and not result.get("isError"):
            self.called.append(params["name"])


@dataclass
class Stage:
    """Where clients are run: their folder, and the address and the token that they are given."""

    folder: Path
    url: str
    token: str

    async def runs(self, *command: str, said: Sequence[str] = ()) -> str:
        """Run a client in its folder, and nothing of ours around it; return what it says, its token left out."""
        binaries = self.folder / "node_modules" / ".bin"
        env = {"HOME": str(self.folder), "PATH": f"{binaries}:{os.defpath}", "CI_AGENT_TOKEN": self.token}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(str(binaries / command[0]), *command[1:]),
            cwd=self.folder,
            env=env,
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                return (await _heard(process, said)).replace(self.token, "…")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _heard(process: asyncio.subprocess.Process, said: Sequence[str]) -> str:
    """Say lines, each after a line that came back to the one before; return all that was answered."""
    assert process.stdin is not None
    assert process.stdout is not None
    if not said:
        return (await process.communicate())[0].decode(errors="replace")
    told = ""
    for line in said:
        process.stdin.write(line.encode() + b"\n")
        number = json.loads(line).get("id")
        while number is not None and f'"id":{number},' not in told:
            read = await process.stdout.read(2**20)
            if not read:
                return told
            told += read.decode(errors="replace")
    return told


async def claude(stage: Stage) -> str:
    """Let Claude Code look whether it is connected."""
    header = f"Authorization: Bearer {stage.token}"
    await stage.runs("claude", "mcp", "add", "--transport", "http", "ci", stage.url, "--header", header)
    return await stage.runs("claude", "mcp", "list")


async def codex(stage: Stage) -> str:
    """Let Codex list what its servers have."""
    config = f'[mcp_servers.ci]\nurl = "{stage.url}"\nbearer_token_env_var = "CI_AGENT_TOKEN"\n'
    (stage.folder / ".codex").mkdir()
    (stage.folder / ".codex" / "config.toml").write_text(config)
    opening = {"id": 0, "method": "initialize", "params": {"clientInfo": {"name": "us", "version": "1"}}}
    lines = (opening, {"method": "initialized"}, {"id": 1, "method": "mcpServerStatus/list", "params": {}})
    return await stage.runs("codex", "app-server", said=[json.dumps(one) for one in lines])


async def mcporter(stage: Stage) -> str:
    """Let it list, and call one."""
    server = {"baseUrl": stage.url, "headers": {"Authorization": f"Bearer {stage.token}"}}
    (stage.folder / "mcporter.json").write_text(json.dumps({"mcpServers": {"ci": server}}))
    config = ("--config", "mcporter.json")
    await stage.runs("mcporter", "list", "ci", "--json", *config)
    return await stage.runs("mcporter", "call", "ci.status", "project=acme/backend", "--output", "json", *config)


async def inspector(stage: Stage) -> str:
    """Let the inspector of the protocol's authors list and call, from a terminal."""
    there = (stage.url, "--transport", "http", "--header", f"Authorization: Bearer {stage.token}")
    call = ("--tool-name", "status", "--tool-arg", "project=acme/backend")
    await stage.runs("mcp-inspector", "--cli", *there, "--method", "tools/list")
    return await stage.runs("mcp-inspector", "--cli", *there, "--method", "tools/call", *call)


async def conformance(stage: Stage) -> str:
    """Run the suite of the protocol's authors, but for what needs tools of its own names."""
    told = [await stage.runs("conformance", "server", "--url", stage.url, "--scenario", one) for one in SCENARIOS]
    failed = [name for name, one in zip(SCENARIOS, told, strict=True) if ", 0 failed" not in one]
    return f"failed: {', '.join(failed)}" if failed else f"all {len(SCENARIOS)} scenarios"


CLIENTS = (
    Client(CLAUDE, claude, "Connected", calls=False),
    Client(CODEX, codex, '"name":"triage"', calls=False),
    Client(MCPORTER, mcporter, "quoted_project"),
    Client(INSPECTOR, inspector, "acme/backend"),
    Client(CONFORMANCE, conformance, "all", calls=False),
)


async def main() -> int:
    """Print the table; returns 1 when one of them did not what it should."""
    configure("ERROR")
    npm = shutil.which("npm")
    if npm is None:
        print("These clients are fetched by npm, which is not here: install Node.js.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="agents-", ignore_cleanup_errors=True) as name:
        clients = Path(name) / "clients"
        clients.mkdir()
        print(f"Fetching {len(PACKAGES)} packages, about a minute ...", flush=True)
        fetching = await asyncio.create_subprocess_exec(
            *(npm, "install", "--no-audit", "--no-fund", "--silent", *PACKAGES), cwd=clients
        )
        if await fetching.wait():
            return 1
        async with team_at_work(Path(name) / "bot", agents=True) as team:
            token = new_token()
            await agent_of(team, digest=digest_of(token))
            assert team.app.server is not None
            return await _table(clients, team.app.server.port, token)


async def _table(folder: Path, port: int, token: str) -> int:
    print(
        "| Client | Spoke | Asked for | Tools listed | Called | As it should |\n| --- | --- | --- | --- | --- | --- |"
    )
    failed = 0
    for client in CLIENTS:
        async with _window(port, token) as (window, url):
            try:
                said = await client.run(Stage(folder, url, token))
            except TimeoutError:
                said = f"nothing within {PATIENCE} s"
        right = client.says in said and window.tools > 0 and bool(window.called) >= client.calls
        failed += not right
        asked, spoke = ", ".join(dict.fromkeys(window.asked)), ", ".join(sorted(window.versions))
        called = ", ".join(window.called) or "nothing"
        print(f"| {client.name} | {spoke} | {asked} | {window.tools} | {called} | {'yes' if right else '**no**'} |")
        if not right:
            print(said[-2000:], file=sys.stderr)
    return min(failed, 1)


@asynccontextmanager
async def _window(port: int, token: str) -> AsyncIterator[tuple[Window, str]]:
    window, application = Window(port, token), web.Application()
    application.router.add_route("*", "/{path:.*}", window.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield window, f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    finally:
        await runner.cleanup()


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
