"""The world in CircleCI's words: JSON as its API v2 and v1.1 spell it. Pure."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import quote

from playground.circleci.pipelines import FAILED, Pipeline, Run
from playground.circleci.scenarios import JobPlan
from playground.circleci.world import Project

Json = dict[str, Any]
BOT_USER = "00000000-0000-4000-8000-000000000001"


def stamp(when: datetime) -> str:
    """Return a time as CircleCI writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def project(one: Project) -> Json:
    """Return a project."""
    code_host = "Bitbucket" if one.slug.startswith("bb/") else "GitHub"
    url = f"https://github.com/{one.organization}/{one.name}"
    return {
        "id": one.id,
        "slug": one.slug,
        "name": one.name,
        "organization_name": one.organization,
        "organization_slug": one.slug.rpartition("/")[0],
        "organization_id": one.id,
        "vcs_info": {"vcs_url": url, "provider": code_host, "default_branch": one.default_branch},
    }


def pipeline(one: Pipeline, owner: Project, now: datetime) -> Json:
    """Return a pipeline; a standalone project's has no `vcs`."""
    error = one.error(now) if one.state(now) != "pending" else ""
    data: Json = {
        "id": one.id,
        "number": one.number,
        "project_slug": one.slug,
        "state": one.state(now),
        "errors": [{"type": "config", "message": error}] if error else [],
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "trigger": {
            "type": "api" if one.by == "bot" else "webhook",
            "received_at": stamp(one.created_at),
            "actor": {"login": one.by, "avatar_url": None},
        },
    }
    ref = {"tag": one.tag} if one.tag else {"branch": one.branch}
    if one.slug.startswith("circleci/"):
        return data | {"trigger_parameters": {"git": {**ref, "checkout_sha": one.revision}}}
    url = f"https://github.com/{owner.organization}/{owner.name}"
    commit = {"subject": "Ship v2.0", "body": ""}
    origin = f"https://github.com/{one.fork}/{owner.name}" if one.fork else url
    places = {"origin_repository_url": origin, "target_repository_url": url, "provider_name": "GitHub"}
    if one.review_id:
        places |= {"review_id": one.review_id, "review_url": f"{url}/pull/{one.review_id}"}
    return data | {"vcs": {**places, **ref, "revision": one.revision, "commit": commit}}


def workflow(run: Run, one: Pipeline, now: datetime) -> Json:
    """Return a run of a workflow; keys that do not apply are missing, as recorded."""
    stopped = run.stopped_at(now)
    data: Json = {
        "id": run.id,
        "name": run.plan.name,
        "status": run.status(now),
        "pipeline_id": one.id,
        "pipeline_number": one.number,
        "project_slug": one.slug,
        "started_by": BOT_USER,
        "created_at": stamp(run.created_at),
        "stopped_at": stamp(stopped) if stopped else None,
    }
    if run.plan.setup:
        data["tag"] = "setup"
    if run.is_canceled(now) and run.canceled_by:
        data["canceled_by"] = run.canceled_by
    if run.plan.max_auto_reruns or run.auto_rerun_number:
        data |= {"auto_rerun_number": run.auto_rerun_number, "max_auto_reruns": run.plan.max_auto_reruns or 2}
    return data


def job(run: Run, plan: JobPlan, one: Pipeline, now: datetime) -> Json:
    """Return a job; its number and its times appear as they come to be."""
    status, start, end = run.status_of(plan, now), run.start(plan), run.end(plan)
    data: Json = {
        "id": run.job_ids[plan.name],
        "name": plan.name,
        "type": "approval" if plan.approval else "build",
        "status": status,
        "project_slug": one.slug,
        "dependencies": [run.job_ids[name] for name in plan.requires],
        "started_at": stamp(start) if start and start <= now else None,
    }
    if plan.name in run.job_numbers and not plan.approval:
        data["job_number"] = run.job_numbers[plan.name]
    if plan.approval:
        data["approval_request_id"] = run.job_ids[plan.name]
    if end is not None and end <= now and status != "canceled":
        data["stopped_at"] = stamp(end)
    return data


def job_details(run: Run, plan: JobPlan, one: Pipeline, owner: Project, now: datetime) -> Json:
    """Return what is told of one job by its number."""
    number, status = run.job_numbers[plan.name], run.status_of(plan, now)
    start, end = run.start(plan), run.end(plan)
    over = end is not None and end <= now
    return {
        "web_url": f"https://app.circleci.com/jobs/{one.slug}/{number}",
        "project": {"id": owner.id, "slug": one.slug, "name": owner.name, "external_url": "https://github.com/"},
        "parallel_runs": [{"index": index, "status": status} for index in range(plan.parallelism)],
        "started_at": stamp(start) if start else None,
        "latest_workflow": {"id": run.id, "name": run.plan.name},
        "name": plan.name,
        "executor": {"type": "docker", "resource_class": "medium"},
        "parallelism": plan.parallelism,
        "status": status,
        "number": number,
        "pipeline": {"id": one.id},
        "duration": plan.seconds * 1000 if over else None,
        "created_at": stamp(one.created_at),
        "messages": _messages(plan),
        "contexts": [],
        "organization": {"name": owner.organization},
        "queued_at": stamp(start or one.created_at),  # also of a job that never began
        "stopped_at": stamp(end) if over and end else None,
    }


def tests(plan: JobPlan) -> list[Json]:
    """Return a job's stored results."""
    return [
        {
            "name": test.name,
            "classname": test.file.removesuffix(".py").replace("/", "."),
            "file": test.file,
            "source": "pytest",
            "result": test.result,
            "message": test.message,
            "run_time": 0.42,
        }
        for test in plan.tests
    ]


