"""What is asked, as it is typed: shared shapes of requests. Pure.

A parser ends in one, and so does an agent's JSON; what they name is made of it in one place (`about`, and `targets`).
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.errors import UsageError
from bot.grammar import Word, parse_project, ref_named
from bot.models.circleci import ProjectSlug, Ref
from bot.models.spelling import as_typed
from bot.settings import Projects
from bot.targets import Target, parse_target

MOST_TYPED = 500


def _one_line(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("it holds a control character")
    return text


Typed = Annotated[str, Field(max_length=MOST_TYPED), AfterValidator(_one_line)]


class Request(BaseModel):
    """What somebody asks for; `about` names the project, and the branch or tag, that it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:  # noqa: ARG002  # some name none
        """Return what is named, as far as can be told without asking anybody; raises UsageError for what is none."""
        return None, None


class Nothing(Request):
    """There is nothing to choose."""


class OfProject(Request):
    """Something of a project: `acme/frontend`, an alias, a slug or a link."""

    project: Typed

    def slug(self, projects: Projects) -> ProjectSlug:
        """Return the project's slug, as far as its spelling tells; raises UsageError."""
        return parse_project(self.project, projects).slug

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project."""
        return self.slug(projects), None


class OfTarget(Request):
    """A build, or a branch that has many: by project and branch, tag, pipeline or job.

    Without a project it is the build of the thread it is said in; without any of the others the default branch.
    """

    project: Typed = ""
    branch: Typed = ""
    tag: Typed = ""
    pipeline: int | None = Field(None, ge=1)
    job: int | None = Field(None, ge=1)

    @classmethod
    def named(cls, target: Target, **more: object) -> Self:
        """Return the request for what was parsed already."""
        ref = target.ref
        return cls(
            project=target.slug or "",
            branch=ref.name if ref and not ref.is_tag else "",
            tag=ref.name if ref and ref.is_tag else "",
            pipeline=target.pipeline_number,
            job=target.job_number,
            **more,
        )

    def target(self, projects: Projects) -> Target:
        """Return what is named; raises UsageError where it is two things at once, or none."""
        if self.branch and self.tag:
            raise UsageError("It is either a branch or a tag.", given=f"{self.branch} {self.tag}")
        ref = ref_named(self.tag, "tag") if self.tag else ref_named(self.branch) if self.branch else None
        if not self.project:
            if ref or self.pipeline or self.job:
                raise UsageError("Which project?")
            return Target()
        linked = parse_project(self.project, projects)
        return Target(
            slug=linked.slug,
            ref=ref or linked.ref,
            pipeline_number=self.pipeline or linked.pipeline_number,
            job_number=self.job or linked.job_number,
        )

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project and the ref, where they are named."""
        target = self.target(projects)
        return target.slug, target.ref

    @property
    def typed(self) -> str:
        """What was named, as it can be typed again."""
        ref = f"tag:{self.tag}" if self.tag else self.branch
        number = f"#{self.pipeline}" if self.pipeline else ""
        return " ".join(filter(None, [self.project, as_typed(ref) if ref else "", number, str(self.job or "")]))


def parse_branch(words: Sequence[Word], projects: Projects) -> OfTarget:
    """Return a branch, of which nothing need be named; or a UsageError for what is none."""
    target, rest = parse_target(words, projects)
    if target.ref and target.ref.is_tag:
        raise UsageError("A tag has too few builds to tell. Name a branch.", given=str(target.ref))
    if rest or target.pipeline_number is not None or target.job_number is not None:
        raise UsageError("I expected a project and a branch.", given=rest[0].text if rest else words[-1].text)
    return OfTarget.named(target)


def parse_nothing(words: Sequence[Word], projects: Projects) -> Nothing:  # noqa: ARG001  # each parser has both
    """Return the request of a command that takes no words."""
    if words:
        raise UsageError("I expected nothing after this word.", given=words[0].text)
    return Nothing()


def parse_of_target(words: Sequence[Word], projects: Projects) -> OfTarget:
    """Return what all the words name, or a UsageError for one too many."""
    target, rest = parse_target(words, projects)
    if rest and target.slug is None:
        raise UsageError("This is not a project. A project is acme/frontend, an alias or a link.", given=rest[0].text)
    if rest:
        raise UsageError("I do not know what to do with this word.", given=rest[0].text)
    return OfTarget.named(target)
