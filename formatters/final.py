"""The one final reply: what happened in the end, the evidence, what to press next."""

from collections.abc import Iterator
from typing import NamedTuple

from bot.actions import ShowLog, ShowTests
from bot.answers.builds import BuildTriaged
from bot.models.build import Build, Report, State
from bot.models.caller import Place
from bot.models.circleci import Job, Ref
from bot.models.history import Advice
from bot.models.slack import CANCELLED, Watch
from bot.triage.diagnosis import Triage
from formatters import verdicts
from formatters.again import MENTION, as_spoken
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    link,
    link_button,
    literal,
    mention,
    section,
)
from formatters.buttons import newer_build, outcome_buttons, to_be_typed
from formatters.closing import tests_failed
from formatters.links import Links
from formatters.report import all_fit, artifact_line, evidence
from formatters.stopped import details, why
from formatters.words import MARKS, count, listed, ref_words, took

FEW = 3  # jobs that are named where it is said that they failed
# Statuses of jobs that no change of code can be blamed for.
INFRASTRUCTURE = frozenset({"infrastructure_fail", "terminated-unknown"})


class About(NamedTuple):
    """Which build is told of, in words, and the number of a newer one of its branch or tag.

    It may be told `in_a_thread` of its own, and be read elsewhere as well.
    """

    words: str
    newer: int = 0
    in_a_thread: bool = False


def final(
    build: Build,
    report: Report | None,
    watch: Watch,
    links: Links,
    triage: Triage | None = None,
    *,
    comparing: bool = False,
    about: About | None = None,
) -> Message:
    """Return the final reply, which stands in a thread; it mentions who acted last and who asked, once.

    While it is `comparing`, the verdicts of `triage` are still to come. A rerun that failed exactly as the run before
    it, which the thread has seen, is told in a line. `about` says which build it is, where no thread does.
    """
    state = build.outcome
    what = f"{clean(watch.project_title)} {ref_words(build.pipeline.ref or watch.ref, build)}"
    outcome, rest = _headline(build, report, watch, state)
    mark = MARKS[state].partition(" ")[0]
    again = _failed_again(build, report, watch, state)
    told = assemble(
        f"{what}: {outcome[:1].lower()}{outcome[1:]}{rest}",
        section(f"*{mark} {outcome}*{rest}{_ping(build, watch, state)}"),
        context(about.words) if about else None,
        section(again) if again else None,
        *verdicts.summary(triage, build, links),
        *([] if again else _body(build, report, state, links, triage)),
        *_compared(state, triage, comparing=comparing),
        section(line) if (line := to_be_typed(build, watch, state)) else None,
        _buttons(build, report, watch, state, triage, links, newer=about.newer if about else 0),
    )
    return told if about and not about.in_a_thread else as_spoken(told, MENTION)


def for_the_channel(build: Build, watch: Watch, links: Links) -> About:
    """Return which build it is, for those who read the reply of its thread in the channel."""
    return About(_which(build, watch.project_title, watch.ref, links), in_a_thread=True)


def is_repeated(build: Build, report: Report | None, watch: Watch) -> bool:
    """Say whether a rerun failed exactly as the attempt before it, of which the thread has been told."""
    return bool(_failed_again(build, report, watch, build.outcome))


def triaged(answer: BuildTriaged, links: Links) -> Message:
    """Return the final reply of any build, for one person: whoever asks need not be pinged."""
    pipeline = answer.build.pipeline
    nobodys = Watch(
        id="",
        pipeline_id=pipeline.id,
        pipeline_number=pipeline.number,
        project_slug=pipeline.project_slug,
        project_title=answer.title,
        ref=pipeline.ref,
        thread=Place(channel_id=""),
        asked_at=answer.build.read_at,
    )
    about = _which(answer.build, answer.title, None, links)
    about += f" ·{newer_build(answer.newer_number)}" if answer.newer_number else ""
    return final(answer.build, answer.report, nobodys, links, answer.triage, about=About(about, answer.newer_number))


def _which(build: Build, title: str, ref: Ref | None, links: Links) -> str:
    pipeline = build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    return f"{literal(title)} · {ref_words(pipeline.ref or ref, build)} · {number}"


def _failed_again(build: Build, report: Report | None, watch: Watch, state: State) -> str:
    """Return one line for a rerun that failed exactly as the attempt before it."""
    rerun = any(run.attempt > 1 for run in build.real_runs)
    signature = report.signature if report else ""
    if state is not State.FAILED or report is None or not rerun or not signature or watch.failure_before != signature:
        return ""
    failed = f"the same {count(report.tests_failed, 'test')} failed" if report.tests_failed else _the_same(report)
    return f"Exactly as the attempt before it: {failed}. The reply above has the details."


def _the_same(report: Report) -> str:
    return "the same step failed" if all(job.step for job in report.jobs) else "CircleCI gives the same reason"


def _compared(state: State, triage: Triage | None, *, comparing: bool) -> Iterator[Block]:
    if state is State.FAILED and triage is not None:
        yield verdicts.extent_line(triage)
    elif state is State.FAILED and comparing:
        yield verdicts.comparing()


