"""What a channel wants to hear of a project's branches, whoever started their builds."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from bot.models import patterns, rule_line
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.events import Event, Mode
from bot.models.fields import Model
from bot.models.globs import matches
from bot.models.history import PastBuild
from bot.models.rule_line import TAG
from bot.models.slugs import spelled_alike

__all__ = [
    "BREAKS",
    "USUAL",
    "USUAL_OF_TAGS",
    "Event",
    "Fitting",
    "Mode",
    "Subscription",
    "Wish",
    "id_of",
    "key_of",
    "named_in",
    "ref_named",
]

BREAKS = frozenset({Event.BROKE, Event.FAILED})  # whoever wants any of these hears that a branch broke
USUAL, USUAL_OF_TAGS = (Event.BROKE, Event.FIXED), (Event.FAILED, Event.PASSED)


class Wish(Model):
    """What of a project is to be told: `branches` are globs, and `!` excludes; none means the default branch.

    Tags are among them, with `tag:` before each. `by` is whose builds alone it is about, by their name at the code
    host, and `workflows` are globs of those that alone count. Of a pattern of projects those in `left_out` are not
    meant. `mention` is Slack's id of a user group or a person, for what broke or waits, and `mention_name` what that is
    called.
    """

    branches: tuple[str, ...] = ()
    events: tuple[Event, ...] = USUAL
    mode: Mode = Mode.THREAD
    by: str = ""
    workflows: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    mention: str = ""
    mention_name: str = ""

    @property
    def scope(self) -> str:
        """Which of a branch's builds it is about, where not all: how those stand is known apart from the others."""
        return " ".join(rule_line.options("", self.by.lower(), sorted(set(self.workflows))))

    def of(self, *, tags: bool) -> list[str]:
        """Return its globs of branches, or of tags."""
        found = [one for one in self.branches if one.removeprefix("!").startswith(TAG) is tags]
        return [one.replace(TAG, "", 1) for one in found] if tags else found

    @property
    def calls_for_help(self) -> bool:
        """Say whether anything that is to be told calls whom it mentions: that something broke, or waits for them."""
        return Event.WAITING in self.events or not BREAKS.isdisjoint(self.events)

    def events_of(self, ref: Ref | None) -> tuple[Event, ...]:
        """Return what of a branch or a tag is to be told; a tag is nothing that stays red, so each end of it is."""
        return USUAL_OF_TAGS if ref is not None and ref.is_tag and self.events == USUAL else self.events


class Fitting(Model):
    """A project that patterns mean, with the ids of these subscriptions, as it was last seen.

    `since` is when each of them began to mean it; of one that an earlier version kept that is not known.
    """

    slug: ProjectSlug
    title: str
    default_branch: str = ""
    rules: tuple[str, ...] = ()
    since: dict[str, datetime] = Field(default_factory=dict)


