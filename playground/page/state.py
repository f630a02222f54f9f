"""What the page shows, as JSON: a workspace through one person's eyes, and the pretend CircleCI beside it."""

from datetime import datetime

from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.scenarios import COURSES
from playground.circleci.world import Project, World
from playground.faults import SeenRequest
from playground.slack.api import ApiCall, Slack
from playground.slack.conversations import Channel, Json, Message, User
from playground.slack.modals import View

# What Slack's client knows of the app from its manifest, and shows while one types.
SLASH_COMMAND = {
    "name": "/ci",
    "description": "Deploy and follow CircleCI pipelines.",
    "usage_hint": "alone: what you can do here; or: deploy acme/frontend release/v2.0; or: deploy --help",
}
MOST_REQUESTS = 60
MOST_PIPELINES = 30


def snapshot(slack: Slack, circleci: CircleCI, user: User) -> Json:
    """Return all that `user` can see, and what nobody could see in the real world."""
    workspace = slack.workspace
    person = slack.person(user.id)
    own = workspace.open_im(user.id)
    channels = [one for one in workspace.channels_of(user.id) if not one.is_im]
    modal = person.modal
    return {
        "me": {"id": user.id, "name": user.name},
        "bot": workspace.bot_user_id,
        "names": dict(workspace.names),
        "people": [_person(one, workspace.team_id) for one in workspace.users.values() if not one.deleted],
        "channels": [_channel(one, person.sees_only) for one in (*channels, own)],
        "modal": _view(modal) if modal else None,
        "command": SLASH_COMMAND,
        "problems": list(slack.problems),
        "circleci": _circleci(circleci, slack),
    }


def _view(view: View) -> Json:
    return {"id": view.id, **view.content, "errors": view.errors}


def _person(user: User, team_id: str) -> Json:
    kind = "app" if user.is_bot else "guest" if user.is_restricted else ""
    return {"id": user.id, "name": user.name, "kind": kind or ("other company" if user.team_id != team_id else "")}


def _channel(channel: Channel, whispers: list[Message]) -> Json:
    here = [one for one in whispers if one.channel is channel]
    said = sorted((*channel.messages, *here), key=lambda message: message.ts)
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "is_archived": channel.is_archived,
        "messages": [_message(one) for one in said],
    }


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "broadcast": message.reply_broadcast,
        "only_you": message.only_for is not None,
        "edited": message.edited_ts,
        "reactions": [name for name, _ in message.reactions],
        "status": message.status,
        "files": [{"name": one["name"], "size": one["size"]} for one in message.files],
    }


def _circleci(circleci: CircleCI, slack: Slack) -> Json:
    world = circleci.world
    return {
        "url": circleci.url,
        "now": world.clock.now().isoformat(),
        "speed": world.clock.speed,
        "courses": COURSES,
        "projects": [_project(one) for one in world.projects.values() if _courses(one)],
        "pipelines": [_pipeline(one, world) for one in reversed(world.pipelines[-MOST_PIPELINES:])],
        "requests": [_request(one) for one in reversed(circleci.requests[-MOST_REQUESTS:])],
        "calls": [_call(one) for one in reversed(slack.calls[-MOST_REQUESTS:])],
    }


def _project(project: Project) -> Json:
    spelled = project.slug.removeprefix("gh/")
    return {"name": spelled, "courses": _courses(project)}


def _courses(project: Project) -> list[str]:
    """Return the courses that a branch of the project plays."""
    return [name for name in COURSES if f"try/{name}" in project.branches]


def _pipeline(pipeline: Pipeline, world: World) -> Json:
    project, now = world.projects[pipeline.slug], world.clock.now()
    return {
        "number": pipeline.number,
        "project": f"{project.organization}/{project.name}",
        "ref": pipeline.tag or pipeline.branch,
        "state": pipeline.state(now),
        "workflows": [_workflow(run, now) for run in pipeline.visible_runs(now)],
    }


def _workflow(run: Run, now: datetime) -> Json:
    jobs = [{"name": job.name, "status": run.status_of(job, now)} for job in run.plan.jobs]
    return {"id": run.id, "name": run.plan.name, "status": run.status(now), "jobs": jobs}


def _request(seen: SeenRequest) -> Json:
    return {"method": seen.method, "path": seen.path, "status": seen.status}


def _call(call: ApiCall) -> Json:
    return {"method": call.method, "answer": "ok" if call.answer.get("ok") else str(call.answer.get("error"))}
