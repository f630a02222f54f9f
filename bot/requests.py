"""What is asked, as it is typed: shared shapes of requests. Pure.

A parser ends in one, and so does an agent's JSON; what they name is made of it in one place (`about`, and `targets`).
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.errors import UsageError
from bot.grammar import Word, parse_project, parse_slug, without_stop
from bot.models import git
from bot.models.circleci import ProjectSlug, Ref
from bot.models.spelling import as_typed
from bot.models.target import Target
from bot.refs import ref_named
from bot.settings import Projects
from bot.targets import parse_target

MOST_TYPED = 500
BESIDE_BRANCH = ("tag", "pipeline", "job", "commit")  # what names no branch


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

    def shown(self, projects: Projects) -> tuple[str, Ref | None]:
        """Return what a button names: the project as people call it, and the branch or tag; empty text for none."""
        slug, ref = self.about(projects)
        return slug.partition("/")[2] if slug else "", ref


class Nothing(Request):
    """There is nothing to choose."""


class OfProject(Request):
    """Something of a project: `acme/frontend`, an alias, a slug or a link."""

    project: Typed

    def slug(self, projects: Projects) -> ProjectSlug:
        """Return the project's slug, as far as its spelling tells; raises UsageError, for a link to more as well."""
        return parse_slug(self.project, projects)

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project."""
        return self.slug(projects), None


class OfTarget(Request):
    """A build, or a branch that has many: by project and branch, tag, pipeline, job or commit; `project` may be a link.

    Without a project it is the build of the thread it is said in; without any of the others the default branch.
    """

    project: Typed = ""
    branch: Typed = ""
    tag: Typed = ""
    pipeline: int | None = Field(None, ge=1)
    job: int | None = Field(None, ge=1)
    commit: Typed = ""

    @classmethod
    def named(cls, target: Target, **more: object) -> Self:
        """Return the request for what was parsed already; what only a link can name is told by the link itself."""
        linked = bool(target.link)
        ref = None if linked else target.ref
        return cls(
            project=target.link or target.slug or "",
            branch=ref.name if ref and not ref.is_tag else "",
            tag=ref.name if ref and ref.is_tag else "",
            pipeline=None if linked else target.pipeline_number,
            job=None if linked else target.job_number,
            commit="" if linked else target.commit,
            **more,
        )

    def target(self, projects: Projects) -> Target:
        """Return what is named; raises UsageError where it is two things at once, or none."""
        typed = self._behind_the_project()
        if not self.project:
            if typed != Target():
                raise UsageError("Which project?")
            return Target()
        linked = parse_project(self.project, projects)
        if linked.names_more and typed != Target():
            raise UsageError("The link names one thing, and what you wrote after it another.", given=self.project)
        return linked.also(typed)

    def _behind_the_project(self) -> Target:
        if self.branch and self.tag:
            raise UsageError("It is either a branch or a tag.", given=f"{self.branch} {self.tag}")
        if self.commit and not git.may_be_commit(self.commit):
            raise UsageError("This is not a commit: it has 7 to 64 of the signs 0-9 and a-f.", given=self.commit)
        ref = ref_named(self.tag, "tag") if self.tag else ref_named(self.branch) if self.branch else None
        return Target(ref=ref, pipeline_number=self.pipeline, job_number=self.job, commit=self.commit)

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project and the ref, where they are named."""
        target = self.target(projects)
        return target.slug, target.ref

    @property
    def typed(self) -> str:
        """What was named, as it can be typed again."""
        ref = f"tag:{self.tag}" if self.tag else self.branch
        number = f"#{self.pipeline}" if self.pipeline else ""
        named = [self.project, as_typed(ref) if ref else "", number, str(self.job or ""), self.commit]
        return " ".join(filter(None, named))


def parse_branch(words: Sequence[Word], projects: Projects) -> OfTarget:
    """Return a branch, of which nothing need be named, or a build of one; or a UsageError for what is none."""
    target, rest = parse_target(without_stop(words, "?."), projects)
    if target.ref and target.ref.is_tag:
        raise UsageError("A tag has too few builds to tell. Name a branch.", given=str(target.ref))
    if rest:
        raise UsageError("I expected a project and a branch.", given=rest[0].text)
    return OfTarget.named(target)


def parse_nothing(words: Sequence[Word], projects: Projects) -> Nothing:  # noqa: ARG001  # each parser has both
    """Return the request of a command that takes no words."""
    if words:
        raise UsageError("This word stands alone.", given=words[0].text)
    return Nothing()


def parse_of_target(words: Sequence[Word], projects: Projects) -> OfTarget:
    """Return what all the words name, or a UsageError for one too many."""
    target, rest = parse_target(without_stop(words, "?."), projects)
    if rest and target.slug is None:
        raise UsageError("This is not a project. A project is acme/frontend, an alias or a link.", given=rest[0].text)
    if rest:
        raise UsageError("I do not know what to do with this word.", given=rest[0].text)
    return OfTarget.named(target)
