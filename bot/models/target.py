"""What a line names, as far as its words tell: a project, and of it a branch, a tag, a build, a commit."""

from typing import Self

from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model


class Target(Model):
    """What was named; without any of it, the build of the thread it was said in.

    `link` is the address of what people know by no other name: of a pull request, a workflow or a commit.
    """

    slug: ProjectSlug | None = None
    ref: Ref | None = None
    pipeline_number: int | None = None
    workflow_id: str = ""
    job_number: int | None = None
    pull_request: int | None = None
    commit: str = ""
    link: str = ""

    @property
    def names_a_build(self) -> bool:
        """Say whether it is one certain build, and not a branch that has many."""
        numbers = (self.pipeline_number, self.job_number)
        return self.slug is None or bool(self.workflow_id) or any(number is not None for number in numbers)

    @property
    def names_more(self) -> bool:
        """Say whether anything is named but a project: whoever does so never gets the default branch."""
        return self.names_a_build or self.ref is not None or self.pull_request is not None or bool(self.commit)

    @property
    def names_beside_a_job(self) -> bool:
        """Say whether something is named that a job can be of, or not."""
        return self.ref is not None or self.pipeline_number is not None or bool(self.workflow_id or self.commit)

    def also(self, other: Self) -> Self:
        """Return it with what the other one names as well."""
        fields = type(self).model_fields.items()
        return self.model_copy(
            update={name: getattr(other, name) for name, field in fields if getattr(other, name) != field.default}
        )
