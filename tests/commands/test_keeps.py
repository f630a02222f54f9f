"""Whoever asks, people or agents, asks by the same grammar; and what comes back can be described."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import ValidationError

from bot.errors import NothingToDo, UsageError
from bot.grammar import split
from bot.models.caller import bot
from bot.requests import Nothing, OfProject, Request
from bot.routing import Context, Router
from bot.settings import CLOUD, ProjectEntry, Projects, Settings
from commands import audit, doctor, env, hello, help, keys, legacy, lists, webhook, why  # noqa: A004
from formatters.show import is_shown

PROJECTS = Projects(projects={"front": ProjectEntry(slug="gh/acme/frontend")})
SLUG = "gh/acme/frontend"
MODULES = (env, keys, legacy, webhook, lists, help, hello, why, audit, doctor)


@pytest.fixture
def router() -> Router:
    router = Router()
    for module in MODULES:
        module.register(router)
    return router


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("env front", env.Env(project=SLUG)),
        ("env SET front DEPLOY_TOKEN", env.Env(act="set", project=SLUG, name="DEPLOY_TOKEN")),
        ("keys front c9:0b", keys.Keys(project=SLUG, which="c9:0b")),
        ("keys add front user-key", keys.Keys(act="add", project=SLUG, which="user-key")),
        ("audit 12H <@U0ADA> front", audit.Audit(project=SLUG, period="12h", person="U0ADA")),
        ("why Deploy front tag:v2.0", why.Why(word="deploy", project=SLUG, tag="v2.0")),
        ("why admin", why.Why(word="admin")),
        ("help Deploy", help.Help(name="deploy")),
        ("projects fro", lists.Filter(wanted="fro")),
    ],
)
def test_what_is_typed_is_asked(router: Router, typed: str, request_: Request) -> None:
    command, rest = router.find(split(typed))
    assert command.parse(rest, PROJECTS) == request_
    assert command.request.model_validate_json(request_.model_dump_json()) == request_


@pytest.mark.parametrize(
    "typed",
    [
        "env front TWO WORDS",
        "env set front",
        "env remove front a-b",
        "keys show front",
        "keys add front c9:0b",
        "ssh-key front",
        "cache clear front now",
        "heroku-key add now",
        "webhook",
        "projects two words",
        "audit 7w",
        "why",
        "why deploy front main 1 more",
    ],
)
def test_what_cannot_be_meant_is_refused(router: Router, typed: str) -> None:
    command, rest = router.find(split(typed))
    with pytest.raises(UsageError):
        command.parse(rest, PROJECTS)


@pytest.mark.parametrize(
    ("word", "given"),
    [
        ("env", {"project": SLUG, "act": "set"}),
        ("env", {"project": SLUG, "act": "set", "name": "A\n"}),
        ("env", {"project": SLUG, "act": "set", "name": "A/../B"}),
        ("env", {"project": SLUG, "act": "read", "name": "A"}),
        ("env", {"project": SLUG, "value": "hunter2"}),
        ("env", {"project": SLUG, "name": "A" * 501}),
        ("keys", {"project": SLUG, "act": "add", "which": "host-key"}),
        ("keys", {"project": SLUG, "act": "remove"}),
        ("keys", {"project": SLUG, "act": "show", "which": "c9\r"}),
        ("webhook", {}),
        ("audit", {"period": "7w"}),
        ("audit", {"period": "7d\n"}),
        ("audit", {"period": "99999d"}),
        ("may", {}),
        ("projects", {"wanted": "x" * 501}),
    ],
)
def test_an_agent_cannot_go_round_the_grammar(router: Router, word: str, given: Mapping[str, str]) -> None:
    with pytest.raises(ValidationError):
        router.commands[word].request.model_validate(given)


def test_a_project_nobody_can_spell_is_refused_wherever_it_comes_from() -> None:
    for request in (env.Env(project="../frontend"), audit.Audit(project="acme"), why.Why(word="deploy", project="a b")):
        with pytest.raises(UsageError):
            request.about(PROJECTS)


async def test_what_cloud_has_dropped_is_not_offered_there() -> None:
    context = cast("Context", SimpleNamespace(settings=Settings.model_construct(circleci_url=CLOUD)))
    with pytest.raises(NothingToDo, match="no_cache_clearing"):
        await legacy.cache(OfProject(project=SLUG), bot("d"), context)
    with pytest.raises(NothingToDo, match="no_heroku_on_cloud"):
        await legacy.heroku_key(Nothing(), bot("d"), context)


def test_every_answer_can_be_described_and_read(router: Router) -> None:
    for command in router.commands.values():
        assert command.described()["answer"]
        kinds = getattr(command.answer, "__args__", (command.answer,))
        assert all(is_shown(kind) for kind in kinds), command.name
