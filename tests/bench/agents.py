"""What a call of an agent costs beside what answers it: the face, in a process with nothing behind it."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from bot.agents.crowd import OF_ONE, Crowd
from tests.agents.face import face
from tests.bench.stage import Figure

ROUNDS, AT_ONCE, MOST_MS = 60, 20, 1.5
ERAS = ("2026-07-28", "2025-11-25")


async def agents(_: Path) -> list[Figure]:
    """Call it from here, in both eras of the protocol."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.agents"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    address, token = json.loads(await process.stdout.readline())
    rows = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}", "Accept": "*/*"}) as session:
        for version in ERAS:
            cost = await _cost(session, address, version)
            name = f"CPU of an agent's call beside what answers it, protocol of {version}"
            rows.append(Figure(name, f"{cost:.2f} ms", f"at most {MOST_MS} ms", cost <= MOST_MS))
    await process.communicate(b"\n")
    return rows


async def _cost(session: aiohttp.ClientSession, address: str, version: str) -> float:
    """Return the milliseconds of CPU of one call, once it is warm."""
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/call", "Mcp-Name": "status"}
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "status", "arguments": {"project": "acme/frontend"}, "_meta": meta}

    async def call(number: int) -> None:
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        async with session.post(address, json=body, headers=headers) as answer:
            assert "laptop" in await answer.text()

    async def used() -> float:
        async with session.get(address.replace("/mcp", "/readyz")) as answer:
            return float((await answer.json())["problems"][0])

    before = 0.0
    for number in range(ROUNDS):
        if number == ROUNDS // 3:
            before = await used()
        await asyncio.gather(*(call(one) for one in range(AT_ONCE)))
    return (await used() - before) / (ROUNDS - ROUNDS // 3) / AT_ONCE * 1000


async def serve(folder: Path) -> None:
    """Open the face until a line comes in; what it is not ready for is how much CPU it has used."""
    async with face(folder, crowd=Crowd(OF_ONE * AT_ONCE, ROUNDS * AT_ONCE)) as stage:
        stage.server._not_ready = lambda: asyncio.sleep(0, [str(time.process_time())])
        print(json.dumps((stage.address, stage.token)), flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(serve(Path(name)))
