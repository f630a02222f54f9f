"""What was done, and what was not because something is to be answered first, as agents read it."""

from collections.abc import Sequence

from bot.answers.acts import Acted, NotSentYet
from bot.answers.builds import BuildMeant, Cancellable, CancellableJob, NothingFailed, OldBuild
from bot.answers.questions import BranchIsRed, Question, SecondPerson, StillRuns, ToBeTyped, WhichDefinition
from bot.models.attempt import Attempt
from bot.models.beside import Beside
from bot.models.build import Build, State
from bot.models.pending import Deployment
from formatters.links import Links
from formatters.told.builds import head, newest_first
from formatters.told.words import (
    LISTED,
    Data,
    address,
    call,
    commit_of,
    fitted,
    known,
    listing,
    of_build,
    of_ref,
    person,
    quoted,
    ref_of,
    state_word,
    when,
)

MOST = 8
NOTHING = "Nothing was done"
ENDED = (State.FAILED, State.CANCELED)  # of which all may be wanted again; what passed a person has run again
_HOW = {
    State.WAITING: "waits for its turn",
    State.RUNNING: "still runs",
    State.ON_HOLD: "is on hold",
    State.UNKNOWN: "is in a state that I do not know",
    State.PASSED: "passed",
    State.FAILED: "failed",
    State.CANCELED: "was cancelled",
    State.SUPERSEDED: "was superseded",
    State.COULD_NOT_RUN: "could not run",
}


def acted(answer: Acted, links: Links) -> Data:
    """Return what was done, and on what; of a build how to follow it."""
    number, slug = answer.pipeline_number, answer.project_slug
    return known(
        done=quoted(answer.act.replace("_", " "), 40),
        quoted_project=quoted(answer.project_title),
        **ref_of(answer.ref),
        pipeline=number,
        quoted_what=quoted(answer.what),
        link=address(links.pipeline(slug, number)) if number else "",
        next=[call("follow", project=slug, pipeline=number)] if number else [],
    )


def build_meant(answer: BuildMeant) -> Data:
    """Say that a branch or a tag is deployed, and no build; with the call that means it as it stands now."""
    named = f"pipeline #{answer.number} was named" if answer.number else "no branch was named"
    parameters, definition = dict(answer.parameters), answer.definition
    goes_on = call(
        "deploy",
        "deploys what the branch or tag is now",
        project=answer.project_slug,
        **of_ref(answer.ref),
        parameters=parameters,
        definition=definition,
    )

    return known(
        note=f"{NOTHING}: {named}, and what is deployed is a branch or a tag as it stands now.",
        quoted_project=quoted(answer.title),
        **ref_of(answer.ref),
        **commit_of(answer.revision),
        newest_pipeline=answer.newest_number or None,
        newest_commit=commit_of(answer.newest_revision).get("commit", ""),
        next=[goes_on],
    )


def nothing_failed(answer: NothingFailed, links: Links) -> Data:
    """Say that there are no failed jobs to run again, with the call that runs all of it where it did not pass."""
    build, passed = answer.build, answer.build.state is State.PASSED
    ways = [person(f"runs all of it again: {_rerun_line(build)} all")] if passed else []
    ways = ways or [call("rerun", "all of it", **of_build(build), everything=True)]
    return {
        "note": f"{NOTHING}: it passed." if passed else f"{NOTHING}: no job of it failed that could run again.",
        "quoted_project": quoted(answer.title),
        **head(answer.build, links),
        **known(newer_pipeline=answer.newer_number or None),
        "next": [newest_first(build, answer.newer_number)] if answer.newer_number else ways,
    }


def old_build(answer: OldBuild, links: Links) -> Data:
    """Say that a newer build is there, with the call that means that; the old one only a person can have."""
    newer, whole = answer.newer, answer.act == "rerun_all"
    can_run = newer.state is State.FAILED or (whole and newer.state in ENDED)
    reruns = [call("rerun", "the newest", **of_build(newer), everything=whole or None)] if can_run else []
    how = f"#{newer.pipeline.number} is newer, and {_HOW.get(newer.state, 'has ended')}"
    return {
        "note": f"{NOTHING}: it is not the newest build of its branch or tag. {how}.",
        "quoted_project": quoted(answer.title),
        "named": head(answer.build, links),
        "newest": head(newer, links),
        "next": [
            *reruns,
            person(f"runs the old one again: {_rerun_line(answer.build)}{' all' if whole else ''}"),
        ],
    }


def _rerun_line(build: Build) -> str:
    return f"/ci rerun {build.pipeline.project_slug} #{build.pipeline.number}"


