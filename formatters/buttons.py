"""The buttons of a build, each with the dialog that says what will happen, and to what."""

import json
from collections.abc import Iterable, Iterator

from bot.actions import ApproveJob, ButtonAction, CancelPipeline, RerunAll, RerunFailed, ShowArtifacts
from bot.models import spelling
from bot.models.build import Build, Run, State
from bot.models.circleci import Job, Pipeline, Ref
from bot.models.slack import Watch
from formatters.again import act_button, asks_again, command
from formatters.blocks import MAX_BUTTONS, MAX_PAYLOAD, MAX_SECTION, Block, button
from formatters.dialogs import asks_of_build

JOBLESS_RED = ("error", "unauthorized")
ROOM = MAX_PAYLOAD - MAX_SECTION - 500  # of one message, beside a paragraph


def that_fit(made: Iterable[Block]) -> list[Block]:
    """Return the first buttons that fit into one message beside its text."""
    kept, room = list[Block](), ROOM
    for one in made:
        room -= len(json.dumps(one, ensure_ascii=False))
        if room < 0 or len(kept) == MAX_BUTTONS:
            break
        kept.append(one)
    return kept


def outcome_buttons(
    build: Build, watch: Watch, state: State, *, rerun_is_main: bool = False, newer: int = 0
) -> Iterator[Block]:
    """Yield what to press after the end: nothing is to be repaired in what passed; `newer` is a newer build."""
    if state is State.PASSED:
        if watch.closing is None or watch.closing.has_files:
            yield button(ShowArtifacts(pipeline_id=watch.pipeline_id), "Artifacts")
    elif _ran_nothing(build):
        if not _fails_again(build) and (again := _deploy_again(watch)):
            yield again
    elif state is not State.SUPERSEDED:
        if state is State.FAILED:
            failed = RerunFailed(pipeline_id=build.pipeline.id, attempt=build.mark, newer=newer)
            yield rerun_failed_button(build, watch.project_title, failed, style="primary" if rerun_is_main else None)
        if not any(run.workflow.status == "unauthorized" for run in build.real_runs):
            all_of_it = RerunAll(pipeline_id=build.pipeline.id, attempt=build.mark, newer=newer)
            yield rerun_all_button(build, watch.project_title, all_of_it)


def _deploy_again(watch: Watch) -> Block | None:
    line = spelling.deploy(watch.project_slug, watch.ref, watch.parameters, watch.definition)
    about = f"Project {watch.project_title}" + (f", {watch.ref.kind} {watch.ref.name}" if watch.ref else "")
    return act_button(line, f"Deploy {watch.ref} again" if watch.ref else "Deploy again", about)


def to_be_typed(build: Build, watch: Watch, state: State) -> str:
    """Say how the same is deployed once more, where no button does: its dialog has no room, or it would fail again."""
    if state is State.PASSED or not _ran_nothing(build):
        return ""
    line = spelling.deploy(watch.project_slug, watch.ref, watch.parameters, watch.definition)
    if _fails_again(build):
        return f"Once it is pushed, {shown} deploys it." if (shown := command(line)) else ""
    return "" if _deploy_again(watch) else asks_again(line)


def _ran_nothing(build: Build) -> bool:
    return not build.runs or build.only_setup or build.ran_none


def _fails_again(build: Build) -> bool:
    """Say whether it surely fails again as it stands: its configuration cannot be read."""
    return any(error.type == "config" for error in build.pipeline.errors)


def rerun_failed_button(
    build: Build, project_title: str, press: RerunFailed, *, label: str = "Rerun failed", style: str | None = None
) -> Block:
    """Return *Rerun failed*, which asks first."""
    pipeline, opened = build.pipeline, ", open to SSH" if press.ssh else ""
    of = f" of {', '.join(short(one, 60) for one in press.workflows)}" if press.workflows else ""
    text = f"{_named(pipeline, project_title)}: the failed jobs{of} run again{opened}, and the jobs after them."
    text += newer_build(press.newer)
    # Of what CircleCI did not even begin no job failed: the workflow itself did, and runs whole.
    whole = [
        short(run.workflow.name, 60)
        for run in build.part(press.workflows).real_runs
        if run.workflow.status in JOBLESS_RED
    ]
    text += f" What never began runs whole: {', '.join(whole)}." if whole else ""
    return _rerun(press, label, text, pipeline, style=style)