def artifacts(plan: JobPlan, number: int, base: str) -> list[Json]:
    """Return a job's stored files."""
    return [
        {"path": path, "node_index": 0, "url": f"{base}/artifact/{number}/0/{quote(path)}"} for path in plan.artifacts
    ]


def build(run: Run, plan: JobPlan, number: int, base: str, now: datetime) -> Json:
    """Return a job as API v1.1 details it, with its steps; a step that follows a failed one may still pass."""
    status = run.status_of(plan, now)
    over = status not in ("running", "queued")
    failed = [_action(plan, index, number, base, status) for index in range(plan.parallelism)]
    steps = [_step("Checkout code", plan.parallelism), {"name": plan.step, "actions": failed}]
    return {
        "build_num": number,
        "status": status,
        "lifecycle": "finished" if over else "running",
        "outcome": status if over else None,
        "steps": [] if plan.refused else [*steps, _step("Uploading artifacts", plan.parallelism)],
        "messages": _messages(plan),
        "parallel": plan.parallelism,
        "workflows": {"workflow_id": run.id, "workflow_name": run.plan.name, "job_name": plan.name},
    }


def _messages(plan: JobPlan) -> list[Json]:
    return [{"type": "error", "reason": "refused", "message": plan.refused}] if plan.refused else []


def _step(name: str, parallelism: int) -> Json:
    quiet = {"failed": None, "exit_code": 0, "has_output": False, "run_time_millis": 900, "status": "success"}
    return {"name": name, "actions": [{"name": name, "index": n, "step": 0, **quiet} for n in range(parallelism)]}


def _action(plan: JobPlan, index: int, number: int, base: str, status: str) -> Json:
    bad = status in FAILED and index in plan.failing
    late = status == "timedout"
    data: Json = {
        "name": plan.step,
        "index": index,
        "step": 103,
        "type": "test",
        "status": (status if bad else "success"),
        "failed": True if bad and not late else None,
        "timedout": True if bad and late else None,
        "infrastructure_fail": True if bad and status == "infrastructure_fail" else None,
        "exit_code": 1 if bad and status == "failed" else None if bad else 0,
        "run_time_millis": plan.seconds * 1000,
        "has_output": bool(plan.log),
    }
    return data | ({"output_url": f"{base}/output/{number}/{index}"} if plan.log else {})


def collaboration(name: str) -> Json:
    """Return an organisation as `me/collaborations` lists it."""
    organization = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    return {"id": organization, "vcs_type": "github", "slug": f"gh/{name}", "name": name, "avatar_url": ""}


def summary(run: Run, plan: JobPlan, one: Pipeline, owner: Project, now: datetime) -> Json:
    """Return a job as API v1.1 lists it."""
    number, status = run.job_numbers[plan.name], run.status_of(plan, now)
    start, end = run.start(plan), run.end(plan)
    canceled = run.is_canceled(now) and status == "canceled"
    over = (end is not None and end <= now) or canceled
    stop = run.canceled_at if canceled else end
    earlier = (
        [one for one in one.runs[: one.runs.index(run)] if one.plan.name == run.plan.name] if run in one.runs else []
    )
    return {
        "build_num": number,
        "build_url": f"https://circleci.com/{one.slug}/{number}",
        "username": owner.organization,
        "reponame": owner.name,
        "vcs_type": {"gh": "github", "bb": "bitbucket"}.get(one.slug.partition("/")[0]),
        "branch": one.branch,
        "vcs_tag": one.tag,
        "vcs_revision": one.revision,
        "subject": "Ship v2.0",
        "status": status,
        "outcome": status if over else None,
        "lifecycle": "finished" if over else "running",
        "queued_at": stamp(start) if start else None,
        "start_time": stamp(start) if start else None,
        "stop_time": stamp(stop) if over and stop else None,
        "build_time_millis": plan.seconds * 1000 if over else None,
        "retry_of": earlier[-1].job_numbers.get(plan.name) if earlier else None,
        "dont_build": None,
        "workflows": None if owner.classic else _bridge(run, plan),
    }


def _bridge(run: Run, plan: JobPlan) -> Json:
    return {"job_name": plan.name, "workflow_name": run.plan.name, "workflow_id": run.id}


def followed(one: Project, newest: tuple[Run, JobPlan, Pipeline] | None, now: datetime) -> Json:
    """Return a project as API v1.1 lists it, with what nobody should keep of it."""
    builds = []
    if newest is not None:
        run, plan, _ = newest
        status = run.status_of(plan, now)
        builds = [{"build_num": run.job_numbers[plan.name], "status": status, "outcome": status}]
    return {
        "username": one.organization,
        "reponame": one.name,
        "vcs_type": {"gh": "github", "bb": "bitbucket"}.get(one.slug.partition("/")[0]),
        "vcs_url": f"https://github.com/{one.organization}/{one.name}",
        "default_branch": one.default_branch,
        "following": True,
        "slack_webhook_url": "https://hooks.slack.com/services/T0/B0/playground",
        "branches": {quote(one.default_branch, safe=""): {"recent_builds": builds, "running_builds": []}},
    }


def webhook(asked: Json, now: datetime) -> Json:
    """Return an outbound webhook as it was asked for."""
    made = {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, asked["url"])), "created-at": stamp(now), "updated-at": stamp(now)}
    return {**asked, **made}
