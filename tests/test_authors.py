"""Who pushed is who the file names, else whose address Slack knows; whom nobody knows is nobody, and no error."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.authors import MOST_KEPT, Authors
from bot.circleci.v1.shapes import pipeline
from bot.configuration import BadSettings, load_projects
from bot.messenger import Messenger
from bot.models.circleci import Pipeline, ProjectSlug
from bot.models.classic import BuildSummary
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace

LOOKUP = "users.lookupByEmail"
ADA = "ada@acme.example"
PEOPLE = {"ada-lovelace": "U0ADA", "Ada-At-Work": "U0ADA", "grace.hopper": "U0GRACE"}


async def heard(pipeline_id: str) -> str:
    """Return the address of which a webhook told."""
    return "grace@acme.example" if pipeline_id == "p-heard" else ""


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        yield slack


@pytest.fixture
async def authors(slack: Slack) -> AsyncIterator[Authors]:
    async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url) as messenger:
        yield Authors(PEOPLE, messenger, heard)


async def test_the_file_goes_first_and_takes_any_case(authors: Authors, slack: Slack) -> None:
    assert await authors.person_of("Ada-Lovelace", "grace@acme.example") == "U0ADA"
    assert (await authors.login_of("U0ADA"), await authors.login_of("U0KEN")) == ("ada-lovelace", "")
    assert slack.calls_of(LOOKUP) == []


async def test_an_address_is_asked_about_once(authors: Authors, slack: Slack) -> None:
    assert [await authors.person_of("adal", mail) for mail in (ADA, ADA.upper(), f" {ADA} ")] == ["U0ADA"] * 3
    assert [await authors.person_of("", "nobody@acme.example") for _ in range(3)] == [""] * 3
    assert len(slack.calls_of(LOOKUP)) == 2


@pytest.mark.parametrize(
    "mail", ["", "ada", "1+ada@users.noreply.github.com", "noreply@github.com", f"{'a' * 300}@acme.example"]
)
async def test_what_is_no_address_of_anybody_is_not_asked_about(authors: Authors, slack: Slack, mail: str) -> None:
    assert await authors.person_of("adal", mail) == ""
    assert slack.calls_of(LOOKUP) == []


async def test_without_the_scope_slack_is_asked_once(authors: Authors, slack: Slack) -> None:
    slack.scopes = frozenset({"users:read"})
    assert [await authors.person_of("", f"{name}@acme.example") for name in ("ada", "grace", "ken")] == [""] * 3
    assert len(slack.calls_of(LOOKUP)) == 1
    assert await authors.person_of("grace.hopper") == "U0GRACE"


async def test_an_outage_is_no_answer_and_is_not_remembered(authors: Authors, slack: Slack) -> None:
    slack.refuse(LOOKUP, "internal_error", times=3)
    assert await authors.person_of("", ADA) == ""
    slack.refuse(LOOKUP, "internal_error", times=0)
    assert [await authors.person_of("", ADA) for _ in range(4)][-1] == "U0ADA"


async def test_who_has_left_is_nobody(authors: Authors, slack: Slack) -> None:
    slack.workspace.users["U0ADA"].deleted = True
    assert await authors.person_of("", ADA) == ""


async def test_what_is_remembered_is_bounded(authors: Authors, slack: Slack) -> None:
    for number in range(MOST_KEPT + 5):
        authors._keep(f"{number}@acme.example", 0.0, "")
    assert len(authors._kept) == MOST_KEPT


def pushed(kind: str, **more: object) -> Pipeline:
    fields = {"id": "p", "number": 1, "project_slug": "gh/acme/frontend", "created_at": "2026-11-20T10:00:00Z"}
    return Pipeline.model_validate({**fields, "trigger": {"type": kind, "actor": {"login": "ken"}}, **more})


GITLAB = {"trigger_parameters": {"gitlab": {"commit_author_email": ADA}}}
COMMIT = {"vcs": {"branch": "main", "commit": {"author": {"name": "Ada", "email": ADA}}}}


@pytest.mark.parametrize(
    ("one", "person"),
    [
        (pushed("gitlab", **GITLAB), "U0ADA"),
        (pushed("webhook", **COMMIT), "U0ADA"),
        (pushed("webhook", **COMMIT, id="p-heard"), "U0ADA"),
        (pushed("webhook", id="p-heard"), "U0GRACE"),
        (pushed("api", id="p-heard"), ""),
        (pushed("api", **COMMIT), ""),  # who wrote the commit has not asked for its build
        (pushed("schedule", **COMMIT), ""),
        (pushed("webhook", vcs={"commit": {"author": None}}, trigger_parameters={"gitlab": None}), ""),
    ],
)
async def test_of_a_build_it_is_who_made_the_commit_that_was_pushed(
    authors: Authors, one: Pipeline, person: str
) -> None:
    assert await authors.of(one) == person
    assert ADA not in repr(one)


@pytest.mark.parametrize(("why", "mail"), [("github", ADA), ("bitbucket", ADA), ("api", ""), ("retry", "")])
def test_api_v1_says_the_address_itself(why: str, mail: str) -> None:
    build = BuildSummary.model_validate({"build_num": 7, "why": why, "author_email": ADA, "branch": "main"})
    assert pipeline(ProjectSlug("gh/acme/legacy"), build).mail == mail


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('ada = "ada"', "'ada' is not Slack's id"),
        ('ada = "C0DEPLOYS"', "is not Slack's id, which begins with U or W"),
        ('ada = "U0ADA"\nAda = "U0GRACE"', "'Ada' is another person in another spelling"),
    ],
)
def test_a_file_that_names_nobody_is_refused_at_the_start(tmp_path: Path, line: str, wrong: str) -> None:
    path = tmp_path / "projects.toml"
    path.write_text(f"[people]\n{line}\n")
    with pytest.raises(BadSettings, match=wrong):
        load_projects(path)
    path.write_text('[people]\nada = "U0ADA"\n"Ada.L" = "U0ADA"\nADA = "U0ADA"\n')
    assert len(load_projects(path).people) == 3
