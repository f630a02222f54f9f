"""Environment variables of a project: listed by name, set in a window of their own, removed after asking."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, cast, get_args

from pydantic import Field, SecretStr, model_validator

from bot.actions import VARIABLE_NAME, RemoveVariable, VariableForm
from bot.answers.acts import Acted
from bot.answers.keeps import Offer, Variables
from bot.errors import UsageError
from bot.grammar import Word, parse_slug
from bot.lookup import known
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.help import CommandHelp
from bot.requests import MOST_TYPED, OfProject
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import credentials

HELP = CommandHelp(
    name="env",
    group="Secrets",
    summary="List a project's environment variables; set or remove one. A value is typed in a window of its own.",
    usage="env [list | set | remove] <project> [<NAME>]",
    example="env set acme/frontend DEPLOY_TOKEN",
    phrases=("env acme/frontend", "env list acme/frontend DEPLOY_TOKEN", "env remove acme/frontend DEPLOY_TOKEN"),
    also=("envvar", "variable", "variables", "secret", "secrets"),
)
Act = Literal["list", "set", "remove"]
ACTS = get_args(Act)
_NAME = re.compile(VARIABLE_NAME)
WHICH = "Which variable?"


class Env(OfProject):
    """What to do with which variable; all of them without a name."""

    act: Act = "list"
    name: Annotated[str, Field(max_length=MOST_TYPED, pattern=f"^({_NAME.pattern})?$")] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.act != "list" and not self.name:
            raise ValueError(WHICH)
        return self


def parse(words: Sequence[Word], projects: Projects) -> Env:
    """Return the request, or a UsageError; a value never comes this far (see `bot/slack/secrecy.py`)."""
    rest = list(words)
    act = rest.pop(0).text.lower() if rest and rest[0].text.lower() in ACTS else "list"
    if not rest:
        raise UsageError("Which project's variables?")
    slug = parse_slug(rest.pop(0).text, projects)
    name = rest.pop(0).text if rest else ""
    if rest:
        raise UsageError("I expected nothing after the name.")
    if name and not _NAME.fullmatch(name):
        raise UsageError("A variable's name has letters, digits and _ alone.", given=name)
    if act != "list" and not name:
        raise UsageError(WHICH)
    return Env(act=cast("Act", act), project=slug, name=name)


async def env(request: Env, caller: Caller, context: Context) -> Variables | Offer:
    """Answer with names, or offer what was asked for."""
    project = await context.finder.asked(request, caller)
    slug, title, name = project.slug, project.title, request.name
    if request.act == "set":
        return Offer(act="set_variable", project_slug=slug, project_title=title, what=name)
    if request.act == "remove":
        await _found(slug, name, context)
        return Offer(act="remove_variable", project_slug=slug, project_title=title, what=name)
    names = [await _found(slug, name, context)] if name else await _names(slug, context)
    return Variables(project_slug=slug, project_title=title, names=tuple(names), which=name)


async def set_variable(form: VariableForm, filled: Mapping[str, str], caller: Caller, context: Context) -> Acted:
    """Send the value on, and forget it."""
    slug, value = ProjectSlug(form.project_slug), SecretStr(filled["value"])
    return await context.operations.set_variable(caller, slug, form.name, value)


async def remove_variable(button: RemoveVariable, caller: Caller, context: Context) -> Acted:
    """Remove it, if it is still there."""
    return await context.operations.remove_variable(caller, ProjectSlug(button.project_slug), button.name)


async def _names(slug: ProjectSlug, context: Context) -> list[str]:
    return [one.name for one in await context.circleci.variables(slug)]


async def _found(slug: ProjectSlug, name: str, context: Context) -> str:
    with known("environment variable", name, slug):
        return (await context.circleci.variable(slug, name)).name


def register(router: Router) -> None:
    """Teach the router this command, its form and its button."""
    router.command(HELP, permission="secrets", request=Env, parse=parse, handle=env)
    router.form(
        VariableForm, "Type the value", permission="secrets", view=credentials.variable_form, submit=set_variable
    )
    router.action(RemoveVariable, permission="secrets", handle=remove_variable)
