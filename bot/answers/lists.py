"""Lists over all that the token sees, of which the caller may read each."""

from typing import Self

from bot.answers import Found
from bot.models.circleci import ProjectSlug
from bot.models.classic import BuildSummary, FollowedProject
from bot.models.fields import Model


class RecentBuilds(Found):
    """What ran lately over all followed projects: the newest jobs, newest first."""

    builds: tuple[BuildSummary, ...]


class ProjectResult(Model):
    """A followed project with the newest result of its default branch; without a `number` there is none."""

    project_slug: ProjectSlug
    project_title: str
    default_branch: str
    number: int | None = None
    status: str = ""

    @classmethod
    def of(cls, project: FollowedProject) -> Self:
        """Return what is told of a project: nothing of its other branches."""
        newest = project.newest
        return cls(
            project_slug=project.slug,
            project_title=project.title,
            default_branch=project.default_branch,
            number=newest.build_num if newest else None,
            status=newest.status if newest else "",
        )


class FollowedProjects(Found):
    """The followed projects whose name holds `wanted`, by name, out of `of`."""

    wanted: str = ""
    of: int
    projects: tuple[ProjectResult, ...]
