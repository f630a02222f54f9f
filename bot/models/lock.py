"""A target that somebody keeps others from deploying to."""

from datetime import datetime

from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model, Time
from bot.models.slugs import spelled_alike

NEVER = "never"


class Lock(Model):
    """On a whole project, or on one branch or tag of it; `holder_id` is who set it, `reason` why.

    It ends by itself at `until`; without that, and all that earlier versions wrote, it stays until it is lifted.
    `channel_id` is where it was taken and its end is said, `said_ts` the message there that can lift it, `changes` how
    often its reason or its end was changed.
    """

    project_slug: ProjectSlug
    project_title: str
    ref: Ref | None = None
    holder_id: str
    reason: str = ""
    since: datetime
    until: Time | None = None
    holder_name: str = ""
    channel_id: str = ""
    said_ts: str = ""
    changes: int = 0

    def is_over(self, now: datetime) -> bool:
        """Say whether it has ended by itself: it stops nobody from this very moment, whoever has told that or not."""
        return self.until is not None and self.until <= now

    def is_still(self, other: "Lock") -> bool:
        """Say whether the other is this lock, as it was set: what was said of it since is no matter."""
        return self.model_copy(update={"said_ts": ""}) == other.model_copy(update={"said_ts": ""})

    @property
    def ending(self) -> str:
        """Its end as one who waits for it was told: a moment, or that it has none."""
        return self.until.isoformat() if self.until else NEVER

    @property
    def key(self) -> str:
        """Names what is locked."""
        return lock_key(self.project_slug, self.ref)

    @property
    def target(self) -> str:
        """What is locked, as people say it."""
        return f"{self.project_title} {self.ref}" if self.ref else self.project_title


class Over(Model):
    """A lock that keeps nobody from anything any more, until it is told: lifted by somebody, or ended by itself.

    `channel_id` is where it was lifted, `told` which channels have heard of it.
    """

    lock: Lock
    by_id: str = ""
    by_name: str = ""
    channel_id: str = ""
    told: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Tells it from other locks on the same, before and after it."""
        return f"{self.lock.key}|{self.lock.since.isoformat()}"


class Waiting(Model):
    """Who asked to be told when a lock ends: where they asked, and what the lock had stopped, as it can be typed.

    `ending` is the end that they know of; an earlier version did not keep it.
    """

    person_id: str
    channel_id: str = ""
    again: str = ""
    ending: str = ""

    def knows(self, lock: Lock) -> bool:
        """Say whether it has been told as it is to whoever waits for its end; who holds it knows."""
        return self.ending in ("", lock.ending) or self.person_id == lock.holder_id

    @property
    def until(self) -> datetime | None:
        """The end that they know of, if there is one."""
        return datetime.fromisoformat(self.ending) if self.ending not in ("", NEVER) else None


def named_by(key: str) -> tuple[ProjectSlug, Ref | None]:
    """Return what a lock's name names."""
    slug, _, ref = key.partition(" ")
    kind = "tag" if ref.startswith("tag:") else "branch"
    return ProjectSlug(slug), Ref(name=ref.removeprefix("tag:"), kind=kind) if ref else None


def lock_key(slug: ProjectSlug, ref: Ref | None) -> str:
    """Return the name of a lock on a project, or on one branch or tag of it; the same for all spellings of a slug."""
    name = spelled_alike(slug)
    return f"{name} {ref}" if ref else name


def locks_the_same(key: str, other: str) -> bool:
    """Say whether two names are of one lock: earlier versions took a slug as it was spelled."""
    slug, _, ref = key.partition(" ")
    other_slug, _, other_ref = other.partition(" ")
    return ref == other_ref and spelled_alike(slug) == spelled_alike(other_slug)
