"""A target that somebody keeps others from deploying to."""

from datetime import datetime

from bot.models.circleci import Model, ProjectSlug, Ref


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


def lock_key(slug: ProjectSlug, ref: Ref | None) -> str:
    """Return the name of a lock on a project, or on one branch or tag of it."""
    return f"{slug} {ref}" if ref else slug
