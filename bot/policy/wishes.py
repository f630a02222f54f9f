"""Who wants what, and what is decided: the values of a policy's decisions."""

from enum import StrEnum
from typing import NamedTuple

from bot.models.circleci import Ref


class Kind(StrEnum):
    """What somebody is in the workspace; `unknown` when Slack cannot say, `agent` one that stands on its own."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    GONE = "gone"
    AGENT = "agent"
    UNKNOWN = "unknown"


class Person(NamedTuple):
    """Somebody as Slack knows them; `unread` are groups of which it did not say who is in them.

    Of an agent there is among them too whom it did not name of its owner, and the channel that they may be in.

    An `agent` speaks for them, or for nobody but itself (`Kind.AGENT`): then `words` are all it may do, and `barred` is
    why it may nothing any more.
    """

    user_id: str
    kind: Kind
    is_admin: bool = False
    groups: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    agent: str = ""
    words: tuple[str, ...] = ()
    barred: str = ""

    @property
    def answers(self) -> "Person":
        """Who must be allowed what is asked for: an agent's owner, or whoever asks."""
        return self if self.kind is Kind.AGENT else self._replace(agent="")


class Asked(NamedTuple):
    """What somebody wants: a word, on a project under its names, on a branch or tag, in a channel.

    Where it is not `certain`, what is not named is still to be found out: without `projects` it is whether they may do
    it anywhere, without a `ref` on some branch. Where it is, it is all of it: what our user on CircleCI keeps for every
    project, or the whole project, or nobody knows. `maybe` are names that the project may have beside, of one project
    each, and `untold` is why CircleCI does not tell.
    """

    word: str
    projects: tuple[str, ...] = ()
    ref: Ref | None = None
    channel_id: str = ""
    certain: bool = True
    maybe: tuple[tuple[str, ...], ...] = ()
    untold: Exception | None = None

    @property
    def readings(self) -> "tuple[Asked, ...]":
        """What it may be: with none of the names that it may have, with those of one, and with all of them."""
        maybe = [*self.maybe, tuple(name for names in self.maybe for name in names)] if self.maybe else []
        sure = self._replace(maybe=(), untold=None)
        return (sure, *(sure._replace(projects=(*self.projects, *names)) for names in maybe))


class Decision(NamedTuple):
    """What the policy says: allowed or not by `rule`, which may have `denied` it, and what must be met first.

    An agent may do it `alone`, without a press, as far as no demand asks for one.
    """

    allowed: bool
    rule: str
    second_person: bool = False
    typed: bool = False
    green: bool = False
    denied: bool = False
    alone: bool = False


class Elsewhere(NamedTuple):
    """Who could do something in other channels, by one rule."""

    roles: tuple[str, ...]
    channels: tuple[str, ...]
