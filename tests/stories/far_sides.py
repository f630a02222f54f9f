"""The least of a CircleCI for a story, over real HTTP; the playground's will take its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

from aiohttp import web

NOW = "2026-11-20T10:00:00Z"


class FarSides:
    """What CircleCI was asked for, and how its workflows stand."""

    def __init__(self) -> None:
        self.triggers: list[dict[str, Any]] = []
        self.reruns: list[dict[str, Any]] = []
        self.statuses = ["success"]
        self.url = ""

    async def circleci(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path.endswith("/rerun"):
            self.reruns.append(await request.json())
            self.statuses.append("success")
            return _json({"workflow_id": f"w{len(self.statuses)}"}, status=202)
        if request.method == "POST":
            self.triggers.append(await request.json())
            return _json({"id": "p1", "number": 2417, "state": "pending", "created_at": NOW}, status=201)
        answers: dict[str, Any] = {
            "project/gh/acme/frontend": {
                "id": "x",
                "slug": "gh/acme/frontend",
                "name": "frontend",
                "organization_name": "acme",
                "vcs_info": {"default_branch": "main"},
            },
            "project/gh/acme/frontend/pipeline": _page(),
            "pipeline/p1": {
                "id": "p1",
                "number": 2417,
                "state": "created",
                "created_at": NOW,
                "project_slug": "gh/acme/frontend",
                "vcs": {"branch": "release/v2.0", "revision": "9f1c2d7a"},
            },
            "pipeline/p1/workflow": _page(*(_workflow(n, status) for n, status in enumerate(self.statuses, 1))),
            "project/gh/acme/frontend/1842/tests": _page(
                {"name": "test_adds_item", "file": "tests/test_cart.py", "result": "failure", "message": "expected 2"},
                {"name": "test_other", "result": "success"},
            ),
            **{f"workflow/w{n}/job": _page(_job(n, status)) for n, status in enumerate(self.statuses, 1)},
            "project/gh/acme/frontend/1842/artifacts": _page({"path": "app.tar.gz", "url": "https://files.example/a"}),
        }
        if path not in answers:
            return _json({"message": "Not Found"}, status=404)
        return _json(answers[path])


def _workflow(number: int, status: str) -> dict[str, Any]:
    created = f"2026-11-20T10:00:0{number}Z"
    return {"id": f"w{number}", "name": "build", "status": status, "created_at": created, "stopped_at": created}


def _job(number: int, status: str) -> dict[str, Any]:
    return {"id": f"j{number}", "name": "unit-tests", "status": status, "job_number": 1842}


def _page(*items: object) -> dict[str, Any]:
    return {"items": list(items), "next_page_token": None}


def _json(data: object, status: int = 200) -> web.Response:
    return web.json_response(data, status=status, headers={"Date": formatdate(usegmt=True)})


@asynccontextmanager
async def far_sides() -> AsyncIterator[FarSides]:
    """Serve it on loopback."""
    both = FarSides()
    application = web.Application()
    application.router.add_route("*", "/api/v2/{path:.*}", both.circleci)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    both.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield both
    finally:
        await runner.cleanup()