def _ping(build: Build, watch: Watch, state: State) -> str:
    """Return the mention of who acted last, and that of who asked for it here, if that is somebody else; then others.

    Who asked for it elsewhere is mentioned there, and has but a name here, unless it was cancelled.
    Nobody waits for the end of what was over when they asked; nor, but for who asked for it, of what a newer pipeline
    has replaced.
    """
    if state is State.SUPERSEDED and not watch.asker_id:
        return ""
    if watch.known_end == build.fingerprint or not watch.waits_for_it:
        return ""
    asked_by_another = watch.asker_id and watch.waits_for_it != watch.asker_id
    was_here = watch.follower_id == watch.asker_id or _was_cancelled(watch, state)
    asker = mention(watch.asker_id) if was_here else literal(watch.asker_name, 60)
    asked = f" (asked by {asker})" if asked_by_another and asker else ""
    others = [one for one in watch.wait_for_it[1:] if one != watch.asker_id]
    return " ".join([f" {mention(watch.waits_for_it)}{asked}", *map(mention, others)])


def _was_cancelled(watch: Watch, state: State) -> bool:
    """Say whether it was cancelled by somebody who had us do it."""
    return state is State.CANCELED and watch.acted == CANCELLED and bool(watch.actor_name)


def _headline(build: Build, report: Report | None, watch: Watch, state: State) -> tuple[str, str]:
    """Return what happened, for the eye to find, and the rest of its sentence."""
    time = took(build)
    match state:
        case State.PASSED:
            return f"Passed in {time}", f"{_attempt(build)}."
        case State.FAILED:
            return f"Failed after {time}", f"{_attempt(build)}: {what_failed(build, report)}."
        case State.CANCELED:
            is_anothers = _was_cancelled(watch, state) and watch.actor_name != watch.asker_name
            by = f" by {literal(watch.actor_name, 100)}" if is_anothers else ""
            return f"Cancelled after {time}", f"{by}."
        case State.SUPERSEDED:
            return f"Superseded by the newer pipeline #{build.superseded_by}", " on the same branch."
        case _:
            return "Could not run", f": {why(build)}."


def _attempt(build: Build) -> str:
    """Return which attempt it was that ended so, where it was not the first: the time is its own."""
    newest = max((run.attempt for run in build.real_runs), default=1)
    return f" (attempt {newest})" if newest > 1 else ""


def what_failed(build: Build, report: Report | None) -> str:
    """Return which jobs failed, by name where they are few, and how many tests."""
    red = [run for run in build.real_runs if run.failed_jobs]
    jobs, tests = [job.name for run in red for job in run.failed_jobs], tests_failed(report)
    workflows = listed([run.workflow.name for run in red or build.real_runs])
    many = f"{count(len(jobs), 'job')} of {workflows}" if jobs else workflows
    # Many names say less than how many there are: they stand below.
    return (listed(jobs) if 0 < len(jobs) <= FEW else many) + (f" · {tests}" if tests else "")


def _body(build: Build, report: Report | None, state: State, links: Links, triage: Triage | None) -> Iterator[Block]:
    if state is State.FAILED and report is not None:
        if triage is None or triage.problem:
            yield from _infrastructure(build)
        yield from evidence(report, triage)
    elif state is State.PASSED and report is not None:
        if line := artifact_line(report.artifacts, more=report.more_artifacts):
            yield section(line)
    elif state is State.SUPERSEDED and build.superseded_by is not None:
        newer = f"#{build.superseded_by}"
        url = links.pipeline(build.pipeline.project_slug, build.superseded_by)
        follow = code(f"/ci watch {build.pipeline.project_slug} {newer}")
        yield section(f"{follow} follows it here, and CircleCI shows {link(url, newer)}.")
    elif state is State.COULD_NOT_RUN:
        yield from details(build)
    if report is not None and report.artifacts_problem:
        yield context(clean(f"About the artifacts: {report.artifacts_problem}.", 600))


def _infrastructure(build: Build) -> Iterator[Block]:
    jobs = [job for run in build.real_runs for job in run.failed_jobs]
    lost: list[Job] = [job for job in jobs if job.status in INFRASTRUCTURE]
    late: list[Job] = [job for job in jobs if job.status == "timedout"]
    if lost:
        yield section(f"CircleCI lost the machine of {listed([job.name for job in lost])}. A rerun is worth trying.")
    if late:
        yield section(f"{listed([job.name for job in late])} timed out. A rerun may help.")


def _buttons(
    build: Build,
    report: Report | None,
    watch: Watch,
    state: State,
    triage: Triage | None,
    links: Links,
    *,
    newer: int,
) -> Block | None:
    """Return what to press, what the evidence supports first."""
    advice = triage.advice if triage else Advice.LOOK
    made = list(_main_button(build, triage, links))
    if state is not State.PASSED:
        made += outcome_buttons(build, watch, state, rerun_is_main=advice is Advice.RERUN, newer=newer)
    if report is not None and not all_fit(report, triage):
        everything = ShowTests(pipeline_id=watch.pipeline_id, attempt=build.mark)
        label = "Show more failures" if report.more_tests else f"Show all {report.tests_failed} failures"
        made.append(button(everything, label))
    if state is State.FAILED:
        is_main = triage is not None and triage.attempts > 1 and advice is Advice.LOOK
        log = ShowLog(pipeline_id=watch.pipeline_id, attempt=build.mark)
        made.append(button(log, "Show log", style="primary" if is_main else None))
    return actions(*made) if made else None


def _main_button(build: Build, triage: Triage | None, links: Links) -> Iterator[Block]:
    if triage is None:
        return
    url = links.commit(build.pipeline)
    if triage.advice is Advice.OPEN_COMMIT and url:
        yield link_button(url, "Open the commit", style="primary")
    if triage.advice is Advice.WAIT and triage.wait_for:
        url = links.pipeline(build.pipeline.project_slug, triage.wait_for)
        yield link_button(url, f"Open #{triage.wait_for}, which broke {triage.extent.base}", style="primary")
