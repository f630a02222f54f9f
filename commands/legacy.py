"""SSH keys for builds, the Heroku key, the dependency caches: only API v1.1 has them, and Cloud dropped some."""

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from bot.actions import ClearCache, HerokuForm, SshKeyForm
from bot.answers.acts import Acted
from bot.answers.keeps import Offer
from bot.errors import NothingToDo, UsageError
from bot.grammar import Word, parse_slug
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.help import CommandHelp
from bot.requests import Nothing, OfProject
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import credentials

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
    only_on_server=True,
)
CACHE = CommandHelp(
    name="cache",
    group="Ship",
    summary="Clear a project's dependency caches, on a Server that still can.",
    usage="cache clear <project>",
    example="cache clear acme/frontend",
    phrases=("cache clear acme/frontend",),
    also=("caches", "clear", "build-cache"),
    only_on_server=True,
)


def parse_ssh_key(words: Sequence[Word], projects: Projects) -> OfProject:
    """Return the project of `add <project>`."""
    return _project_after("add", words, projects)


def parse_cache(words: Sequence[Word], projects: Projects) -> OfProject:
    """Return the project of `clear <project>`."""
    return _project_after("clear", words, projects)


def parse_heroku(words: Sequence[Word], projects: Projects) -> Nothing:
    """Return the request of `add`."""
    if [word.text.lower() for word in words] != ["add"]:
        raise UsageError("Say add, and nothing after it.")
    return Nothing()


def _project_after(verb: str, words: Sequence[Word], projects: Projects) -> OfProject:
    if len(words) < 2 or words[0].text.lower() != verb:
        raise UsageError(f"Say {verb}, and then the project.")
    if len(words) > 2:
        raise UsageError("I expected nothing after the project.")
    return OfProject(project=parse_slug(words[1].text, projects))


async def ssh_key(request: OfProject, caller: Caller, context: Context) -> Offer:
    """Offer the form."""
    project = await context.finder.asked(request, caller)
    return Offer(act="add_ssh_key", project_slug=project.slug, project_title=project.title)


async def add_ssh_key(form: SshKeyForm, filled: Mapping[str, str], caller: Caller, context: Context) -> Acted:
    """Send the key on, and forget it."""
    hostname, key = filled.get("hostname", "").strip(), filled["private_key"].strip() + "\n"
    return await context.operations.add_ssh_key(caller, ProjectSlug(form.project_slug), hostname, SecretStr(key))


async def heroku_key(request: Nothing, caller: Caller, context: Context) -> Offer:
    """Offer the form; raises NothingToDo on Cloud, which takes none any more."""
    if context.settings.is_cloud:
        raise NothingToDo("no_heroku_on_cloud")
    return Offer(act="add_heroku_key")


async def add_heroku_key(form: HerokuForm, filled: Mapping[str, str], caller: Caller, context: Context) -> Acted:
    """Send the key on, and forget it."""
    return await context.operations.add_heroku_key(caller, SecretStr(filled["key"]))


async def cache(request: OfProject, caller: Caller, context: Context) -> Offer:
    """Ask before anything is cleared; raises NothingToDo on Cloud, which cannot any more."""
    if context.settings.is_cloud:
        raise NothingToDo("no_cache_clearing")
    project = await context.finder.asked(request, caller)
    return Offer(act="clear_cache", project_slug=project.slug, project_title=project.title)


async def clear_cache(button: ClearCache, caller: Caller, context: Context) -> Acted:
    """Clear them, where CircleCI still can."""
    return await context.operations.clear_cache(caller, ProjectSlug(button.project_slug))


def register(router: Router) -> None:
    """Teach the router these commands, their forms and their button."""
    router.command(SSH_KEY, permission="keys", request=OfProject, parse=parse_ssh_key, handle=ssh_key)
    router.form(SshKeyForm, "Paste the key", permission="keys", view=credentials.ssh_key_form, submit=add_ssh_key)
    router.command(HEROKU_KEY, permission="keys", request=Nothing, parse=parse_heroku, handle=heroku_key, at_once=True)
    router.form(HerokuForm, "Paste the key", permission="keys", view=credentials.heroku_form, submit=add_heroku_key)
    router.command(CACHE, permission="rerun", request=OfProject, parse=parse_cache, handle=cache)
    router.action(ClearCache, permission="rerun", handle=clear_cache)
