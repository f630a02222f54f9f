"""What a build that is over means for its branch, as a channel knows it, and whether the channel is told. Pure.

Builds end in any order, and are run again: a channel's last word is about the newest one, and no end is told twice.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.models.build import OPEN_STATES, Build, Run, State, mark_of
from bot.models.circleci import Job
from bot.models.red import Branch
from bot.models.subscription import Event
from bot.models.told import Reason, Why

OF_BRANCH = "branch"  # the kind of a post
_SAID, _PASSED, _HELD = ":said", ":passed", ":held"
_GOOD = frozenset({"success", "not_run", "on_hold"})
MOST_TOLD = 50  # builds of a branch that stays red, of which it is known that they were counted
_ERRORS = frozenset({"error", "unauthorized"})
# Who wants the one is told the other: each that breaks it, or leaves it red, has failed.
_ALSO = {Event.BROKE: Event.FAILED, Event.STILL_RED: Event.FAILED, Event.FIXED: Event.PASSED}


class Decision(NamedTuple):
    """What `happened`, None for no news; whether a channel is to be told; and how the branch stands from now on.

    What happened to an older build than the channel knows `is_late`: it says nothing of how the branch stands.
    """

    happened: Event | None
    is_told: bool
    state: Branch
    is_late: bool = False


def decide(state: Branch, build: Build, wanted: Collection[Event]) -> Decision:
    """Return what the end of a build is to a channel that wants to be told these events.

    One that was cancelled, replaced by a newer one, or that ran nothing is no news. One that is older than what the
    channel knows is none of the branch, but one to whoever wants to hear of each build.
    """
    red = False if has_repaired(build, state) else is_red(build)
    if red is None or is_judged(build, state) or _is_outdated(build, state):
        return Decision(None, False, state)
    if build.pipeline.number < state.number:
        happened = Event.FAILED if red else Event.PASSED
        return Decision(happened, happened in wanted, _after_older(state, build, is_red=red), is_late=True)
    happened = _happened(state, is_red=red)
    is_told = is_wanted(happened, wanted) or _is_first_heard(happened, state, wanted)
    after = _after(state, build, is_red=red)
    if red:
        after = after.model_copy(update={"was_said": is_told or state.is_told_red})
    return Decision(happened, is_told, after)


def is_wanted(happened: Event, wanted: Collection[Event]) -> bool:
    """Say whether somebody who wants these events is told what happened."""
    return happened in wanted or _ALSO.get(happened) in wanted


def _is_first_heard(happened: Event, state: Branch, wanted: Collection[Event]) -> bool:
    """Say whether who asks to hear that a branch broke hears only now that it is red: it was so before they asked."""
    return happened is Event.STILL_RED and not state.is_told_red and is_wanted(Event.BROKE, wanted)


def wanted_by_both(one: Collection[Event], other: Collection[Event]) -> list[Event]:
    """Return what both want to be told, but what is told with another of these anyway."""
    both = [event for event in Event if is_wanted(event, one) and is_wanted(event, other)]
    return [event for event in both if _ALSO.get(event) not in both]


def is_red(build: Build) -> bool | None:
    """Say whether a build that is over leaves its branch red, or green; None where it says neither."""
    match build.state:
        case State.PASSED:
            return False
        case State.FAILED:
            return True
        case State.ON_HOLD if build.has_failed_on_hold:
            return True  # whatever becomes of what waits for a person
        case State.COULD_NOT_RUN if build.is_refused or build.pipeline.errors or _has_errors(build):
            return True
    return None


def was_there(state: Branch, build: Build) -> Branch:
    """Return a branch with a build that had ended before a channel subscribed: it stands so, and nothing is told.

    They are looked at in any order, so that the newest alone counts; since when it is red is found once that is told.
    """
    red = is_red(build)
    if red is None or is_judged(build, state):
        return state
    if state.is_told_red or build.pipeline.number < state.number:
        return _with_told(state, build, "" if red else _PASSED)
    return _after(state.model_copy(update={"red_since": 0}), build, is_red=red)


def looked_back(state: Branch, builds: Sequence[Build], *, is_sure: bool) -> Branch:
    """Return a branch that was red before a channel heard of that, by the builds which left it so, oldest first.

    It `is_sure` that the first of them broke it.
    """
    first = builds[0]
    if state.is_red and first.pipeline.number > state.red_since:
        return state
    state = state if state.is_red else was_there(state, builds[-1])
    for build in builds:
        state = _with_told(state, build)
    ended, many = first.stopped_at or first.pipeline.created_at, max(state.builds, len(builds))
    since = {"red_since": first.pipeline.number, "or_before": not is_sure, "red_at": ended, "builds": many}
    return state.model_copy(update=since)


def was_green(state: Branch) -> bool:
    """Say whether the newest build that a channel knows, if any, had passed."""
    return not state.number or any(_number(key) == state.number for key in state.told if key.endswith(_PASSED))


def would_be(state: Branch, build: Build, wanted: Collection[Event], now: datetime) -> Reason:
    """Return what would be decided of a build now."""
    found = decide(state, build, wanted)
    if build.state in OPEN_STATES:
        why = Why.AWAITED
    elif found.happened is None:
        why = no_news(state, build)
    elif not found.is_told:
        why = Why.NOT_ASKED
    else:
        why = Why.SNOOZED if found.happened is not Event.FIXED and state.is_snoozed(now) else Why.TOLD
    return Reason(why=why, at=now, happened=found.happened or "", newest=state.number, state=build.state)


def no_news(state: Branch, build: Build) -> Why:
    """Return why `decide` finds nothing in a build that would be news."""
    if is_red(build) is None:
        return Why.NO_NEWS
    return Why.COUNTED if is_judged(build, state) else Why.OLDER


def is_judged(build: Build, state: Branch) -> bool:
    """Say whether a channel knows this attempt of a build."""
    return not state.told.isdisjoint({judged_key(build), judged_key(build) + _PASSED})


def is_known(state: Branch, fingerprint: str, *, in_part: bool = False) -> bool:
    """Say whether a channel knows this attempt of the newest build that it knows.

    Who sees it `in_part` knows it where what they saw is of that attempt still: others of its workflows may have run
    again.
    """
    if in_part and set(state.fingerprint.removesuffix(_HELD).split(",")) <= set(fingerprint.split(",")):
        return True
    return any(key.startswith(f"{state.number}:{mark_of(fingerprint)}") for key in state.told)


def has_repaired(build: Build, state: Branch) -> bool:
    """Say whether all jobs that left a branch red pass in a newer build, of which the rest waits for a person.

    It is not over, and may fail yet: then it breaks the branch anew. Where it is looked at by some workflows alone, all
    of these may have passed, and another one waits.
    """
    is_newer = build.pipeline.number >= state.number and not _is_outdated(build, state)
    if build.part_of and is_red(build) is False:
        return state.is_red and is_newer
    statuses = {run.workflow.status for run in build.real_runs}
    if not (state.is_red and state.failed_jobs and is_newer and _waits_alone(build)) or statuses - _GOOD:
        return False
    passed = {job_key(run, job) for run in build.real_runs for job in run.jobs if job.status == "success"}
    return state.failed_jobs <= passed


def job_key(run: Run, job: Job) -> str:
    """Name a job with its workflow, in whatever build."""
    return f"{run.workflow.name}/{job.name}"


def judged_key(build: Build) -> str:
    """Name an attempt of a build, once it was judged; while a part of it waits for a person, it is not judged whole."""
    return f"{build.pipeline.number}:{build.mark}{_HELD if _waits_alone(build) else ''}"


def _waits_alone(build: Build) -> bool:
    """Say whether nothing of it has failed, and it waits for a person."""
    return build.state is State.ON_HOLD and not build.has_failed_on_hold


def said_key(build: Build) -> str:
    """Name what was posted of an attempt, before all that follows from it is done."""
    return judged_key(build) + _SAID


def said_of(state: Branch) -> str:
    """Name what was posted of the attempt by which a branch stands so."""
    return f"{state.number}:{mark_of(state.fingerprint)}{_SAID}"


def ended_name(state: Branch) -> str:
    """Name the end of the message about a branch, which says what repaired it."""
    return f"root-ended:{state.channel_id}:{state.root_ts}"


def post_of(slug: str, key: str, said: str) -> str:
    """Name a post about a branch, by which it is found again."""
    return f"{slug}:{key}:{said}"


def _has_errors(build: Build) -> bool:
    return any(run.workflow.status in _ERRORS for run in build.real_runs)


def _is_outdated(build: Build, state: Branch) -> bool:
    """Say whether the channel knows a later attempt of this build."""
    if build.pipeline.number != state.number or state.read_at is None:
        return False
    return build.read_at < state.read_at or _attempt(build) == state.fingerprint


def _attempt(build: Build) -> str:
    """Name what was judged of a build: of one that waits for a person the rest is still to come."""
    return build.fingerprint + (_HELD if _waits_alone(build) else "")


def _happened(state: Branch, *, is_red: bool) -> Event:
    if is_red:
        return Event.STILL_RED if state.is_red else Event.BROKE
    return Event.FIXED if state.is_red else Event.PASSED


def _after(state: Branch, build: Build, *, is_red: bool) -> Branch:
    """Return how the branch stands once this build is the newest; where it is green, nobody has to look at it."""
    number, attempt = build.pipeline.number, {"fingerprint": _attempt(build), "read_at": build.read_at}
    known = state.model_copy(update={"number": number, "pipeline_id": build.pipeline.id, **attempt})
    if not is_red:
        green = {"red_since": 0, "or_before": False, "red_at": None, "root_ts": None, "builds": 0, "looking": ""}
        green |= {"was_said": False, "broke_asleep": False, "mentioned": None, "looking_id": "", "looking_by": ""}
        awake = {
            "snoozed_until": None,
            "snoozed_by": "",
            "is_of_all": False,
            "failing": frozenset[str](),
            "failure": "",
        }
        awake["failed_jobs"] = frozenset[str]()
        return _with_told(known.model_copy(update={**green, **awake}), build, _PASSED)
    failed = {job_key(run, job) for run in build.real_runs for job in run.failed_jobs}
    known = known.model_copy(update={"failed_jobs": frozenset(failed)})
    if not state.is_red:
        ended = build.stopped_at or build.pipeline.created_at
        broke = {"red_since": number, "or_before": True, "red_at": ended, "builds": 1}
        return _with_told(known.model_copy(update=broke), build)
    return _counted(known, build)


def _after_older(state: Branch, build: Build, *, is_red: bool) -> Branch:
    """Return a branch that stands as it did; one more build may have failed since it is red."""
    if not is_red:
        return _with_told(state, build, _PASSED)
    is_since = state.is_red and build.pipeline.number >= state.red_since
    return _counted(state, build) if is_since else _with_told(state, build)


def _counted(state: Branch, build: Build) -> Branch:
    """Return a red branch with one more build that failed since, each once, however often it is run again."""
    number, known = build.pipeline.number, [*map(_number, _judged(state.told))]
    failed = [_number(key) for key in _judged(state.told) if not key.endswith(_PASSED)]
    is_counted = number in failed or (len(known) >= MOST_TOLD and number < min(known))
    return _with_told(state.model_copy(update={"builds": state.builds + (not is_counted)}), build)


def _with_told(state: Branch, build: Build, how: str = "") -> Branch:
    """Return it with an attempt that is judged now; what was posted of one counts until it is."""
    told = {*state.told - {said_key(build)}, judged_key(build) + how}
    return state.model_copy(update={"told": frozenset(sorted(told, key=_number)[-MOST_TOLD:])})


def _judged(told: Iterable[str]) -> list[str]:
    return [key for key in told if not key.endswith(_SAID)]


def _number(key: str) -> int:
    return int(key.partition(":")[0])
