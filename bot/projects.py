"""What the projects file says: aliases, how each project is built and asked for, and whose tokens there are."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from bot.models.circleci import Ref
from bot.models.globs import matches
from bot.models.slugs import short, spelled_alike
from bot.policy import an_id
from bot.policy.globs import ref as a_ref
from bot.triage.infrastructure import Pattern, compiled

CLOUD = "https://circleci.com"
OF_A_PROJECT = "CCIPRJ_"
DEPLOY_JOBS = ("deploy*",)


def of_a_person(token: SecretStr) -> SecretStr:
    """Return a person's token; raises ValueError for a project's."""
    if token.get_secret_value().startswith(OF_A_PROJECT):
        raise ValueError(f"this is a project's token ({OF_A_PROJECT}…), and API v2 takes none: make a personal one")
    return token


def _of_three(slug: str) -> str:
    if slug.count("/") != 2 or not all(slug.split("/")):
        raise ValueError(f"{slug!r} is no slug such as gh/acme/mobile: it stands in Project Settings, Overview")
    return short(slug)


class ProjectEntry(BaseModel):
    """One `[projects.<alias>]` of the projects file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    slug: Annotated[str, AfterValidator(_of_three)]
    definition: str | None = None
    api: Literal["v2", "classic"] = "v2"
    rerun_once: bool = False
    tell_channel: tuple[Annotated[str, AfterValidator(a_ref)], ...] = ()
    deploy_jobs: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @field_validator("tell_channel", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return value
        raise ValueError('write a list of branches and tags, as in tell_channel = ["main", "release/*"]')

    @field_validator("deploy_jobs", mode="before")
    @classmethod
    def _of_jobs(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return value
        raise ValueError('write a list of names of jobs, as in deploy_jobs = ["ship-*"]')


class Projects(BaseModel):
    """What the projects file says: the alias `frontend` for `gh/acme/frontend`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    default_vcs: str = "gh"
    auth_header: Literal["bearer", "circle-token"] = "bearer"
    projects: dict[str, ProjectEntry] = {}
    tokens: dict[str, SecretStr] = {}
    infrastructure: dict[str, str] = {}
    people: dict[str, Annotated[str, an_id("UW")]] = {}
    _server: str = PrivateAttr("")

    def read_beside(self, circleci_url: str) -> Self:
        """Return it for this CircleCI: the pages of another one are none of its own."""
        beside, url = self.model_copy(), urlsplit(circleci_url)
        port = f":{url.port}" if url.port not in (None, 80, 443) else ""
        beside._server = "" if circleci_url == CLOUD else f"{url.hostname}{port}"  # noqa: SLF001  # of our own copy
        return beside

    @property
    def server(self) -> str:
        """The host of our CircleCI Server, with its port where it names one; empty text for Cloud."""
        return self._server

    def have_a_token_of(self, slug: str) -> bool:
        """Say whether CircleCI is asked about a project with another token than the default one."""
        named = spelled_alike(slug)
        return any(f"{named}/".startswith(f"{spelled_alike(name)}/") for name in self.tokens)

    @field_validator("tokens")
    @classmethod
    def _of_something(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, token in value.items():
            if name.count("/") not in (1, 2):
                raise ValueError(f"{name!r} is neither an organisation (gh/acme) nor a project (gh/acme/frontend)")
            of_a_person(token)
        return value

    @field_validator("people")
    @classmethod
    def _of_one_each(cls, value: dict[str, str]) -> dict[str, str]:
        spelled = dict[str, str]()
        for login, person_id in value.items():
            if not login.strip() or spelled.setdefault(login.casefold(), person_id) != person_id:
                raise ValueError(f"{login!r} is another person in another spelling: code hosts take any case for one")
        return value

    @field_validator("infrastructure")
    @classmethod
    def _expressions(cls, value: dict[str, str]) -> dict[str, str]:
        compiled(value)
        return value

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """What tells of trouble with the infrastructure: our patterns, and those of the file."""
        return compiled(self.infrastructure)

    def reruns_once(self, slug: str) -> bool:
        """Say whether the project's builds may rerun by themselves."""
        return any(entry.rerun_once for entry in self._entries(slug))

    def tells_channel(self, slug: str, ref: Ref | None) -> bool:
        """Say whether a channel is to hear itself how its builds of a branch or tag of the project end."""
        patterns = [entry.tell_channel for entry in self._entries(slug) if entry.tell_channel]
        return ref is not None and any(matches(one, [ref.name]) for one in patterns)

    def deploy_jobs(self, slug: str) -> tuple[str, ...]:
        """Return the globs of the jobs of a project that deploy it where they pass."""
        return tuple(glob for entry in self._entries(slug) for glob in entry.deploy_jobs) or DEPLOY_JOBS

    @property
    def classic(self) -> frozenset[str]:
        """The slugs of the projects that API v1.1 builds."""
        return frozenset(entry.slug for entry in self.projects.values() if entry.api == "classic")

    def definition_for(self, *slugs: str) -> str | None:
        """Return the pipeline definition chosen for the project of these spellings, if one is."""
        return next((entry.definition for entry in self._entries(*slugs) if entry.definition), None)

    def _entries(self, *slugs: str) -> list[ProjectEntry]:
        """Return what the file says of the project of these spellings, under each of its aliases."""
        alike = {spelled_alike(slug) for slug in slugs}
        return [entry for entry in self.projects.values() if spelled_alike(entry.slug) in alike]
