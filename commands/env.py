"""Environment variables of a project: listed by name, set in a window of their own, removed after asking."""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, SecretStr

from bot.actions import RemoveVariable, VariableForm
from bot.errors import Rejected, UsageError
from bot.finding import known
from bot.grammar import Word, parse_project
from bot.models.circleci import ProjectSlug
from bot.models.classic import EnvironmentVariable
from bot.models.slack import Click, Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import credentials
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="env",
    group="Secrets",
    summary="List a project's environment variables; set or remove one. A value is typed in a window of its own.",
    usage="env [list | set | remove] <project> [<NAME>]",
    example="env set acme/frontend DEPLOY_TOKEN",
    phrases=("env acme/frontend", "env list acme/frontend DEPLOY_TOKEN", "env remove acme/frontend DEPLOY_TOKEN"),
    also=("envvar", "variable", "variables", "secret", "secrets"),
)
ACTS = ("list", "set", "remove")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Env(BaseModel):
    """What to do with which variable; all of them without a name."""

    model_config = ConfigDict(frozen=True)
    act: str
    slug: ProjectSlug
    name: str = ""


def parse(words: Sequence[Word], projects: Projects) -> Env:
    """Return the request, or a UsageError; a value never comes this far (see `bot/slack/secrecy.py`)."""
    rest = list(words)
    act = rest.pop(0).text.lower() if rest and rest[0].text.lower() in ACTS else "list"
    if not rest:
        raise UsageError("Which project's variables?")
    slug = parse_project(rest.pop(0).text, projects).slug
    name = rest.pop(0).text if rest else ""
    if rest:
        raise UsageError("I expected nothing after the name.")
    if name and not _NAME.fullmatch(name):
        raise UsageError("A variable's name has letters, digits and _ alone.", given=name)
    if act != "list" and not name:
        raise UsageError("Which variable?")
    return Env(act=act, slug=slug, name=name)


async def env(request: Env, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with names, or offer what was asked for."""
    project = await context.finder.project(request.slug)
    if request.act == "set":
        return credentials.ask_value(project.title, project.slug, request.name)
    if request.act == "remove":
        await _found(project.slug, request.name, context)
        return credentials.ask_remove_variable(project.title, project.slug, request.name)
    if request.name:
        return credentials.variable(project.title, await _found(project.slug, request.name, context))
    return credentials.variables(project.title, await context.circleci.variables(project.slug))


async def set_variable(
    form: VariableForm,
    filled: Mapping[str, str],
    said: Click,  # noqa: ARG001  # as all forms
    context: Context,
) -> Message:
    """Send the value on, and forget it."""
    await context.writes.set_variable(form.project_slug, form.name, SecretStr(filled["value"]))
    return credentials.variable_set(form.project_slug, form.name)


async def remove_variable(button: RemoveVariable, click: Click, context: Context) -> Message:  # noqa: ARG001  # as all
    """Look again, then remove it."""
    try:
        await context.writes.remove_variable(button.project_slug, button.name)
    except Rejected as error:
        if not error.is_gone:
            raise
        return credentials.gone(button.name)
    return credentials.variable_removed(button.project_slug, button.name)


async def _found(slug: ProjectSlug, name: str, context: Context) -> EnvironmentVariable:
    with known("environment variable", name, slug):
        return await context.circleci.variable(slug, name)


def register(router: Router) -> None:
    """Teach the router this command, its form and its button."""
    router.command(HELP, parse=parse, permission="secrets")(env)
    router.form(VariableForm, permission="secrets", view=credentials.variable_form)(set_variable)
    router.action(RemoveVariable, permission="secrets")(remove_variable)
