"""What the bot is compared with, each a process of its own: an app that only acks, and a loop that only asks."""

import argparse
import asyncio
import json
import time

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.circleci.transport import Transport
from bot.circleci.v2.reads import V2Builds
from bot.models.circleci import PipelineId


async def acks(port: int, secret: str) -> None:
    """Serve a Bolt app that does nothing but `ack()`."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0ACME", bot_token="xoxb-bare")

    app = AsyncApp(authorize=authorize, signing_secret=secret)

    async def command(ack: AsyncAck) -> None:
        await ack()

    app.command("/ci")(command)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    server = web.Application()
    server.router.add_post("/slack/events", handle)
    server.router.add_get("/readyz", ready)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def looks(url: str, token: str, pipelines: list[str], rounds: int) -> None:
    """Ask for each pipeline what a look asks for, decode it, and print the CPU seconds of one look."""
    async with Transport(url, SecretStr(token)) as transport:
        client = V2Builds(transport)

        async def look(pipeline: PipelineId) -> None:
            workflows, _ = await client.workflows(pipeline)
            for workflow in workflows:
                if not workflow.is_finished:
                    await client.jobs(workflow.id)

        ids = [PipelineId(one) for one in pipelines]
        await asyncio.gather(*(look(one) for one in ids))
        began = time.process_time()
        for _ in range(rounds):
            await asyncio.gather(*(look(one) for one in ids))
        print(json.dumps((time.process_time() - began) / rounds / len(ids)))


def main() -> None:
    """Do one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    one = what.add_parser("acks")
    one.add_argument("port", type=int)
    one.add_argument("secret")
    other = what.add_parser("looks")
    other.add_argument("url")
    other.add_argument("token")
    other.add_argument("rounds", type=int)
    other.add_argument("pipelines", nargs="+")
    asked = parser.parse_args()
    if asked.what == "acks":
        asyncio.run(acks(asked.port, asked.secret))
    else:
        asyncio.run(looks(asked.url, asked.token, asked.pipelines, asked.rounds))


if __name__ == "__main__":
    main()
