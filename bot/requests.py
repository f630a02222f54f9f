"""Requests that several commands share: nothing to choose, and one build. Pure."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.errors import UsageError
from bot.grammar import Word
from bot.models.circleci import ProjectSlug
from bot.settings import Projects
from bot.targets import Target, parse_target


class Nothing(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(frozen=True)


class OfProject(BaseModel):
    """What is asked about a project."""

    model_config = ConfigDict(frozen=True)
    slug: ProjectSlug


class OfTarget(BaseModel):
    """Which build, or which branch's."""

    model_config = ConfigDict(frozen=True)
    target: Target


def parse_branch(words: Sequence[Word], projects: Projects) -> OfTarget:
    """Return a branch, of which nothing need be named; or a UsageError for what is none."""
    target, rest = parse_target(words, projects)
    if target.ref and target.ref.is_tag:
        raise UsageError("A tag has too few builds to tell. Name a branch.", given=str(target.ref))
    if rest or target.pipeline_number is not None or target.job_number is not None:
        raise UsageError("I expected a project and a branch.", given=rest[0].text if rest else words[-1].text)
    return OfTarget(target=target)


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
    return OfTarget(target=target)
