"""Whether the channel hears an end itself, beside the thread: a failure, or what repairs one. Pure."""

from collections.abc import Sequence, Set

from bot.models.build import Build, Report, State
from bot.models.history import Transition, Turn
from bot.models.slack import Watch
from bot.settings import Projects
from bot.triage.diagnosis import Triage
from formatters import final

HEARD = "aloud:"  # what a channel has heard, of which attempt; threads have it among what they were told
RED, GREEN = f"{HEARD}red:", f"{HEARD}green:"
NOT_DONE = frozenset({State.FAILED, State.COULD_NOT_RUN})
DIRECT = "D"  # direct messages have no channel that could hear it


def is_for_all(watch: Watch, build: Build, report: Report | None, projects: Projects) -> bool:
    """Say whether the channel of a thread hears of an end that the thread is about to be told.

    A rerun that fails exactly as the channel has heard is no news to it. What passes is, where the channel has heard
    that it failed; what earlier builds tell of that is known later.
    """
    if not _is_wanted(watch, build, projects):
        return False
    is_known_red = _heard(watch).startswith(RED)
    if build.outcome in NOT_DONE:
        return not (is_known_red and final.is_repeated(build, report, watch))
    return build.outcome is State.PASSED and is_known_red


def repair(watch: Watch, build: Build, found: Triage, projects: Projects) -> Transition | None:
    """Return how a build that passed repairs what had failed before it, where the channel is to hear that still."""
    turned = found.transition
    if turned is None or turned.turn is not Turn.FIXED or build.outcome is not State.PASSED:
        return None
    return turned if _is_wanted(watch, build, projects) and not _heard(watch).startswith(GREEN) else None


def key(build: Build) -> str:
    """Name what the channel has heard, once it has heard of this end."""
    return f"{GREEN if build.outcome is State.PASSED else RED}{build.fingerprint}"


def speakers(watches: Sequence[Watch], build: Build) -> Set[str]:
    """Return the ids of those that say it aloud: of several in a channel the oldest, of those who wait for this end."""
    found: dict[str, str] = {}
    for watch in watches:
        if _waits_in_a_channel(watch, build):
            found.setdefault(watch.thread.channel_id, watch.id)
    return frozenset(found.values())


def _is_wanted(watch: Watch, build: Build, projects: Projects) -> bool:
    ref = build.pipeline.ref or watch.ref
    return _waits_in_a_channel(watch, build) and projects.tells_channel(watch.project_slug, ref)


def _waits_in_a_channel(watch: Watch, build: Build) -> bool:
    is_direct = watch.moved_to_direct or watch.thread.channel_id.startswith(DIRECT)
    return not is_direct and watch.known_end != build.fingerprint


def _heard(watch: Watch) -> str:
    """Return the newest of what the channel has heard of the build."""
    return next((one for one in reversed(watch.told) if one.startswith(HEARD)), "")
