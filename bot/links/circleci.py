"""Pages of CircleCI's, Cloud's and a Server's, at their new addresses and their old ones. Pure."""

import re
from collections.abc import Sequence

from bot.links.reading import NoProject, Query, Unread, a_number, a_ref, project_slug
from bot.models.slugs import VCS
from bot.models.target import Target
from bot.refs import number

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_OF_A_WORKFLOW = ("workflow-run", "workflows")  # without a project
_OF_A_PROJECT = ("pipelines", "jobs")


def of_page(parts: Sequence[str], query: Query) -> Target:
    """Return what a page is about; raises Unread, or NoProject."""
    kind, rest = (parts[0], parts[1:]) if parts[:1] and parts[0] in _OF_A_PROJECT else ("", parts)
    if len(rest) == 2 and rest[0] in _OF_A_WORKFLOW and _UUID.fullmatch(rest[1]):
        return Target(workflow_id=rest[1].lower())
    if len(rest) < 3 or rest[0].lower() not in VCS:
        raise NoProject
    if not kind and rest[2] == "workflows" and len(rest) > 3:  # gh/acme/workflows/frontend/tree/main/<id>, of 2018
        if rest[3] == "tree" or number(rest[3]):  # or this is a page of the project `workflows`
            raise Unread(rest[2:])
        return _of_old_workflow(rest[4:]).also(Target(slug=project_slug(rest[0], rest[1], rest[3])))
    slug, page = project_slug(*rest[:3]), rest[3:]
    found = _asked_for(query) if not page else _of_pipeline(page) if kind == "pipelines" else _of_job(page)
    return found.also(Target(slug=slug))


def _asked_for(query: Query) -> Target:
    """Return the branch that a list of pipelines is narrowed to."""
    for kind, name in query.take("branch", "tag"):
        if not name:
            raise Unread([f"?{kind}="])
        return a_ref([name], kind)
    return Target()


def _of_pipeline(page: Sequence[str]) -> Target:
    found = Target(pipeline_number=a_number(page, page))
    match page[1:]:
        case []:
            return found
        case ["workflows", identity] if _ID.fullmatch(identity):
            return found.model_copy(update={"workflow_id": identity})
        case ["workflows", identity, "jobs", *job] if _ID.fullmatch(identity):
            return found.model_copy(update={"workflow_id": identity, "job_number": a_number(job, page)})
        case _:
            raise Unread(page)


def _of_job(page: Sequence[str]) -> Target:
    """Return the job; what stands behind its number is a part of its page."""
    if page[0] == "tree" and page[1:]:
        return a_ref(page[1:])
    return Target(job_number=a_number(page, page))


def _of_old_workflow(page: Sequence[str]) -> Target:
    if not page:
        return Target()
    if page[0] != "tree" or len(page) < 2:
        raise Unread(page)
    identity = page[-1] if len(page) > 2 and _UUID.fullmatch(page[-1]) else ""
    found = a_ref(page[1:-1] if identity else page[1:])
    return found.model_copy(update={"workflow_id": identity.lower()})
