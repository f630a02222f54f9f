"""What a text or a button asks for, as far as the ids in it tell. Pure."""

import json
from typing import Any, NamedTuple

from playground.circleci.pipelines import Pipeline
from playground.circleci.world import World
from tests.oracle.ledger import of_job, ref_of
from tests.oracle.rules import Ref

ACTS = ("deploy", "rerun", "cancel", "approve", "lock", "unlock")
OF_PIPELINE = {"cancel_pipeline": "cancel", "rerun_failed": "rerun", "rerun_all": "rerun", "approve_job": "approve"}
OF_LOCK = {"unlock": "unlock", "take_lock": "take"}


class Want(NamedTuple):
    """An act on a project, and on a ref unless it is about the whole of it."""

    word: str
    slug: str
    ref: Ref | None


def of_text(text: str, world: World) -> tuple[Want, ...]:
    """Return what a command asks for; nothing for one that only reads, or that nobody can read."""
    verb, *words = text.replace('"', "").split()
    place, _, behind = words[0].partition(":") if verb in ACTS and words else ("", "", "")
    slug = slug_of(place or words[0], world) if verb in ACTS and words else None
    if slug is None or (verb == "lock" and not behind and words[1:] and '"' not in text):
        return ()  # what may be a branch or a reason is asked, or locks more than anybody counts on
    named = words[1] if len(words) > 1 and "=" not in words[1] and verb != "lock" else ""
    named = behind or named
    if named.startswith("#"):
        found = next((one for one in world.everything if (one.slug, str(one.number)) == (slug, named[1:])), None)
        return (_of_pipeline(verb, found),) if found else ()
    if named.isdecimal():
        found = of_job(world, slug, int(named))
        return (_of_pipeline(verb, found),) if found else ()
    whole = verb in ("lock", "unlock") and not named
    return (Want(verb, slug, None if whole else ref_named(named or "main")),)


def of_button(action_id: str, value: str, world: World) -> tuple[Want, ...]:
    """Return what a press asks for; nothing for one that only shows, or that answers a question."""
    kind, given = action_id.partition(":")[0], _read(value)
    if kind == "run_command":
        return of_text(str(given["text"]), world)
    if kind in OF_PIPELINE:
        found = next((one for one in world.everything if one.id == given["pipeline_id"]), None)
        return (_of_pipeline(OF_PIPELINE[kind], found),) if found else ()
    if kind == "cancel_job":
        found = of_job(world, given["project_slug"], given["job_number"])
        return (_of_pipeline("cancel", found),) if found else ()
    if kind in OF_LOCK:
        return (Want(OF_LOCK[kind], *_of_key(str(given["key"]))),)
    return ()


def slug_of(word: str, world: World) -> str | None:
    """Return the project that a word names, in whatever way people write it."""
    for project in world.projects.values():
        if word.lower() in (project.slug.lower(), f"{project.organization}/{project.name}".lower()):
            return project.slug
    return None


def ref_named(word: str) -> Ref:
    """Return the branch, tag or pull request that a word names."""
    word = word.removeprefix("refs/heads/")
    kind, _, rest = word.partition(":" if word.startswith("tag:") else "/")
    if kind == "tag":
        return Ref(rest, "tag")
    return Ref(rest.partition("/")[0], "pull") if kind == "pull" else Ref(word)


def _of_pipeline(word: str, pipeline: Pipeline) -> Want:
    return Want(word, pipeline.slug, ref_of(pipeline))


def _of_key(key: str) -> tuple[str, Ref | None]:
    slug, _, ref = key.partition(" ")
    return slug, ref_named(ref) if ref else None


def _read(value: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value or "{}")
    return found
