"""The pretend CircleCI's API v1.1: builds in lists, retries, variables, keys; what Cloud has dropped is not there."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.circleci import json as words
from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.scenarios import JobPlan
from playground.circleci.world import Project, Refused, World

PROJECT = "/api/v1.1/project/{vcs}/{org}/{name}"
Find = Callable[[web.Request], Project]


class ClassicFace:
    """The routes of v1.1 that nothing else of the pretend CircleCI needs.

    `secrets` holds the values of variables by project and name, `ssh_keys` private keys by project and host.
    `has_build_cache` makes it a Server that still clears caches.
    """

    def __init__(self, world: World, find: Find) -> None:
        self.secrets: dict[tuple[str, str], str] = {}
        self.ssh_keys: dict[tuple[str, str], str] = {}
        self.heroku_key = ""
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.has_build_cache = False
        self.takes_heroku_keys = False
        self._world = world
        self._find = find

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; the literal ones come before a build's number."""
        return [
            web.get("/api/v1.1/projects", self._projects),
            web.get("/api/v1.1/recent-builds", self._recent),
            web.post("/api/v1.1/user/heroku-key", self._heroku),
            web.get(f"{PROJECT}/envvar", self._variables),
            web.post(f"{PROJECT}/envvar", self._set_variable),
            web.get(f"{PROJECT}/envvar/{{variable}}", self._variable),
            web.delete(f"{PROJECT}/envvar/{{variable}}", self._remove_variable),
            web.get(f"{PROJECT}/checkout-key", self._list_keys),
            web.post(f"{PROJECT}/checkout-key", self._add_key),
            web.get(f"{PROJECT}/checkout-key/{{fingerprint}}", self._key),
            web.delete(f"{PROJECT}/checkout-key/{{fingerprint}}", self._remove_key),
            web.post(f"{PROJECT}/ssh-key", self._add_ssh_key),
            web.delete(f"{PROJECT}/build-cache", self._clear_cache),
            web.get(PROJECT, self._builds),
        ]

    async def _projects(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        projects = [one for one in self._world.projects.values() if not one.slug.startswith("circleci/")]
        newest = {one.slug: next(iter(self._of(one.slug, one.default_branch)), None) for one in projects}
        return web.json_response([words.followed(one, newest[one.slug], self._now) for one in projects])

    async def _recent(self, request: web.Request) -> web.Response:
        return self._listed(request, list(self._of()))

    async def _builds(self, request: web.Request) -> web.Response:
        return self._listed(request, list(self._of(self._find(request).slug)))

    def listed_branch(self, request: web.Request, slug: str, branch: str) -> web.Response:
        """Answer with the builds of one branch."""
        return self._listed(request, list(self._of(slug, branch)))

    def _listed(self, request: web.Request, found: list[tuple[Run, JobPlan, Pipeline]]) -> web.Response:
        limit = min(int(request.query.get("limit", "30")), 100)
        projects = self._world.projects
        shown = [
            words.summary(run, plan, one, projects[one.slug], self._now)
            for run, plan, one in found
            if not one.slug.startswith("circleci/")
        ]
        return web.json_response(shown[:limit])

    def _of(self, slug: str = "", branch: str = "") -> Iterator[tuple[Run, JobPlan, Pipeline]]:
        """Yield the jobs that have started, newest first."""
        started = [
            (run.start(plan) or one.created_at, run.job_numbers[plan.name], run, plan, one)
            for one in self._world.everything
            if (not slug or one.slug == slug) and (not branch or one.branch == branch)
            for run in one.runs
            for plan in run.plan.jobs
            if plan.name in run.job_numbers and not plan.approval
        ]
        for _, _, run, plan, one in sorted(started, key=lambda found: found[:2], reverse=True):
            yield run, plan, one

    # Variables

    async def _variables(self, request: web.Request) -> web.Response:
        slug = self._find(request).slug
        return web.json_response([_masked(name, value) for (of, name), value in self.secrets.items() if of == slug])

    async def _set_variable(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not str(body.get("name", "")).replace("_", "a").isalnum():
            raise Refused(400, f"Invalid name or value: {body}")
        self.secrets[self._find(request).slug, body["name"]] = body["value"]
        return web.json_response(_masked(body["name"], body["value"]), status=201)

    async def _variable(self, request: web.Request) -> web.Response:
        return web.json_response(_masked(*self._found(request)))

    async def _remove_variable(self, request: web.Request) -> web.Response:
        name, _ = self._found(request)
        del self.secrets[self._find(request).slug, name]
        return web.json_response({"message": "ok"})

    def _found(self, request: web.Request) -> tuple[str, str]:
        name = request.match_info["variable"]
        value = self.secrets.get((self._find(request).slug, name))
        if value is None:
            raise Refused(404, "env var not found")
        return name, value

    # Keys

    async def _list_keys(self, request: web.Request) -> web.Response:
        return web.json_response(self.keys.get(self._find(request).slug, []))

    async def _add_key(self, request: web.Request) -> web.Response:
        kind = (await request.json())["type"]
        keys = self.keys.setdefault(self._find(request).slug, [])
        digest = hashlib.md5(f"{kind}{len(keys)}".encode(), usedforsecurity=False).hexdigest()
        fingerprint = ":".join(digest[at : at + 2] for at in range(0, 32, 2))
        key = {"public_key": f"ssh-rsa AAAA{digest} \n", "type": kind, "fingerprint": fingerprint}
        keys.append({**key, "preferred": not keys, "login": None, "time": words.stamp(self._now)})
        return web.json_response(keys[-1], status=201)

    async def _key(self, request: web.Request) -> web.Response:
        return web.json_response(self._found_key(request))

    async def _remove_key(self, request: web.Request) -> web.Response:
        self.keys[self._find(request).slug].remove(self._found_key(request))
        return web.json_response({"message": "ok"})

    def _found_key(self, request: web.Request) -> dict[str, Any]:
        for key in self.keys.get(self._find(request).slug, []):
            if key["fingerprint"] == request.match_info["fingerprint"]:
                return key
        raise Refused(404, "checkout key not found")

    async def _add_ssh_key(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "PRIVATE KEY" not in body["private_key"]:
            raise Refused(400, f"not a valid private key: {body['private_key']}")
        self.ssh_keys[self._find(request).slug, body["hostname"]] = body["private_key"]
        return web.json_response("")

    async def _heroku(self, request: web.Request) -> web.Response:
        if not self.takes_heroku_keys:
            return web.Response(status=404, text="<!DOCTYPE html>", content_type="text/html")
        self.heroku_key = (await request.json())["apikey"]
        return web.json_response("")

    async def _clear_cache(self, request: web.Request) -> web.Response:
        self._find(request)
        if not self.has_build_cache:
            return web.Response(status=404, text="<!DOCTYPE html>", content_type="text/html")
        return web.json_response({"status": "build dependency caches deleted"})

    @property
    def _now(self) -> datetime:
        return self._world.clock.now()


def _masked(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": f"xxxx{value[-4:]}"}
