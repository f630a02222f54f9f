"""Why a build did not run, or has nothing to show (yet), by what CircleCI says."""

from collections.abc import Iterator, Sequence

from bot.models.build import Build, State
from bot.models.circleci import Job
from formatters.blocks import Block, code_block, context, fitting, section
from formatters.refusals import next_step
from formatters.words import count, listed

MOST_LINES, ROOM, MOST_NAMED = 30, 1800, 15
REPAIR = "Push a repaired configuration: the same commit fails again."
NO_WORKFLOW = (
    "CircleCI took the pipeline, but no workflow matched this branch or tag. "
    "Look at the filters and `when` conditions in the project's configuration."
)

_OPEN = {
    State.WAITING: "waits for its turn",
    State.RUNNING: "still runs",
    State.ON_HOLD: "waits for an approval, and has not ended",
    State.UNKNOWN: "is in a state that I do not know",
}


def why(build: Build) -> str:
    """Return in a few words why a build could not run."""
    if build.pipeline.errors or build.is_refused:
        went_on = "what its setup workflow went on with" if build.only_setup else "its configuration"
        return f"CircleCI found an error in {went_on}"
    if not build.runs:
        return "no workflow matched"
    if build.ran_none:
        return "none of its workflows was to run"
    if build.only_setup:
        return "nothing came after its setup workflow"
    if any(run.workflow.status == "unauthorized" for run in build.real_runs):
        return "a context refuses my token's user"
    return "CircleCI reports an error"


def stored_nothing(title: str, build: Build, what: str) -> str:
    """Say of a build without any of `what` why that is no wonder; empty text where nothing explains it."""
    if build.state in _OPEN and not build.never_began:
        return f"{title} {_OPEN[build.state]}: no {what} are there so far."
    if build.outcome is State.COULD_NOT_RUN:
        return f"{title} could not run: {why(build)}. It stored no {what}."
    failed = [job.name for run in build.real_runs for job in run.failed_jobs if job.job_number is None]
    if not failed:
        return ""
    which = f"{listed(failed, 3)} failed, and CircleCI gives {'it' if len(failed) == 1 else 'them'} no number"
    return f"{title}: {which}, without which I find no {what}. Its page may have them."


def which_job(build: Build, workflow: str = "") -> str:
    """Ask which job of a build, or of this workflow of it, is meant, with what there is so far.

    The names are foreign, and in code spans.
    """
    number = f"{_plain(workflow)} of #{build.pipeline.number}" if workflow else f"#{build.pipeline.number}"
    jobs = [job for run in build.real_runs for job in run.jobs if not job.is_approval]
    numbered = [job for job in jobs if job.job_number is not None]
    failed = [job for job in jobs if job.is_failed]
    is_open = build.state in _OPEN and not build.never_began
    if not numbered and not failed:
        if is_open:
            return f"{number} {_OPEN[build.state]}: no job of it has begun."
        stands = f"could not run: {why(build)}" if build.outcome is State.COULD_NOT_RUN else "has ended"
        return f"{number} {stands}. No job of it ran."
    if is_open and not failed:
        return f"{number} {_OPEN[build.state]}: none of its jobs has failed so far. Which one? {_by_number(numbered)}."
    if not failed:
        return f"No job of {number} failed. Which one? {_by_number(numbered)}."
    with_number = [job for job in failed if job.job_number is not None]
    if not with_number:
        return f"{_by_number(failed)} of {number} failed, and CircleCI gives no number: its page may have more."
    return f"{len(failed)} jobs of {number} failed. Which one? {_by_number(with_number)}."


def _by_number(jobs: Sequence[Job]) -> str:
    """Return the names of jobs as they are typed, the first ones, each with its number."""
    shown = [f"{_plain(job.name)} `{job.job_number}`" if job.job_number else _plain(job.name) for job in jobs]
    return ", ".join(shown[:MOST_NAMED]) + (f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else "")


def _plain(name: str) -> str:
    return "`" + " ".join(name.replace("`", "ˋ").split())[:60] + "`"


def details(build: Build) -> Iterator[Block]:
    """Yield what CircleCI says about it, or what can be done."""
    errors = build.pipeline.errors
    if errors:
        lines = [line for error in errors for line in f"{error.type}: {error.message}".splitlines()]
        shown = lines[: min(MOST_LINES, fitting([line[:300] for line in lines], ROOM))]
        yield section(code_block(shown or lines[:1]))
        if left_out := len(lines) - max(len(shown), 1):
            yield context(f"and {count(left_out, 'more line')}, on CircleCI's page.")
        step = next((step for one in errors if (step := next_step(one.message))), "")
        if step or any(error.type == "config" for error in errors):
            yield section(step or REPAIR)
    elif not build.runs or build.ran_none:
        yield section(NO_WORKFLOW)
    elif build.only_setup:
        yield section("Look at the step that goes on with the configuration: it started no workflow.")
    elif any(run.workflow.status == "unauthorized" for run in build.real_runs):
        yield section(_unauthorized(build))


def _unauthorized(build: Build) -> str:
    refused = [run.workflow.name for run in build.real_runs if run.workflow.status == "unauthorized"]
    which = f"{'Workflow' if len(refused) == 1 else 'Workflows'} {listed(refused, 10)} did not go on."
    return f"{which} Rerunning with the same token cannot help: somebody with access to the context must start it."
