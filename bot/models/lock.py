"""A target that somebody keeps others from deploying to."""

from datetime import datetime

from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model
from bot.models.slugs import spelled_alike


class Lock(Model):
    """On a whole project, or on one branch or tag of it; `holder_id` is who set it, `reason` why."""

    project_slug: ProjectSlug
    project_title: str
    ref: Ref | None = None
    holder_id: str
    reason: str = ""
    since: datetime

    @property
    def key(self) -> str:
        """Names what is locked."""
        return lock_key(self.project_slug, self.ref)

    @property
    def target(self) -> str:
        """What is locked, as people say it."""
        return f"{self.project_title} {self.ref}" if self.ref else self.project_title


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
