"""List the artifacts of the newest successful build, find one by words, or put one into the thread."""

from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict

from bot.circleci.partial import Partial, whatever_can_be_read
from bot.errors import UsageError
from bot.finding import known
from bot.grammar import Word
from bot.models.circleci import Artifact, ProjectSlug, Ref
from bot.models.slack import Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target, parse_target
from formatters import files, unread
from formatters.blocks import Message
from formatters.help import CommandHelp

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
MOST_JOBS = 12
LONGEST_WANTED = 255  # a file's name cannot be longer, nor can most paths
Read = Partial[tuple[Artifact, ...]]


class Artifacts(BaseModel):
    """Which build's files, and what their paths hold; `get` fetches the one that is found."""

    model_config = ConfigDict(frozen=True)
    target: Target
    wanted: tuple[str, ...] = ()
    get: bool = False


def parse(words: Sequence[Word], projects: Projects) -> Artifacts:
    """Return the request; a first word `get` means to fetch."""
    rest = list(words)
    get = bool(rest) and rest[0].text.lower() == "get"
    target, wanted = parse_target(rest[1:] if get else rest, projects)
    if get and not (wanted or target.ref):
        raise UsageError("Which file should I get? Some words of its path are enough.")
    names = [*(word.text for word in wanted), *([target.ref.name] if target.ref else [])]
    if too_long := [name for name in names if len(name) > LONGEST_WANTED]:
        raise UsageError(f"I look for at most {LONGEST_WANTED} characters of a path.", given=too_long[0])
    return Artifacts(target=target, wanted=tuple(word.text for word in wanted), get=get)


async def show_artifacts(request: Artifacts, invocation: Invocation, context: Context) -> Message | None:
    """Answer with links, or with the file itself."""
    request = await _understood(request, context)
    title, read, age = await _stored(request.target, invocation, context)
    found = tuple(artifact for files_of_job in read.found for artifact in files_of_job)
    chosen = [one for one in found if matches(one.path, request.wanted)]
    if not request.get:
        told = files.artifacts(title, chosen, wanted=request.wanted, of=len(found), age=age)
        missed = len(read.errors)
        return unread.add(told, read.tried, missed, invocation.text, limited=read.was_limited) if missed else told
    if len(chosen) != 1:
        return files.which(title, chosen, wanted=request.wanted, of=len(found))
    limit = context.settings.artifact_max_megabytes * 1_000_000
    content = await context.circleci.artifact(chosen[0].url, max_bytes=int(limit))
    if content is None:
        return files.too_large(chosen[0], context.settings.artifact_max_megabytes)
    name = chosen[0].path.rpartition("/")[2]
    await context.messenger.upload(invocation.channel_id, name, content, thread_ts=invocation.thread_ts)
    return None


def matches(path: str, wanted: Sequence[str]) -> bool:
    """Say whether a path holds every word, or fits the glob."""
    lowered = path.casefold()
    return all(
        fnmatchcase(lowered, word.casefold()) or fnmatchcase(lowered.rpartition("/")[2], word.casefold())
        if any(mark in word for mark in "*?[")
        else word.casefold() in lowered
        for word in wanted
    )


async def _understood(request: Artifacts, context: Context) -> Artifacts:
    """Read a lone word that is no branch as part of a path, on the default branch."""
    target = request.target
    if target.slug is None or target.ref is None or target.ref.is_tag or request.wanted:
        return request
    if await context.finder.has_branch(target.slug, target.ref.name):
        return request
    return request.model_copy(update={"target": target.model_copy(update={"ref": None}), "wanted": (target.ref.name,)})


async def _stored(target: Target, invocation: Invocation, context: Context) -> tuple[str, Read, timedelta | None]:
    """Return what is looked at, in words, all its files, and how old they are where that is known."""
    if target.slug is not None and target.job_number is not None:
        one = Partial([await _of_job(target.slug, target.job_number, context)], [])
        return f"{target.slug} {target.job_number}", one, None
    if target.names_a_build:
        build = await context.circleci.build((await context.finder.pipeline(target, invocation)).id)
    else:
        build = await context.finder.newest_passed(target)
    pipeline = build.pipeline
    jobs = [job.job_number for run in build.real_runs for job in run.jobs if job.job_number is not None]
    read = await whatever_can_be_read(*(_of_job(pipeline.project_slug, number, context) for number in jobs[:MOST_JOBS]))
    ref = pipeline.ref or Ref(name="?")
    title = f"{await context.finder.title(pipeline.project_slug)} {ref} #{pipeline.number}"
    return title, read, build.read_at - pipeline.created_at


async def _of_job(slug: str, number: int, context: Context) -> tuple[Artifact, ...]:
    with known("job", str(number), slug):
        return await context.circleci.artifacts(ProjectSlug(slug), number)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="read")(show_artifacts)
