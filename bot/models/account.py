"""What CircleCI keeps beside builds: projects, their pipeline definitions and webhooks, and people."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from bot.models.fields import Model, Prose, Text
from bot.models.names import ProjectSlug

READ_AT_A_GLANCE = 60  # letters of a name: what differs behind them has no room on a button
MOST_OF_A_TWIN = 30  # letters of a name that has its id behind it


class VcsInfo(Model):
    """A project's repository."""

    vcs_url: Text = ""
    default_branch: Text = ""
    provider: Prose = ""


class Project(Model):
    """A project; `slug` is the canonical spelling of what was asked for."""

    id: Text = ""
    slug: ProjectSlug
    name: Prose = ""
    organization_name: Prose = ""
    vcs_info: VcsInfo = VcsInfo()

    @property
    def title(self) -> str:
        """What people call it, `acme/frontend`."""
        return f"{self.organization_name}/{self.name}" if self.organization_name else self.name or self.slug

    @property
    def default_branch(self) -> str:
        """The branch that is meant where none is named; CircleCI does not always say which."""
        return self.vcs_info.default_branch or "main"


class Definition(Model):
    """A pipeline definition: which configuration file to run."""

    id: str
    name: Prose = ""


def told_apart(definitions: Sequence[Definition]) -> dict[str, str]:
    """Return what to call each definition, by its id: by its name, and by its id too where another reads the same."""
    many = Counter(map(_as_read, definitions))
    named = {one.id: one.name or one.id for one in definitions}
    for one in definitions:
        if one.name and many[_as_read(one)] > 1:
            start = one.name if len(one.name) <= MOST_OF_A_TWIN else f"{one.name[: MOST_OF_A_TWIN - 1]}…"
            named[one.id] = f"{start} ({one.id})"
    return named


def _as_read(one: Definition) -> str:
    return " ".join(unicodedata.normalize("NFKC", one.name).casefold().split())[:READ_AT_A_GLANCE]


class Collaboration(Model):
    """An organisation that the token's user belongs to."""

    id: Text = ""
    slug: Text = ""
    name: Prose = ""


class Webhook(Model):
    """An outbound webhook of a project; its secret comes back masked."""

    id: Text = ""
    name: Prose = ""
    url: Text = ""


class User(Model):
    """Whom the token belongs to."""

    id: Text = ""
    login: Prose = ""
    name: Prose = ""


def made_of_ids(slug: str) -> bool:
    """Say whether a slug names a project by ids that tell people nothing, as those of the GitHub App do."""
    return slug.startswith("circleci/")
