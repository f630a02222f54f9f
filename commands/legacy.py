"""SSH keys for builds, the Heroku key, the dependency caches: only API v1.1 has them, and Cloud dropped some."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, SecretStr

from bot.actions import ClearCache, HerokuForm, SshKeyForm
from bot.errors import Rejected, UsageError
from bot.grammar import Word, parse_project
from bot.models.slack import Click, Invocation
from bot.requests import OfProject
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import credentials
from formatters.blocks import Message
from formatters.help import CommandHelp

SSH_KEY = CommandHelp(
    name="ssh-key",
    group="Secrets",
    summary="Let a project's builds log in to a host; the private key is pasted into a window of its own.",
    usage="ssh-key add <project>",
    example="ssh-key add acme/frontend",
    phrases=("ssh-key add acme/frontend",),
    also=("ssh",),
)
HEROKU_KEY = CommandHelp(
    name="heroku-key",
    group="Secrets",
    summary="Give my user on CircleCI a Heroku key, on a Server that still takes one.",
    usage="heroku-key add",
    example="heroku-key add",
    phrases=("heroku-key add",),
    also=("heroku",),
)
CACHE = CommandHelp(
    name="cache",
    group="Ship",
    summary="Clear a project's dependency caches, on a Server that still can.",
    usage="cache clear <project>",
    example="cache clear acme/frontend",
    phrases=("cache clear acme/frontend",),
    also=("caches", "clear", "build-cache"),
)


class Heroku(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(frozen=True)


def parse_ssh_key(words: Sequence[Word], projects: Projects) -> OfProject:
    """Return the project of `add <project>`."""
    return _project_after("add", words, projects)


def parse_cache(words: Sequence[Word], projects: Projects) -> OfProject:
    """Return the project of `clear <project>`."""
    return _project_after("clear", words, projects)


def parse_heroku(words: Sequence[Word], projects: Projects) -> Heroku:  # noqa: ARG001  # each parser has both
    """Return the request of `add`."""
    if [word.text.lower() for word in words] != ["add"]:
        raise UsageError("Say add, and nothing behind it.")
    return Heroku()


def _project_after(verb: str, words: Sequence[Word], projects: Projects) -> OfProject:
    if len(words) < 2 or words[0].text.lower() != verb:
        raise UsageError(f"Say {verb}, and then the project.")
    if len(words) > 2:
        raise UsageError("I expected nothing after the project.")
    return OfProject(slug=parse_project(words[1].text, projects).slug)


async def ssh_key(request: OfProject, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all
    """Offer the form."""
    project = await context.finder.project(request.slug)
    return credentials.ask_ssh_key(project.title, project.slug)


async def add_ssh_key(
    form: SshKeyForm,
    filled: Mapping[str, str],
    said: Click,  # noqa: ARG001  # as all forms
    context: Context,
) -> Message:
    """Send the key on, and forget it."""
    hostname, key = filled.get("hostname", "").strip(), filled["private_key"].strip() + "\n"
    await context.writes.add_ssh_key(form.project_slug, hostname, SecretStr(key))
    return credentials.ssh_key_added(form.project_slug, hostname)


async def heroku_key(request: Heroku, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all
    """Offer the form, and say what became of it."""
    return credentials.ask_heroku_key()


async def add_heroku_key(
    form: HerokuForm,  # noqa: ARG001  # as all forms
    filled: Mapping[str, str],
    said: Click,  # noqa: ARG001  # as all forms
    context: Context,
) -> Message:
    """Send the key on, and forget it."""
    try:
        await context.writes.add_heroku_key(SecretStr(filled["key"]))
    except Rejected as error:
        if not error.is_gone:
            raise
        return credentials.no_heroku()
    return credentials.heroku_key_set()


async def cache(request: OfProject, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all
    """Ask before anything is cleared."""
    project = await context.finder.project(request.slug)
    return credentials.ask_clear_cache(project.title, project.slug)


async def clear_cache(button: ClearCache, click: Click, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Clear them, where CircleCI still can."""
    try:
        return credentials.cache_cleared(button.project_slug, await context.writes.clear_cache(button.project_slug))
    except Rejected as error:
        if not error.is_gone:
            raise
        return credentials.no_cache_clearing()


def register(router: Router) -> None:
    """Teach the router these commands, their forms and their button."""
    router.command(SSH_KEY, parse=parse_ssh_key, permission="keys")(ssh_key)
    router.form(SshKeyForm, permission="keys", view=credentials.ssh_key_form)(add_ssh_key)
    router.command(HEROKU_KEY, parse=parse_heroku, permission="keys")(heroku_key)
    router.form(HerokuForm, permission="keys", view=credentials.heroku_form)(add_heroku_key)
    router.command(CACHE, parse=parse_cache, permission="rerun")(cache)
    router.action(ClearCache, permission="rerun")(clear_cache)
