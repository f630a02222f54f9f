"""What is told of, and to whom: one build, for one channel."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.models.build import Build
from bot.models.circleci import ProjectSlug
from bot.models.subscription import Event, Mode, Subscription, key_of
from bot.watching.branches import is_red, is_wanted
from bot.watching.earlier import Earlier
from bot.whereabouts import DIRECT


class About(NamedTuple):
    """One build for one channel, with the rules of that channel which are about its branch.

    Whom these name that are `absent`, as they are not in the channel, are not mentioned there.
    """

    build: Build
    branch: str
    earlier: Earlier
    channel_id: str
    rules: Sequence[Subscription]
    absent: frozenset[str] = frozenset()

    @property
    def slug(self) -> ProjectSlug:
        """The project, as CircleCI calls it."""
        return self.build.pipeline.project_slug

    @property
    def number(self) -> int:
        """The number of the build in its project."""
        return self.build.pipeline.number

    @property
    def title(self) -> str:
        """The project, as people call it."""
        return self.rules[-1].project_title

    @property
    def scope(self) -> str:
        """Of which of the branch's builds it is, where the rules are not about all."""
        return self.rules[0].scope

    @property
    def key(self) -> str:
        """Under which name the channel knows how the branch stands, by those builds."""
        return key_of(self.branch, self.scope)

    @property
    def wanted(self) -> frozenset[Event]:
        """What the channel wants to hear of that branch or tag, by all its rules."""
        ref = self.build.pipeline.ref
        return frozenset(event for rule in self.rules for event in rule.events_of(ref))

    @property
    def has_threads(self) -> bool:
        """Whether what is said of a red branch stands below one message."""
        return any(rule.mode is Mode.THREAD for rule in self.rules)

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Whom they mention where a branch broke, each once."""
        return tuple(one for one in called_at_a_break(self.rules) if one not in self.absent)

    @property
    def called_to_approve(self) -> tuple[str, ...]:
        """Whom they mention where something waits for an approval, each once."""
        found = (rule.mention for rule in self.rules if rule.mention and Event.WAITING in rule.events)
        return tuple(one for one in dict.fromkeys(found) if one not in self.absent)

    @property
    def readers(self) -> tuple[str, ...]:
        """Who reads all that is told there as what is said to them: in direct messages, who subscribed."""
        is_direct = self.channel_id.startswith(DIRECT)
        return tuple(dict.fromkeys(rule.made_by for rule in self.rules)) if is_direct else ()

    @property
    def says_how_all_ended(self) -> bool:
        """Whether its end is that of all of the build: where some workflows passed, others may have failed."""
        return not self.build.part_of or bool(is_red(self.build))

    async def whole(self) -> Build:
        """Return the build with its jobs."""
        return await self.earlier.whole(self.build)


def called_at_a_break(rules: Sequence[Subscription]) -> Sequence[str]:
    """Return whom rules mention where a branch broke, each once."""
    found = (rule.mention for rule in rules if rule.mention and is_wanted(Event.BROKE, rule.events))
    return [*dict.fromkeys(found)]
