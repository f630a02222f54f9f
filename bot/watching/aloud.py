"""Whether the channel hears an end itself, beside the thread: a failure, or what repairs one."""

from collections.abc import Sequence, Set

from bot.models.build import Build, Report, State
from bot.models.circleci import Ref
from bot.models.heard import Heard
from bot.models.history import Transition, Turn
from bot.models.slack import Watch
from bot.settings import Projects
from bot.store.heard import Ends
from bot.triage.diagnosis import Triage
from formatters import final

NOT_DONE = frozenset({State.FAILED, State.COULD_NOT_RUN})
DIRECT = "D"  # direct messages have no channel that could hear it


class Aloud:
    """Knows what channels want to hear, and what they have heard.

    What is about to be said is noted first: who was cut off then finds it again, and says it.
    """

    def __init__(self, projects: Projects, ends: Ends) -> None:
        self._projects = projects
        self._ends = ends

    async def is_news(self, watch: Watch, build: Build, report: Report | None) -> bool:
        """Say whether the channel is to hear of an end that a thread is about to be told."""
        ref = ref_of(watch, build)
        if ref is None or not is_wanted(watch, build, self._projects):
            return False
        heard = await self._ends.heard(watch.thread.channel_id, watch.project_slug, ref)
        if not is_news(watch, build, report, heard):
            return False
        await self._ends.note(watch.thread.channel_id, watch.project_slug, ref, newest(build, heard))
        return True

    async def repair(self, watch: Watch, build: Build, found: Triage) -> Transition | None:
        """Return what a build that passed repairs, where the channel is to hear of that and has not yet."""
        ref = ref_of(watch, build)
        if ref is None or not is_wanted(watch, build, self._projects):
            return None
        heard = await self._ends.heard(watch.thread.channel_id, watch.project_slug, ref)
        turned = repair(build, found, heard)
        if turned is not None:
            await self._ends.note(watch.thread.channel_id, watch.project_slug, ref, newest(build, heard))
        return turned

    async def repaired_elsewhere(self, watches: Sequence[Watch], build: Build) -> list[tuple[str, Heard]]:
        """Return the channels that have heard of a failure which this build repairs, and in which none follows it."""
        if not watches or build.outcome is not State.PASSED:
            return []
        slug, ref = watches[0].project_slug, ref_of(watches[0], build)
        if ref is None or not self._projects.tells_channel(slug, ref):
            return []
        followed = {watch.thread.channel_id for watch in watches}
        channels = sorted(await self._ends.red(slug, ref) - followed)
        known = [(one, await self._ends.heard(one, slug, ref)) for one in channels]
        return [(one, heard) for one, heard in known if heard and _is_repaired(heard, build)]

    async def has_heard(self, channel_id: str, watch: Watch, build: Build, before: Heard) -> None:
        """Note that a channel in which none follows this build has heard of it."""
        if (ref := ref_of(watch, build)) is not None:
            await self._ends.note(channel_id, watch.project_slug, ref, newest(build, before))


def is_wanted(watch: Watch, build: Build, projects: Projects) -> bool:
    """Say whether the channel of a thread is to hear of ends of this branch or tag, and waits for this one."""
    return _waits_in_a_channel(watch, build) and projects.tells_channel(watch.project_slug, ref_of(watch, build))


def is_news(watch: Watch, build: Build, report: Report | None, heard: Heard | None) -> bool:
    """Say whether an end that a thread is about to be told is news to its channel, which has `heard` another last.

    A rerun that fails exactly as the channel has heard is none. What passes is, where the channel has heard of a
    failure that it repairs; what earlier builds tell of that is known later.
    """
    number = build.pipeline.number
    if _is_this(heard, build):
        return True  # it was about to be said, or has been by another thread of the channel
    knows_it_red = heard is not None and heard.is_red
    if build.outcome in NOT_DONE:
        knows_this_red = heard is not None and knows_it_red and heard.number == number
        return not (knows_this_red and final.is_repeated(build, report, watch))
    return build.outcome is State.PASSED and heard is not None and _is_repaired(heard, build)


def repair(build: Build, found: Triage, heard: Heard | None) -> Transition | None:
    """Return how a build that passed repairs what had failed before it, where the channel does not know that yet."""
    turned, number = found.transition, build.pipeline.number
    if turned is None or turned.turn is not Turn.FIXED or build.outcome is not State.PASSED:
        return None
    is_known = heard is not None and (heard.number > number or (heard.number == number and not heard.is_red))
    return None if is_known and not _is_this(heard, build) else turned


def newest(build: Build, heard: Heard | None) -> Heard:
    """Return what the channel has heard last, once it has heard of this end; of a newer build that is more."""
    this = Heard(number=build.pipeline.number, fingerprint=build.fingerprint, is_red=build.outcome in NOT_DONE)
    return heard if heard is not None and heard.number > this.number else this


def key(build: Build) -> str:
    """Name what its threads were told, once the channel has heard of this end."""
    return f"aloud:{build.fingerprint}"


def ref_of(watch: Watch, build: Build) -> Ref | None:
    """Return the branch or the tag of a build, as CircleCI has it."""
    return build.pipeline.ref or watch.ref


def speakers(watches: Sequence[Watch], build: Build) -> Set[str]:
    """Return the ids of those that say it aloud: of several in a channel the oldest, of those who wait for this end."""
    found: dict[str, str] = {}
    for watch in watches:
        if _waits_in_a_channel(watch, build):
            found.setdefault(watch.thread.channel_id, watch.id)
    return frozenset(found.values())


def _waits_in_a_channel(watch: Watch, build: Build) -> bool:
    is_direct = watch.moved_to_direct or watch.thread.channel_id.startswith(DIRECT)
    return not is_direct and watch.known_end != build.fingerprint


def _is_repaired(heard: Heard, build: Build) -> bool:
    return heard.is_red and heard.number <= build.pipeline.number


def _is_this(heard: Heard | None, build: Build) -> bool:
    return heard is not None and (heard.number, heard.fingerprint) == (build.pipeline.number, build.fingerprint)