def cancellable(answer: Cancellable, links: Links) -> Data:
    """Say that it is not clear which build is meant, with those that run; or that none does."""
    running = [build for build in answer.builds if build.can_be_cancelled]
    why = "several builds run: name one by its `pipeline`" if running else f"none of {len(answer.builds)} builds runs"
    why = "name the build by its `pipeline`, or its branch" if len(running) == 1 else why

    def made(room: int) -> Data:
        shown = listing("running", running, min(room, MOST), lambda one: head(one, links))
        calls = [call("cancel", **of_build(one)) for one in running[: min(room, 3)]]
        return {"note": f"{NOTHING}: {why}.", "quoted_project": quoted(answer.title), **shown, **known(next=calls)}

    return fitted(made, LISTED)


def cancellable_job(answer: CancellableJob) -> Data:
    """Say that agents cancel builds, with the call for the build of that job."""
    named = answer.pipeline
    calls = [call("cancel", "its whole build", project=answer.project_slug, pipeline=named.number)] if named else []
    return known(
        note=f"{NOTHING}: agents ask for whole builds to be cancelled.",
        quoted_project=quoted(answer.title),
        quoted_job=quoted(answer.job.name),
        job=answer.job.number,
        status=quoted(answer.job.status, 40),
        next=[*calls, person(f"cancels the job alone: /ci cancel {answer.project_slug} {answer.job.number}")],
    )


def not_sent_yet(answer: NotSentYet) -> Data:
    """Say that deploys wait for their turn: they are no builds yet."""

    def made(room: int) -> Data:
        shown = listing("not_sent_yet", answer.deploys, min(room, MOST), _unsent)
        note = f"{NOTHING}: these deploys wait for their turn at CircleCI, and are no builds yet."
        return {"note": note, **shown, "next": [person("takes one back: /ci cancel, in Slack")]}

    return fitted(made, LISTED)


def _unsent(one: Attempt) -> Data:
    return known(quoted_project=quoted(one.project_title), **ref_of(one.ref), asked=when(one.asked_at))


def question(answer: Question, links: Links) -> Data:
    """Return what has to be answered first, and by whom."""
    pending = answer.pending

    def made(room: int) -> Data:
        return {
            "note": _NOTES.get(type(answer), "It waits for an answer in Slack."),
            "of": quoted(pending.id),
            "quoted_target": quoted(pending.target, 160),
            **known(until=when(pending.expires_at)),
            **_details(answer, room, links),
        }

    return fitted(made, LISTED)


_NOTES: dict[type[Question], str] = {
    WhichDefinition: "Nothing is started: choose a pipeline definition.",
    BranchIsRed: "Nothing is started: the branch is not green, and the policy wants it so.",
    StillRuns: "Nothing is started: another deploy of the same may still run.",
    ToBeTyped: "Nothing is started: the policy wants the branch or tag typed once more.",
    SecondPerson: "It waits for a person, who is asked in Slack.",
}


def _details(answer: Question, room: int, links: Links) -> Data:
    match answer:
        case WhichDefinition():
            return _definitions(answer, room)
        case BranchIsRed():
            return _red(answer, room, links)
        case StillRuns():
            return _beside(answer, room)
        case ToBeTyped():
            return {"next": [person("types it, where it is asked in Slack")]}
        case _:
            return {"next": [call("follow", of=answer.pending.id)]}


def _definitions(answer: WhichDefinition, room: int) -> Data:
    names = [one.name for one in answer.definitions]
    return {**listing("quoted_definitions", names, min(room, MOST), quoted), "next": _with_definition(answer, names)}


def _with_definition(answer: WhichDefinition, names: Sequence[str]) -> list[Data]:
    wish = answer.pending.wish
    if not isinstance(wish, Deployment):
        return [person("chooses one, where it is asked in Slack")]
    named = next((one for one in names if len(one) <= 100), "")
    return [call("deploy", "or another `definition`", project=wish.project_slug, **of_ref(wish.ref), definition=named)]


def _red(answer: BranchIsRed, room: int, links: Links) -> Data:
    build = None if answer.is_hidden else answer.build
    who = listing("quoted_who_could", answer.could, min(room, 5), lambda one: quoted(one, 60)) if answer.could else {}
    told = {"newest": head(build, links)} if build else {}
    looks = [call("triage", **of_build(build))] if build else []
    return {**told, **who, "next": [*looks, person("who may approve says in Slack that it is deployed all the same")]}


def _beside(answer: StillRuns, room: int) -> Data:
    shown = listing("may_still_run", answer.others, min(room, MOST), _other)
    numbers = [one.asked.pipeline_number for one in answer.others if one.asked.pipeline_number]
    slug = answer.pending.wish.project_slug
    follows = [call("follow", project=slug, pipeline=numbers[0])] if numbers else []
    return {**shown, "next": [*follows, person("who asks says in Slack that it may run beside that")]}


def _other(one: Beside) -> Data:
    asked = one.asked
    return known(
        pipeline=asked.pipeline_number,
        quoted_asked_by=quoted(asked.asker_name or asked.asker_id, 60),
        asked=when(asked.asked_at),
        state=state_word(one.state),
    )
