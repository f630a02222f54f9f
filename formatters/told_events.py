"""What a channel reads of a single build beside how its branch stands: it waits, was deployed, is slow, or is flaky."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from bot.models.build import Build, Change, State
from bot.models.circleci import Job, JobId
from bot.models.occasions import Failure, Hold, Slow
from formatters.blocks import Message, actions, assemble, clean, context, fit, link, literal, section
from formatters.buttons import approve_button, starting, that_fit
from formatters.links import Links
from formatters.red import NO_RULE, Seen, about, pings
from formatters.words import branch_words, count, duration, listed

MOST_NAMED, MOST_TOLD = 5, 3  # tests that failed alike, and of such groups
NOBODY: Mapping[JobId, str] = {}


def deployed(branch: str, *, seen: Seen, jobs: Sequence[Job], is_apart: bool) -> Message:
    """Say that the jobs that deploy have passed, and how the build ended where that is not all."""
    names = list(dict.fromkeys(job.name for job in jobs))
    how = f"{listed(names)} passed"
    how += "" if seen.build.state is State.PASSED else f", though {_ended(seen.build)}"
    return _told("🚀", branch, seen, "Deployed", how, is_apart=is_apart)


def slow(branch: str, *, seen: Seen, found: Slow, is_apart: bool) -> Message:
    """Say how long it took, and how long it takes as a rule."""
    usual = f"the median of the last {found.builds} that passed is {duration(found.usual)}"
    return _told("🐢", branch, seen, "Slow", f"passed in {duration(found.now)}; {usual}", is_apart=is_apart)


def flaky(branch: str, *, seen: Seen, tests: Sequence[Failure], is_apart: bool) -> Message:
    """Name the tests that failed and passed on one commit, each with its job, and in which build it failed."""
    groups = [*_alike(tests, seen.build.pipeline.number)]
    more = [f"and {count(left, 'more case')}"] if (left := len(groups) - MOST_TOLD) > 0 else []
    how = "; ".join([*groups[:MOST_TOLD], *more])
    return _told("🎲", branch, seen, count(len(tests), "flaky test"), how, is_apart=is_apart)


def _alike(tests: Sequence[Failure], number: int) -> Iterator[str]:
    """Yield what is said of the tests of one job that failed in the same build."""

    def where(one: Failure) -> tuple[int, str, str]:
        return one.number, one.workflow, one.job

    for (failed_in, _, job), found in groupby(sorted(tests, key=where), where):
        names = listed([one.name for one in found], MOST_NAMED)
        failed = f"failed in #{failed_in}, and passed in #{number}" if failed_in != number else "failed, and passed"
        yield f"{names} {failed} on the same commit ({literal(job, 80)})"


def waiting(
    branch: str,
    *,
    seen: Seen,
    found: Sequence[Change],
    is_apart: bool,
    mentioned: Sequence[str] = (),
    by: Mapping[JobId, str] = NOBODY,
) -> Message:
    """Say what waits for an approval, to be pressed by who may give it, or what became of it and `by` whom."""
    runs, build = {run.workflow.id: run for run in seen.build.runs}, seen.build
    buttons = that_fit(
        approve_button(one.job, runs[one.workflow.id], build, seen.title)
        for one in found
        if one.job and one.job.waits_for_approval and one.workflow.id in runs
    )
    head, called = f"{_where(branch, seen)} · " if is_apart else "", pings(mentioned)
    return assemble(
        f"{clean(branch_words(branch), name=True)} of {clean(seen.title)} #{build.pipeline.number}: {_plain(found)}.",
        section(f"{fit([_line(change, seen, head, by) for change in found], 2800 - len(called))}{called}"),
        context(about(seen)),
        actions(*buttons) if buttons else None,
    )


def forsaken(hold: Hold, title: str, links: Links) -> Message:
    """Return what is left of a message about what waits once no subscription of its channel is about that any more."""
    names = [one.job.name for one in hold.changes if one.job and one.job.waits_for_approval]
    number = link(links.pipeline(hold.project_slug, hold.number), f"#{hold.number}")
    why, where = f"{NO_RULE}, so I do not say what became of it.", clean(branch_words(hold.branch), name=True)
    waited = f"{listed(names)} waited for an approval"
    return assemble(
        f"{where} of {clean(title)} #{hold.number}: {waited}. {why}",
        section(f"🔕 *{literal(branch_words(hold.branch), name=True)}* · {literal(title)} · {number} · {waited}."),
        context(why),
    )


def _line(change: Change, seen: Seen, head: str, by: Mapping[JobId, str]) -> str:
    job, build = change.job, seen.build
    if job is None:
        return literal(change.workflow.name, 80)
    url = seen.links.job(build.pipeline.project_slug, build.pipeline.number, change.workflow.id, job.job_number)
    what, workflow = link(url, job.name, 100), literal(change.workflow.name, 80)
    if not job.waits_for_approval:
        by_whom = f" by {literal(by[job.id], 60)}" if job.id in by else ""
        become = f"was approved{by_whom}" if job.status == "success" else "waits for no approval any more"
        return f"{'✅' if job.status == 'success' else '⏹️'} {head}{what} {become} ({workflow})."
    run = next((run for run in build.runs if run.workflow.id == change.workflow.id), None)
    names = starting(job, run) if run else []
    starts = f" It would start {', '.join(literal(name, 80) for name in names)}." if names else ""
    return f"⏸️ {head}*Waiting for approval*: {what} ({workflow}).{starts}"


def _plain(found: Sequence[Change]) -> str:
    names = [clean(one.job.name, 100) for one in found if one.job and one.job.waits_for_approval]
    if names:
        return f"{', '.join(names)} {'waits' if len(names) == 1 else 'wait'} for an approval"
    return "nothing waits for an approval any more"


def _ended(build: Build) -> str:
    """Return how all of a build ended of which a part passed."""
    match build.state:
        case State.FAILED | State.ON_HOLD:
            return "the build failed"
        case State.CANCELED | State.SUPERSEDED:
            return "the build was cancelled"
    return "not all of the build could run"


def _where(branch: str, seen: Seen) -> str:
    return f"*{literal(branch_words(branch), name=True)}* · {literal(seen.title)}"


def _told(mark: str, branch: str, seen: Seen, what: str, how: str, *, is_apart: bool) -> Message:
    head = f"{_where(branch, seen)} · " if is_apart else ""
    plain = (
        f"{clean(branch_words(branch), name=True)} of {clean(seen.title)} #{seen.build.pipeline.number}: {what}: {how}."
    )
    return assemble(plain, section(f"{mark} {head}*{what}*: {how}."), context(about(seen)))
