"""List the artifacts of the newest successful build, find one by words, or put one into the thread."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple

from pydantic import Field

from bot.answers import File
from bot.answers import jobs as answers
from bot.circleci.partial import Partial, whatever_can_be_read
from bot.errors import NotFound, UsageError, reading
from bot.grammar import NAMES_OF_REFS, Word, is_parameter, parse_ref
from bot.links import is_link
from bot.lookup import known
from bot.models.build import Build
from bot.models.caller import Caller
from bot.models.circleci import Artifact, Ref
from bot.models.files import told_apart, whole
from bot.models.help import CommandHelp
from bot.models.spelling import as_typed
from bot.models.target import Target
from bot.refs import REFS, TAG
from bot.requests import OfTarget, Typed
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.targets import parse_target

HELP = CommandHelp(
    name="artifacts",
    group="Look",
    summary="List the artifacts of the newest successful build, by words of their path; `get` brings one here.",
    usage="artifacts [get] <project> [<branch> | tag:<tag> | #<pipeline> | <job number>] [<words or glob>]",
    example="artifacts acme/cli main linux-amd64",
    phrases=(
        "artifacts acme/cli",
        "artifacts acme/cli main dist/*",
        "artifacts acme/frontend 1842",
        "artifacts get acme/cli main checksums.txt",
    ),
    also=("artifact", "files", "download", "downloads"),
)
FOR_AGENTS = "List artifacts of the newest build that passed, or of one that is named."
MOST_JOBS = 12
LONGEST_WANTED = 255  # a file's name cannot be longer, nor can most paths
MOST_PAGES, PAGES_OF_EACH = 20, 5  # of one job's files, and of each of several jobs


Read = Partial[tuple[tuple[Artifact, ...], bool]]  # each job's files, and whether there are more


class _Stored(NamedTuple):
    """What is looked at, in words; its files by job, and whether there are more; how old they are, if that is known."""

    title: str
    read: Read
    age: timedelta | None = None
    jobs_left_out: int = 0
    build: Build | None = None


class Artifacts(OfTarget):
    """Which build's files, and what their paths hold; `get` fetches the one that is found.

    `or_path` is the branch where it was typed as one bare word, which may be meant as a part of a path as well.
    """

    wanted: tuple[Annotated[Typed, Field(max_length=LONGEST_WANTED)], ...] = ()
    or_path: Typed = ""
    get: bool = False

    @property
    def typed(self) -> str:
        """What was named and wanted, as it can be typed again."""
        return " ".join(filter(None, ["get" if self.get else "", super().typed, *map(as_typed, self.wanted)]))


def parse(words: Sequence[Word], projects: Projects) -> Artifacts:
    """Return the request; a first word `get` means to fetch."""
    rest = list(words)
    get = bool(rest) and rest[0].text.lower() == "get"
    rest = rest[1:] if get else rest
    target, wanted = parse_target(rest, projects, strict=False)
    if get and not (wanted or target.ref):
        raise UsageError("Which file should I get? Some words of its path are enough.")
    names = [*(word.text for word in wanted), *([target.ref.name] if target.ref else [])]
    if too_long := [name for name in names if len(name) > LONGEST_WANTED]:
        raise UsageError(f"I look for at most {LONGEST_WANTED} characters of a path.", given=too_long[0])
    for word in wanted:
        _check_is_of_a_path(word)
    wish = {"wanted": tuple(word.text for word in wanted), "or_path": _or_path(rest[1:], target), "get": get}
    return Artifacts.named(target, **wish)


def _check_is_of_a_path(word: Word) -> None:
    """Raise UsageError for what names a build, and stands where parts of a path do: no default is taken for it."""
    if word.quoted:
        return
    if is_link(word.text):
        parse_ref(word)  # which says where a link stands
    name = word.text.partition("=")[0].lower() if is_parameter(word) else ""
    if name in NAMES_OF_REFS or word.text.startswith((TAG, REFS)):
        what = NAMES_OF_REFS[name][0] if name else "a branch or a tag"
        problem = f"This may be {what}, or a part of a path. What to look at stands behind the project, by its name."
        raise UsageError(f"{problem} As a part of a path it goes in quotes.", given=word.text)


def _or_path(behind: Sequence[Word], target: Target) -> str:
    """Return the branch of a line that names nothing else, as it was typed; a link, a tag and `refs/…` are certain."""
    ref = target.ref
    is_bare = len(behind) == 1 and ref is not None and not ref.is_tag and behind[0].text == ref.name
    return behind[0].text if is_bare else ""


async def show_artifacts(
    request: Artifacts, caller: Caller, context: Context
) -> answers.Artifacts | answers.ArtifactTooLarge | File:
    """Answer with links, or with the file itself."""
    request = await _understood(request, caller, context)
    title, read, age, jobs_left_out, build = await _stored(request, caller, context)
    stored = tuple(artifact for files_of_job, _ in read.found for artifact in files_of_job)
    names = told_apart(stored, whole)
    found = tuple(one for one, name in zip(stored, names, strict=True) if matches(one.path, request.wanted, name))
    if request.get and (one := the_one(found, read, jobs_left_out)):
        return await _fetched(one, context)
    return answers.Artifacts(
        title=title,
        found=found,
        stored=len(stored),
        wanted=request.wanted,
        age=age,
        which=request.get,
        more=any(more for _, more in read.found),
        jobs_left_out=jobs_left_out,
        unread=_unread(read, request),
        build=build,
    )


def the_one(found: Sequence[Artifact], read: Read, jobs_left_out: int) -> Artifact | None:
    """Return the one file that fits; of what was not read another one may fit as well."""
    is_all = read.is_whole and not jobs_left_out and not any(more for _, more in read.found)
    return found[0] if is_all and len(found) == 1 else None


async def _fetched(artifact: Artifact, context: Context) -> answers.ArtifactTooLarge | File:
    most = context.settings.artifact_max_megabytes
    with reading():
        content = await context.circleci.artifact(artifact.url, max_bytes=int(most * 1_000_000))
    if content is None:
        return answers.ArtifactTooLarge(artifact=artifact, megabytes=most)
    return File(name=artifact.path.rpartition("/")[2], content=content)


def _unread(read: Read, request: Artifacts) -> answers.Unread | None:
    """Return what is missing, with the command that asks for all of it again."""
    if read.is_whole:
        return None
    again, missed = f"artifacts {request.typed}".strip(), len(read.errors)
    return answers.Unread(tried=read.tried, missed=missed, limited=read.was_limited, again=again)


def matches(path: str, wanted: Sequence[str], name: str = "") -> bool:
    """Say whether a path holds every word, or fits the glob; or what tells the file from another of the same path."""
    lowered, told = path.casefold(), (name or path).casefold()
    return all(
        fnmatchcase(lowered, word.casefold()) or fnmatchcase(lowered.rpartition("/")[2], word.casefold())
        if any(mark in word for mark in "*?[")
        else word.casefold() in told
        for word in wanted
    )


async def _understood(request: Artifacts, caller: Caller, context: Context) -> Artifacts:
    """Read a lone word that is no branch, tag or commit as part of a path, on the default branch."""
    target = request.target(context.projects)
    if target.slug is None or not request.or_path:
        return request
    await context.permissions.check(caller, "read", target.slug, certain=False)
    with suppress(NotFound):
        await context.finder.newest(request, caller)
        return request
    return request.model_copy(update={"branch": "", "wanted": (request.or_path,)})


async def _stored(request: Artifacts, caller: Caller, context: Context) -> _Stored:
    """Return what is looked at, and its files."""
    target = request.target(context.projects)
    if target.job_number is not None:
        slug, number = await context.finder.job(request, caller)
        return _Stored(f"{slug} {number}", Partial([await _of_job(slug, number, context)], []))
    if target.names_a_build:
        build = await context.finder.workflows(request, caller)
    else:
        build = await context.finder.newest_passed(request, caller)
    pipeline = build.pipeline
    jobs = [job for run in build.real_runs for job in run.jobs if job.job_number is not None]
    read = await whatever_can_be_read(
        *(_of_job(pipeline.project_slug, job.job_number or 0, context, job.name) for job in jobs[:MOST_JOBS])
    )
    ref = pipeline.ref or Ref(name="?")
    named = f" {build.runs[0].workflow.name}" if target.workflow_id else ""
    title = f"{await context.finder.title(pipeline.project_slug)} {ref} #{pipeline.number}{named}"
    return _Stored(title, read, build.read_at - pipeline.created_at, max(len(jobs) - MOST_JOBS, 0), build)


async def _of_job(slug: str, number: int, context: Context, name: str = "") -> tuple[tuple[Artifact, ...], bool]:
    pages = PAGES_OF_EACH if name else MOST_PAGES
    with known("job", str(number), slug):
        found, more = await context.circleci.some_artifacts(slug, number, pages)
    return tuple(one.model_copy(update={"job_name": name}) for one in found), more


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=Artifacts,
        parse=parse,
        handle=show_artifacts,
        tool=Tool(summary=FOR_AGENTS, without=("get", "or_path", "commit")),
    )
