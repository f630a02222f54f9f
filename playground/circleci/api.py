"""The pretend CircleCI over HTTP: API v2, the part of v1.1 that shows steps, and the storage behind both."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.circleci import json as words
from playground.circleci.classic import ClassicFace
from playground.circleci.limits import Limit
from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.scenarios import JobPlan
from playground.circleci.world import Project, Refused, World
from playground.faults import Faults, SeenRequest

ARTIFACTS_PAGE = 100
SPELLINGS = {"github": "gh", "bitbucket": "bb"}
HTML_404 = "<!DOCTYPE html>\n<html><head><title>Page not found</title></head></html>"


class CircleCI:
    """`async with CircleCI(world) as circleci:` serves the world at `circleci.url`, to whoever has its `token`."""

    token = "playground-circleci-token"

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self.tokens: dict[str, str] = {}  # of other organisations, such as gh/other
        self.faults = Faults()
        self.limit: Limit | None = None
        self.page_size, self.tests_page_size = 20, 100
        self.rerun_without_id = False
        self.repeats_spelling = False  # of a project, instead of saying its own
        self.moved: dict[str, str] = {}  # from the slug of before
        self.organizations = ["acme"]
        self.webhooks: list[dict[str, Any]] = []
        self.insights: dict[str, list[dict[str, Any]]] = {}
        self.classic = ClassicFace(world, self._find_project)
        self.url = ""
        self._host, self._port = host, port
        application = web.Application(middlewares=[self._date, self.faults.middleware, self._rules])
        application.add_routes([*self.classic.routes(), *self._routes(), web.route("*", "/{path:.*}", self._unknown)])
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)

    @property
    def requests(self) -> list[SeenRequest]:
        """What was asked, oldest first."""
        return self.faults.requests

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self.url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def now(self) -> datetime:
        """The world's time."""
        return self.world.clock.now()

    @web.middleware
    async def _date(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Stamp every answer with the world's time: the bot measures ages by it."""
        response = await handler(request)
        response.headers["Date"] = format_datetime(self.now, usegmt=True)
        return response

    @web.middleware
    async def _rules(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token, let time do its work, and say no as CircleCI does."""
        if request.path.startswith("/api/") and not self._is_known(request):
            return web.json_response({"message": "You must log in first."}, status=401)
        if self.limit and (seconds := self.limit.retry_after()):
            return web.json_response({}, status=429, headers={"Retry-After": str(seconds)})
        self.world.tick()
        try:
            response = await handler(request)
        except Refused as refusal:
            response = web.json_response({"message": refusal.message}, status=refusal.status)
        left = self.limit.left if self.limit else 150
        response.headers.update(
            {"x-ratelimit-limit": "151", "x-ratelimit-remaining": str(left), "x-ratelimit-reset": "0"}
        )
        return response

    def _is_known(self, request: web.Request) -> bool:
        return _token(request) in (self.token, *self.tokens.values()) and "circle-token" not in request.query

    def _check_sight(self, request: web.Request, slug: str, refusal: str) -> None:
        """Let each token see its own organisation alone: what it may not see is not there."""
        organization = slug.rpartition("/")[0]
        if _token(request) != self.tokens.get(organization, self.token):
            raise Refused(404, refusal)

    async def _unknown(self, request: web.Request) -> web.Response:
        if request.path.startswith("/api/v1.1/"):
            return web.Response(status=404, text=HTML_404, content_type="text/html")
        return web.json_response({"message": "Not Found"}, status=404)

    # Finding

    def _find_project(self, request: web.Request) -> Project:
        """Return the project of the address, under any spelling and in any case."""
        spelled = _spelled(request).lower()
        slug = self.moved.get(spelled, spelled).lower()
        project = next((one for one in self.world.projects.values() if one.slug.lower() == slug), None)
        if project is None or (project.classic and request.path.startswith("/api/v2/")):
            raise Refused(404, "Project not found")
        self._check_sight(request, project.slug, "Project not found")
        return project

    def _find_pipeline(self, request: web.Request) -> Pipeline:
        """Return the pipeline of the address; during its outage nothing answers."""
        found = next((one for one in self.world.everything if one.id == request.match_info["id"]), None)
        if found is None:
            raise Refused(404, "Pipeline not found")
        self._check_sight(request, found.slug, "Pipeline not found")
        return self._answering(found)

    def _find_run(self, request: web.Request) -> tuple[Run, Pipeline]:
        """Return the workflow of the address with its pipeline."""
        run = self.world.run(request.match_info["id"])
        pipeline = self.world.pipeline_of(run.id)
        self._check_sight(request, pipeline.slug, "Workflow not found")
        return run, self._answering(pipeline)

    def _find_job(self, request: web.Request) -> tuple[Run, JobPlan]:
        """Return the job with the number in the address."""
        number, slug = request.match_info["number"], self._find_project(request).slug
        for one in self.world.everything:
            for run in one.runs:
                for name, given in run.job_numbers.items():
                    if one.slug == slug and str(given) == number and not run.job(name).approval:
                        return run, run.job(name)
        raise Refused(404, "Job not found.")

    def _answering(self, pipeline: Pipeline) -> Pipeline:
        if pipeline.is_away(self.now):
            raise Refused(503, "Service unavailable")
        return pipeline

    # API v2

    async def _me(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        return web.json_response({"id": words.BOT_USER, "login": "acme-bot", "name": "Acme Bot"})

    async def _collaborations(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        return web.json_response([words.collaboration(name) for name in self.organizations])

    async def _list_webhooks(self, request: web.Request) -> web.Response:
        found = [one for one in self.webhooks if one["scope"]["id"] == request.query["scope-id"]]
        return self._page(request, [{**one, "signing-secret": "****"} for one in found])

    async def _add_webhook(self, request: web.Request) -> web.Response:
        self.webhooks.append(words.webhook(await request.json(), self.now))
        return web.json_response({**self.webhooks[-1], "signing-secret": "****"}, status=201)

    async def _get_project(self, request: web.Request) -> web.Response:
        told = words.project(self._find_project(request))
        return web.json_response(told | ({"slug": _spelled(request)} if self.repeats_spelling else {}))

    async def _list_pipelines(self, request: web.Request) -> web.Response:
        slug, branch = self._find_project(request).slug, request.query.get("branch")
        mine = request.path.endswith("/mine")
        found = [one for one in self.world.everything if one.slug == slug and (branch is None or one.branch == branch)]
        found = [one for one in reversed(found) if not mine or one.by == "bot"]
        return self._page(request, [self._pipeline(one) for one in found])

    async def _trigger(self, request: web.Request) -> web.Response:
        project, body = self._find_project(request), await request.json()
        if project.slug.startswith("circleci/"):
            raise Refused(404, "Project not found")
        if skipped := self._skipped(project, body):  # what the GitHub App is asked for is never skipped
            return web.json_response({"message": skipped})
        return self._start(project, body, body.get("parameters") or {})

    def _skipped(self, project: Project, ref: dict[str, Any]) -> str:
        """Return what is said of a commit that wants no builds: through OAuth the API's own start none either."""
        scenario = None if ref.get("tag") else project.branches.get(ref.get("branch", project.default_branch))
        return scenario.skip_message if scenario else ""

    async def _run_pipeline(self, request: web.Request) -> web.Response:
        project, body = self._find_project(request), await request.json()
        if body.get("definition_id") not in project.definitions:
            raise Refused(404, "Definition not found")
        return self._start(project, body.get("checkout") or {}, body.get("parameters") or {})

    def _start(self, project: Project, ref: dict[str, Any], parameters: dict[str, Any]) -> web.Response:
        started = self.world.trigger(project.slug, branch=ref.get("branch"), tag=ref.get("tag"), parameters=parameters)
        created = words.stamp(started.created_at)
        answer = {"id": started.id, "number": started.number, "state": "pending", "created_at": created}
        return web.json_response(answer, status=201)

    async def _list_definitions(self, request: web.Request) -> web.Response:
        project = next((one for one in self.world.projects.values() if one.id == request.match_info["id"]), None)
        named = project.definitions.items() if project else ()
        return web.json_response({"items": [{"id": key, "name": name} for key, name in named]})

    async def _get_pipeline(self, request: web.Request) -> web.Response:
        return web.json_response(self._pipeline(self._find_pipeline(request)))

    async def _list_workflows(self, request: web.Request) -> web.Response:
        pipeline = self._find_pipeline(request)
        runs = pipeline.visible_runs(self.now)
        return self._page(request, [words.workflow(run, pipeline, self.now) for run in runs])

    async def _get_workflow(self, request: web.Request) -> web.Response:
        return web.json_response(words.workflow(*self._find_run(request), self.now))

    async def _list_jobs(self, request: web.Request) -> web.Response:
        run, pipeline = self._find_run(request)
        return self._page(request, [words.job(run, plan, pipeline, self.now) for plan in run.plan.jobs])

    async def _list_tests(self, request: web.Request) -> web.Response:
        return self._page(request, words.tests(self._find_job(request)[1]), size=self.tests_page_size)

    async def _flaky_tests(self, request: web.Request) -> web.Response:
        """Answer as it was recorded, in snake_case; where nobody switched insights on, not at all."""
        slug = self._find_project(request).slug
        if slug not in self.insights:
            raise Refused(404, "Project not found")
        found = self.insights[slug]
        return web.json_response({"flaky_tests": found, "total_flaky_tests": len(found)})

    async def _list_artifacts(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        return self._page(request, words.artifacts(self._find_job(request)[1], number, self.url), size=ARTIFACTS_PAGE)

    async def _cancel(self, request: web.Request) -> web.Response:
        self.world.cancel(request.match_info["id"], by=words.BOT_USER)
        return web.json_response({"message": "Accepted."}, status=202)

    async def _rerun(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        new = self.world.rerun(request.match_info["id"], ssh=bool(body.get("enable_ssh")))
        answer = {"message": "Accepted."} if self.rerun_without_id else {"workflow_id": new.id}
        return web.json_response(answer, status=202)

    async def _approve(self, request: web.Request) -> web.Response:
        self.world.approve(request.match_info["id"], request.match_info["approval"])
        return web.json_response({"message": "Accepted."}, status=202)

    # API v1.1, and the storage

    async def _get_build(self, request: web.Request) -> web.Response:
        run, plan = self._find_job(request)
        number = int(request.match_info["number"])
        detail = words.build(run, plan, number, self.url, self.now)
        return web.json_response(self._summary(run, plan) | detail)

    async def _retry(self, request: web.Request) -> web.Response:
        run, plan = self._find_job(request)
        again = self.world.rerun(run.id)
        self.world.tick()
        return web.json_response(self._summary(again, plan))

    async def _cancel_build(self, request: web.Request) -> web.Response:
        run, plan = self._find_job(request)
        self.world.cancel(run.id, by=words.BOT_USER)
        return web.json_response(self._summary(run, plan) | {"canceled": True})

    def _summary(self, run: Run, plan: JobPlan) -> dict[str, Any]:
        one = self.world.pipeline_of(run.id)
        if plan.name not in run.job_numbers:
            run.job_numbers[plan.name] = self.world.next_job_number()
        return words.summary(run, plan, one, self.world.projects[one.slug], self.now)

    async def _trigger_classic(self, request: web.Request) -> web.Response:
        project, body = self._find_project(request), await request.json()
        parameters, branch = body.get("build_parameters") or {}, request.match_info.get("branch")
        started = self.world.trigger(project.slug, branch=branch, tag=body.get("tag"), parameters=parameters)
        run = started.runs[0]
        return web.json_response(self._summary(run, run.plan.jobs[0]), status=201)

    async def _list_branch_builds(self, request: web.Request) -> web.Response:
        return self.classic.listed_branch(request, self._find_project(request).slug, request.match_info["branch"])

    async def _get_job(self, request: web.Request) -> web.Response:
        run, plan = self._find_job(request)
        one = self.world.pipeline_of(run.id)
        return web.json_response(words.job_details(run, plan, one, self.world.projects[one.slug], self.now))

    async def _cancel_job(self, request: web.Request) -> web.Response:
        run, _ = self._find_job(request)
        self.world.cancel(run.id, by=words.BOT_USER)
        return web.json_response({"message": "Accepted."})

    async def _pipeline_by_number(self, request: web.Request) -> web.Response:
        slug, number = self._find_project(request).slug, int(request.match_info["number"])
        found = next((one for one in self.world.everything if (one.slug, one.number) == (slug, number)), None)
        if found is None:
            raise Refused(404, "Pipeline not found")
        return web.json_response(self._pipeline(found))

    async def _list_classic_artifacts(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        return web.json_response(words.artifacts(self._find_job(request)[1], number, self.url))

    async def _list_classic_tests(self, request: web.Request) -> web.Response:
        return web.json_response({"tests": words.tests(self._find_job(request)[1])})

    async def _output(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers or "Circle-Token" in request.headers:
            return web.Response(status=400, text="Only one auth mechanism allowed")
        for one in self.world.everything:
            for run in one.runs:
                for name, number in run.job_numbers.items():
                    if str(number) == request.match_info["number"]:
                        return await self._send_log(request, run.job(name))
        raise Refused(404, "Not Found")

    async def _send_log(self, request: web.Request, plan: JobPlan) -> web.StreamResponse:
        """Send a log as the storage does, in pieces: it may be longer than anybody's memory."""
        if plan.log_repeats == 1:
            return web.json_response(_log(plan.log, self.now))
        response = web.StreamResponse()
        await response.prepare(request)
        body, last = (json.dumps(_log(lines, self.now)).strip("[]") for lines in (plan.log[:-1], plan.log[-1:]))
        await response.write(b"[")
        for _ in range(plan.log_repeats):
            await response.write(f"{body},".encode())
        await response.write(f"{last}]".encode())
        return response

    async def _artifact(self, request: web.Request) -> web.Response:
        """Send whoever has the token on to the storage; a browser, which is logged in, gets the file."""
        if "Authorization" not in request.headers:
            return web.Response(text=f"the file {request.match_info['path']}")
        if not self._is_known(request):
            return web.json_response({"message": "You must log in first."}, status=401)
        raise web.HTTPFound(f"{self.url}/storage/{quote(request.match_info['path'])}?X-Amz-Signature=pretend")

    async def _storage(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers or "Circle-Token" in request.headers:
            return web.Response(status=400, text="Only one auth mechanism allowed")
        return web.Response(text=f"the file {request.match_info['path']}")

    def _pipeline(self, one: Pipeline) -> dict[str, Any]:
        return words.pipeline(one, self.world.projects[one.slug], self.now)

    def _page(self, request: web.Request, items: list[Any], size: int | None = None) -> web.Response:
        size, start = size or self.page_size, int(request.query.get("page-token", "0"))
        more = str(start + size) if len(items) > start + size else None
        return web.json_response({"items": items[start : start + size], "next_page_token": more})

    def _routes(self) -> list[web.RouteDef]:
        project = "/api/v2/project/{vcs}/{org}/{name}"
        return [
            web.get("/api/v2/me", self._me),
            web.get("/api/v2/webhook", self._list_webhooks),
            web.post("/api/v2/webhook", self._add_webhook),
            web.get("/api/v2/me/collaborations", self._collaborations),
            web.get(project, self._get_project),
            web.get(f"{project}/pipeline", self._list_pipelines),
            web.get(f"{project}/pipeline/mine", self._list_pipelines),
            web.post(f"{project}/pipeline", self._trigger),
            web.post(f"{project}/pipeline/run", self._run_pipeline),
            web.get("/api/v2/projects/{id}/pipeline-definitions", self._list_definitions),
            web.get("/api/v2/pipeline/{id}", self._get_pipeline),
            web.get("/api/v2/pipeline/{id}/workflow", self._list_workflows),
            web.get("/api/v2/workflow/{id}", self._get_workflow),
            web.get("/api/v2/workflow/{id}/job", self._list_jobs),
            web.get(project + r"/{number:\d+}/tests", self._list_tests),
            web.get(project + r"/{number:\d+}/artifacts", self._list_artifacts),
            web.get("/api/v2/insights/{vcs}/{org}/{name}/flaky-tests", self._flaky_tests),
            web.post("/api/v2/workflow/{id}/cancel", self._cancel),
            web.post("/api/v2/workflow/{id}/rerun", self._rerun),
            web.post("/api/v2/workflow/{id}/approve/{approval}", self._approve),
            web.get("/api/v1.1/me", self._me),
            web.get(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}", self._get_build),
            web.get(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}/artifacts", self._list_classic_artifacts),
            web.get(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}/tests", self._list_classic_tests),
            web.post(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}/retry", self._retry),
            web.post(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}/ssh", self._retry),
            web.post(r"/api/v1.1/project/{vcs}/{org}/{name}/{number:\d+}/cancel", self._cancel_build),
            web.post("/api/v1.1/project/{vcs}/{org}/{name}/tree/{branch}", self._trigger_classic),
            web.post("/api/v1.1/project/{vcs}/{org}/{name}", self._trigger_classic),
            web.get("/api/v1.1/project/{vcs}/{org}/{name}/tree/{branch}", self._list_branch_builds),
            web.get(project + r"/job/{number:\d+}", self._get_job),
            web.post(project + r"/job/{number:\d+}/cancel", self._cancel_job),
            web.get(project + r"/pipeline/{number:\d+}", self._pipeline_by_number),
            web.get(r"/output/{number:\d+}/{index:\d+}", self._output),
            web.get("/storage/{path:.*}", self._storage),
            web.get(r"/artifact/{number:\d+}/{index:\d+}/{path:.*}", self._artifact),
        ]


def _log(lines: Sequence[str], now: datetime) -> list[dict[str, str]]:
    return [{"type": "out", "time": words.stamp(now), "message": f"{line}\r\n"} for line in lines]


def _spelled(request: web.Request) -> str:
    """Return the slug of the address, with the short name of its code host."""
    vcs, org, name = (request.match_info[part] for part in ("vcs", "org", "name"))
    return f"{SPELLINGS.get(vcs, vcs)}/{org}/{name}"


def _token(request: web.Request) -> str:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bearer or request.headers.get("Circle-Token", "")