def rerun_all_button(build: Build, project_title: str, press: RerunAll, *, label: str = "Rerun all") -> Block:
    """Return *Rerun all*, which asks first."""
    text = f"{_named(build.pipeline, project_title)}: all jobs run again.{newer_build(press.newer)}"
    return _rerun(press, label, text, build.pipeline)


def _rerun(action: ButtonAction, label: str, text: str, pipeline: Pipeline, *, style: str | None = None) -> Block:
    sure = asks_of_build(f"{label}?", text, label.partition(" of ")[0], "Not now", str(pipeline.ref or ""))
    return button(action, label, style=style, confirm=sure)


def _named(pipeline: Pipeline, project_title: str) -> str:
    """Return what a dialog calls a build; each name is foreign, and escaped where the dialog is made."""
    ref = pipeline.ref
    kind = "tag " if ref and ref.is_tag else ""
    return f"{short(project_title, 80)} {kind}{short(ref.name if ref else '', 80)}".rstrip() + f" #{pipeline.number}"


def newer_build(number: int) -> str:
    """Say that there is a newer build of the same branch or tag; empty text for none."""
    return f" There is a newer build: #{number}." if number else ""


def short(name: str, limit: int) -> str:
    """Return a name; of one that has no room the beginning and the end, which tells it from others."""
    return name if len(name) <= limit else f"{name[: limit * 2 // 3 - 1]}…{name[-(limit // 3) :]}"


def cancel_button(
    pipeline_id: str,
    number: int,
    project_title: str,
    ref: Ref | str | None,
    *,
    reruns: int | None = None,
    newer: int = 0,
) -> Block:
    """Return *Cancel #2417*, which asks first."""
    label = f"Cancel #{number}"
    where = f" {short(str(ref), 100)}" if ref else ""
    text = f"Every unfinished workflow of {short(project_title, 80)}{where} #{number} is cancelled.{newer_build(newer)}"
    sure = asks_of_build(f"{label}?", text, label, "Keep it running", project_title, str(ref or ""))
    return button(CancelPipeline(pipeline_id=pipeline_id, reruns=reruns), label, style="danger", confirm=sure)


def approve_button(
    job: Job, run: Run, build: Build, project_title: str, *, number: bool = False, newer: int = 0
) -> Block:
    """Return *Approve hold-prod*, which asks first, with the target and what it starts; or *… of #2417*."""
    pipeline = build.pipeline
    action = ApproveJob(
        pipeline_id=pipeline.id,
        workflow_id=run.workflow.id,
        approval_request_id=job.approval_request_id or job.id,
        job_name=job.name[:100],
        newer=newer,
    )
    starts = f" It starts {', '.join(starting(job, run))}." if starting(job, run) else ""
    commit = f" at {pipeline.revision[:7]}" if pipeline.revision else ""
    named = build.called(job, run)
    text = f"{short(named, 80)} of {_named(pipeline, project_title)}{commit} goes on.{newer_build(newer)}{starts}"
    names = job.name, run.workflow.name, str(pipeline.ref or "")
    sure = asks_of_build("Approve?", text, "Approve", "Not now", *names)
    label = f"Approve {short(named, 54)} of #{pipeline.number}" if number else f"Approve {short(named, 67)}"
    return button(action, label, style="primary", confirm=sure)


def starting(job: Job, run: Run, most: int = 3) -> list[str]:
    """Return the names of what waits for an approval alone, the first few, and how many more there are."""
    names = [short(one.name, 60) for one in run.jobs if job.id in one.dependencies]
    return names[:most] + ([f"{len(names) - most} more"] if len(names) > most else [])