class Subscription(Wish):
    """The rule with this `id` of ours: the channel's, not that of who made it.

    `default_branch` is what it was then: whichever it is by now is meant where no branches are named. It is `paused`
    with the reason for which nothing can be told at the moment. One to a `pattern` of projects is read as one to each
    of them, with `means_since` when it began to; as it is kept it has the pattern in the place of the project.
    """

    id: str
    channel_id: str
    made_by: str
    made_by_name: str = ""
    team_id: str = ""
    made_at: datetime
    project_slug: ProjectSlug
    project_id: str = ""
    project_title: str
    default_branch: str
    pattern: str = ""
    paused: str = ""
    means_since: datetime | None = None

    def wants(self, branch: str, default_branch: str) -> bool:
        """Say whether it is about a branch, where the project's default branch is that one by now."""
        if globs := self.of(tags=False):
            return matches(globs, [branch])
        return not self.branches and branch == default_branch

    def wants_ref(self, ref: Ref) -> bool:
        """Say whether it is about a branch or a tag."""
        if not ref.is_tag:
            return self.wants(ref.name, self.default_branch)
        globs = self.of(tags=True)
        return bool(globs) and matches(globs, [ref.name])

    def is_by(self, actor: str) -> bool:
        """Say whether it is about the builds of who is called so at the code host."""
        return not self.by or self.by.lower() == actor.lower()

    def seen(self, build: Build) -> Build | None:
        """Return a build as far as it is about that: with the workflows alone that count; None for no news to it."""
        ref = build.pipeline.ref
        if ref is None or not (self.wants_ref(ref) and self.is_by(build.pipeline.actor)):
            return None
        if not self.workflows:
            return build
        runs = tuple(run for run in build.runs if matches(self.workflows, [run.workflow.name]))
        if not runs or runs == build.runs:
            return build if runs else None
        return build.model_copy(update={"runs": runs, "part_of": build.mark})

    def part_of(self, build: PastBuild) -> PastBuild | None:
        """Return what counts of an earlier build of the branch; None for nothing of it."""
        runs = tuple(run for run in build.runs if matches(self.workflows, [run.workflow.name]))
        is_about = self.is_by(build.pipeline.actor) and (runs or not build.runs)
        return build.model_copy(update={"runs": runs}) if is_about else None

    def fits(self, slug: str, title: str) -> bool:
        """Say whether its pattern means a project."""
        return bool(self.pattern) and patterns.fits((self.pattern, *self._left_out), slug, title)

    def at(self, place: Fitting) -> "Subscription":
        """Return one to a pattern as one to a project that it means."""
        is_one = {"project_slug": place.slug, "project_title": place.title, "default_branch": place.default_branch}
        return self.model_copy(update={**is_one, "means_since": place.since.get(self.id)})

    @property
    def hears_since(self) -> datetime:
        """From when on what ends is news to it: since it was made, and its pattern means that project."""
        return max(self.made_at, self.means_since or self.made_at)

    def hears(self, key: str) -> bool:
        """Say whether what is known under this key of a project's branches is about what it wants."""
        name = named_in(key)
        return key == key_of(name, self.scope) and self.wants_ref(ref_named(name))

    @property
    def maker(self) -> Caller:
        """Who made it, in its channel: what they may look at is told there."""
        return Caller(
            person_id=self.made_by,
            name=self.made_by_name,
            team_id=self.team_id,
            place=Place(channel_id=self.channel_id),
            delivery_id=f"subscription:{self.id}",
        )

    @property
    def mark(self) -> str:
        """What tells it from one with the same id that was ended before it was made."""
        return f"{self.id}@{self.made_at.isoformat()}"

    @property
    def line(self) -> str:
        """What names it behind `unsubscribe`, and would make it again behind `subscribe`."""
        owner = patterns.organization(self.pattern or self.project_slug)
        where = [one for one in (self.mode,) if one is not Mode.THREAD]
        behind = [*self._left_out, *(rule_line.branch(one, owner) for one in self.branches), *self.events, *where]
        options = rule_line.options(self.mention, self.by, self.workflows)
        return " ".join([self.pattern or self.project_slug, *behind, *options])

    @property
    def _left_out(self) -> Sequence[str]:
        return [f"!{one}" for one in self.left_out]


def id_of(channel_id: str, project: str, wish: Wish) -> str:
    """Return the id of what a channel wants to hear: the same events of the same builds are one, whoever asks."""
    asked = [channel_id, spelled_alike(project), *sorted(set(wish.branches)), "|", *sorted(set(wish.events))]
    narrower = [wish.scope, *sorted({spelled_alike(one) for one in wish.left_out})]
    asked += ["|", *narrower] if any(narrower) else []
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]


def key_of(branch: str, scope: str) -> str:
    """Return under which name it is known how a branch stands, by those of its builds that a scope is about.

    A tag is written with `tag:` before it.
    """
    return f"{branch} {scope}".strip()


def named_in(key: str) -> str:
    """Return the branch of such a name: no branch has a blank."""
    return key.partition(" ")[0]


def ref_named(name: str) -> Ref:
    """Return a branch, or with `tag:` before it a tag."""
    return Ref(name=name.removeprefix(TAG), kind="tag" if name.startswith(TAG) else "branch")
