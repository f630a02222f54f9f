"""Which build a command means: the same few ways everywhere. Pure.

Nothing (the newest on the default branch), a branch, `tag:v2.0`, `#2417` (a pipeline), `1842` (a job) or a pasted
link; in a thread that follows a build, no name at all.
"""

import re
from collections.abc import Sequence

from bot.errors import UsageError
from bot.grammar import Word, aliased, is_link, is_parameter, parse_project, parse_ref
from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model
from bot.settings import Projects

_NUMBER = re.compile(r"#?[0-9]{1,9}")


class Target(Model):
    """What was named; without a `slug`, the build of the thread it was said in."""

    slug: ProjectSlug | None = None
    ref: Ref | None = None
    pipeline_number: int | None = None
    job_number: int | None = None

    @property
    def names_a_build(self) -> bool:
        """Say whether it is one certain build, and not a branch that has many."""
        return self.slug is None or self.pipeline_number is not None or self.job_number is not None


def parse_target(words: Sequence[Word], projects: Projects, *, strict: bool = True) -> tuple[Target, list[Word]]:
    """Return what the first words name, and the words behind.

    Raises UsageError for what is no name of a ref; where it is not `strict`, that is one of the words behind.
    """
    rest = list(words)
    target = Target()
    if rest and is_project(rest[0], projects):
        project = parse_project(rest.pop(0).text, projects)
        target = Target(
            slug=project.slug, ref=project.ref, pipeline_number=project.pipeline_number, job_number=project.job_number
        )
    if target.ref is None and target.pipeline_number is None and target.slug and rest and _names_a_ref(rest[0], strict):
        target = target.model_copy(update={"ref": parse_ref(rest.pop(0))})
    while rest and not rest[0].quoted and _NUMBER.fullmatch(rest[0].text):
        word = rest.pop(0).text
        name = "pipeline_number" if word.startswith("#") else "job_number"
        target = target.model_copy(update={name: int(word.lstrip("#"))})
    return target, rest


def is_project(word: Word, projects: Projects) -> bool:
    """Say whether a word names a project: an alias, `acme/frontend`, a full slug or a link."""
    text = word.text
    return aliased(text, projects) is not None or is_link(text) or text.strip("/").count("/") in (1, 2)


def _names_a_ref(word: Word, strict: bool) -> bool:  # one of our own two
    if not word.quoted and (_NUMBER.fullmatch(word.text) or is_parameter(word) or "*" in word.text):
        return False
    return strict or _is_ref(word)


def _is_ref(word: Word) -> bool:
    try:
        parse_ref(word)
    except UsageError:
        return False
    return True
