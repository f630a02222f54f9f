"""What the pretend CircleCI was asked to change, as acts on projects and refs. Pure."""

import re
from typing import Any, NamedTuple

from playground.circleci.pipelines import Pipeline
from playground.circleci.world import World
from playground.faults import SeenRequest
from tests.oracle.rules import Ref

_TRIGGER = re.compile(r"/project/(\w+/[^/]+/[^/]+)/pipeline(?:/run)?$")
_OF_WORKFLOW = re.compile(r"/workflow/([^/]+)/(cancel|rerun|approve)(?:/([^/]+))?$")
_OF_JOB = re.compile(r"/project/(\w+/[^/]+/[^/]+)/job/(\d+)/cancel$")
_OF_PROJECT = re.compile(r"/project/(\w+/[^/]+/[^/]+)/(envvar|checkout-key|ssh-key|build-cache)")
LOST = 499  # the connection broke before an answer came
_KEEPS = {"envvar": "secrets", "checkout-key": "keys", "ssh-key": "keys", "build-cache": "rerun"}


class Act(NamedTuple):
    """One change that CircleCI was asked for; `target` tells two acts apart that may not both happen for one wish.

    An answer that nobody heard leaves open whether it `may_have_been` done.
    """

    word: str
    slug: str
    ref: Ref | None
    target: str
    accepted: bool
    may_have_been: bool
    also: tuple[str, ...] = ()


def act_of(seen: SeenRequest, world: World) -> Act:
    """Return what a write asked for; a write that nobody knows is one that nobody may."""
    path = seen.path.partition("?")[0]
    accepted = 200 <= seen.status < 300
    came = accepted, accepted or seen.status == LOST
    if found := _TRIGGER.search(path):
        return Act("deploy", found[1], _asked_ref(seen.body), "", *came)
    if found := _OF_WORKFLOW.search(path):
        pipeline = world.pipeline_of(found[1])
        also = ("ssh",) if (seen.body or {}).get("enable_ssh") else ()
        return Act(found[2], pipeline.slug, ref_of(pipeline), f"{found[1]} {found[3] or ''}", *came, also)
    if found := _OF_JOB.search(path):
        of = of_job(world, found[1], int(found[2]))
        return Act("cancel", found[1], ref_of(of) if of else None, found[2], *came)
    if found := _OF_PROJECT.search(path):
        return Act(_KEEPS[found[2]], found[1], None, path, *came)
    if path.endswith("/webhook"):
        of_id = {project.id: project.slug for project in world.projects.values()}
        scope = str(((seen.body or {}).get("scope") or {}).get("id"))
        return Act("admin", of_id.get(scope, ""), None, path, *came)
    return Act("keys" if path.endswith("/heroku-key") else "nobody", "", None, path, *came)


def ref_of(pipeline: Pipeline) -> Ref:
    """Return what a pipeline was built from."""
    if pipeline.fork:
        return Ref(pipeline.review_id, "pull")
    if pipeline.tag:
        return Ref(pipeline.tag, "tag")
    branch = pipeline.branch or ""
    return Ref(branch.removeprefix("pull/"), "pull") if branch.startswith("pull/") else Ref(branch)


def of_job(world: World, slug: str, number: int) -> Pipeline | None:
    """Return the pipeline in which a job runs."""
    for pipeline in world.everything:
        if pipeline.slug == slug and any(number in run.job_numbers.values() for run in pipeline.runs):
            return pipeline
    return None


def is_green(world: World, slug: str, ref: Ref) -> bool:
    """Say whether the newest build of a branch that passed or failed has passed."""
    for pipeline in reversed(world.everything):
        if (pipeline.slug, ref_of(pipeline)) != (slug, ref):
            continue
        statuses = {run.plan.name: run.status(world.clock.now()) for run in pipeline.runs}
        if set(statuses.values()) & {"failed", "error", "unauthorized"}:
            return False
        if statuses and set(statuses.values()) == {"success"}:
            return True
    return False


def _asked_ref(body: Any) -> Ref | None:
    asked = (body or {}).get("checkout") or body or {}
    if tag := asked.get("tag"):
        return Ref(tag, "tag")
    branch = asked.get("branch") or ""
    number = re.fullmatch(r"pull/(\d+)(?:/\w+)?", branch)
    return Ref(number[1], "pull") if number else Ref(branch) if branch else None
