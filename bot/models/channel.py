"""What is kept of a channel: the project that it uses, and what somebody did in it last."""

from datetime import datetime

from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model


class Used(Model):
    """The project, and the branch or tag if one was named, that a channel means where nobody names one.

    `by_id` is who said so, by that name, and `since` when.
    """

    project_slug: ProjectSlug
    project_title: str
    ref: Ref | None = None
    by_id: str
    by_name: str = ""
    since: datetime

    @property
    def target(self) -> str:
        """What is used, as people say it."""
        return f"{self.project_title} {self.ref or ''}".strip()


class LastAct(Model):
    """What somebody did last in a channel: the `line` that asks for the same, and what that is about."""

    line: str
    title: str
    ref: Ref | None = None
    number: int = 0
