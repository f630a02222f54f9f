"""What people have to say, the ids they have seen, and what may go wrong at CircleCI; chance chooses."""

from random import Random

from playground.circleci.world import World
from playground.slack.conversations import Json
from tests.oracle.rules import WAITING, Person

RELEASE_TEAM = frozenset({"S0RELEASE"})
PEOPLE = {
    "ada": Person("U0ADA", groups=RELEASE_TEAM),
    "grace": Person("U0GRACE"),
    "admin": Person("U0ADMIN", is_admin=True, groups=RELEASE_TEAM),
    "guest": Person("U0GUEST", "guest"),
    "stranger": Person("U0STRANGER", "stranger"),
}
# An agent of Grace's, and one of its own, which the admin looks after; with whose each is.
AGENTS = {
    "laptop": (PEOPLE["grace"]._replace(agent="laptop"), "grace"),
    "release-bot": (Person("", "agent", agent="release-bot"), "admin"),
}
REFS = (
    *("main", "main", "main", "release/v2.0", "release/v2.0", "hold/prod", "hold/prod", "try/slow", "try/slow"),
    *("tag:v2.0", "pull/7/head", "refs/heads/main"),
)
PROJECTS = (*("acme/frontend",) * 5, *("gh/acme/backend",) * 3, "ACME/Frontend", "circleci/5e0c5f62/9f1c2d7a")
COMMANDS = (
    *("deploy {project} {ref}",) * 8,
    "deploy {project} {ref} note=x",
    "rerun {project} {ref}",
    "rerun {project} {ref} all",
    "rerun {project} {ref} ssh",
    *("rerun {project} #{number} all",) * 3,
    *("cancel {project} {ref}",) * 3,
    "cancel {project} {job}",
    *("approve {project} {ref}",) * 3,
    "lock {project}:{ref} because",
    "lock {project}",
    "unlock {project} {ref}",
    "unlock {project}",
    *("status {project} {ref}",) * 4,
    # What does not name its project in full asks first, whatever the channel uses.
    *(f"{act} {name}{{ref}}" for act in ("deploy", "rerun") for name in ("frontend ", "acme backend ", "")),
    "deploy {project}:{ref}",
    "rerun #{number} all",
    "unlock backend:{ref}",
    *("deploy", "rerun", "cancel", "approve", "status"),
    *("use {project} {ref}", "use {project}", "use backend", "use nothing", "use"),
    *("again", "again note=y"),
    *("subscribe {project} {ref}", "subscribe {project}", "subscriptions", "unsubscribe {project}"),
    *("subscribe acme/* {ref}", "subscribe acme/* !acme/backend", "unsubscribe acme/*", "subscriptions"),
    "snooze {project} {ref} 2h",
    "recent",
    "projects",
    "locks",
    "why deploy {project} {ref}",
    "env set {project} NAME",
    "env remove {project} NAME",
    "keys add {project} deploy-key",
    "ssh-key add {project}",
    "heroku-key add",
    "cache clear {project}",
    "webhook {project}",
)
# Whoever speaks so asks for nothing by it: what acts is behind a dialog.
SENTENCES = (
    "could you ship {project} {ref} please?",
    "run {project} {ref} again",
    "rerun the build #{number} of {project}",
    "stop the build of {project} {ref}",
    "what waits for approval in {project}?",
    "nobody deploys {project} {ref} for now",
    "lift the lock on {project} {ref}",
    "is {project} {ref} green",
    "who broke {project} {ref}",
)
ASKED = ("deploy", "deploy", "rerun", "cancel")  # by agents
READING = ("show_log", "show_tests", "show_artifacts", "send_log")
QUESTIONS = ("agree_deploy", "deploy_anyway", "deploy_beside", "type_target", "choose_definition", "decline_deploy")
FAULTS: tuple[Json, ...] = (
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"status": 403, "body": {"message": "Permission denied"}},
    {"drop": "before"},
    {"drop": "after"},
)


def text(chance: Random, world: World) -> str:
    """Return a command about something that is there."""
    newest = chance.choice(world.pipelines)
    jobs = [number for run in newest.runs for number in run.job_numbers.values()] or [1]
    known = {"number": newest.number, "job": chance.choice(jobs), "ref": chance.choice(REFS)}
    return chance.choice((*COMMANDS, *SENTENCES)).format(project=chance.choice(PROJECTS), **known)


def id_of(field: str, chance: Random, world: World) -> object:
    """Return an id that exists, for a field of a button."""
    pipeline = chance.choice(world.pipelines)
    run = chance.choice(pipeline.runs)
    known: dict[str, object] = {
        "pipeline_id": pipeline.id,
        "workflow_id": run.id,
        "approval_request_id": chance.choice(list(run.job_ids.values())),
        "project_slug": pipeline.slug,
        "job_number": next(iter(run.job_numbers.values()), 1),
        "text": text(chance, world),
        "word": chance.choice(WAITING),
        "kind": "deploy-key",
        "key": pipeline.slug,
        "holder_id": "U0ADA",
        **dict.fromkeys(("newer", "reruns", "changes"), 0),
        **dict.fromkeys(("ssh", "follow"), False),
        **dict.fromkeys(("until", "made_at"), "2100-01-01T09:00:00Z"),
    }
    return known.get(field, "x")
