"""Checkout keys of a project: listed, shown, added and removed."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.actions import AddCheckoutKey, RemoveCheckoutKey
from bot.errors import Rejected, UsageError
from bot.finding import known
from bot.grammar import Word, parse_project
from bot.models.circleci import ProjectSlug
from bot.models.classic import CheckoutKey
from bot.models.slack import Click, Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import credentials
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="keys",
    group="Secrets",
    summary="List a project's checkout keys; show, add or remove one.",
    usage="keys [list | show | add | remove] <project> [<fingerprint> | deploy-key | user-key]",
    example="keys acme/frontend",
    phrases=("keys list acme/frontend", "keys add acme/frontend deploy-key", "keys show acme/frontend c9:0b:1c"),
    also=("key", "checkout-key", "checkout-keys"),
)
ACTS = ("list", "show", "add", "remove")
# As people say it, and as API v1.1 does.
KINDS = {"deploy-key": "deploy-key", "user-key": "github-user-key", "github-user-key": "github-user-key"}


class Keys(BaseModel):
    """What to do with which key: `which` is a fingerprint, or the kind of a new one."""

    model_config = ConfigDict(frozen=True)
    act: str
    slug: ProjectSlug
    which: str = ""


def parse(words: Sequence[Word], projects: Projects) -> Keys:
    """Return the request, or a UsageError that names the word it trips over."""
    rest = list(words)
    act = rest.pop(0).text.lower() if rest and rest[0].text.lower() in ACTS else "list"
    if not rest:
        raise UsageError("Which project's keys?")
    slug = parse_project(rest.pop(0).text, projects).slug
    which = rest.pop(0).text if rest else ""
    if rest:
        raise UsageError("I expected nothing after this.", given=rest[0].text)
    if act == "add" and which not in KINDS:
        raise UsageError("Which kind of key: deploy-key, or user-key?", given=which)
    if act in ("show", "remove") and not which:
        raise UsageError("Which key? Its fingerprint stands in the list.")
    return Keys(act=act, slug=slug, which=which)


async def keys(request: Keys, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with keys, or offer what was asked for."""
    project = await context.finder.project(request.slug)
    if request.act == "add":
        return credentials.ask_add_key(project.title, project.slug, KINDS[request.which])
    if request.act == "list" and not request.which:
        return credentials.keys(project.title, await context.circleci.checkout_keys(project.slug))
    found = await _found(project.slug, request.which, context)
    if request.act == "remove":
        return credentials.ask_remove_key(project.title, project.slug, found)
    return credentials.key(project.title, found)


async def add_key(button: AddCheckoutKey, click: Click, context: Context) -> Message:
    """Have CircleCI make a key, once for this press."""
    if not await context.store.claims.first(f"add-key:{click.id}"):
        return credentials.pressed_before()
    return credentials.key_added(
        button.project_slug, await context.writes.add_checkout_key(button.project_slug, button.kind)
    )


async def remove_key(button: RemoveCheckoutKey, click: Click, context: Context) -> Message:  # noqa: ARG001  # as all
    """Look again, then remove it."""
    try:
        await context.writes.remove_checkout_key(button.project_slug, button.fingerprint)
    except Rejected as error:
        if not error.is_gone:
            raise
        return credentials.gone(button.fingerprint)
    return credentials.key_removed(button.project_slug, button.fingerprint)


async def _found(slug: ProjectSlug, fingerprint: str, context: Context) -> CheckoutKey:
    with known("checkout key", fingerprint, slug):
        return await context.circleci.checkout_key(slug, fingerprint)


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(HELP, parse=parse, permission="keys")(keys)
    router.action(AddCheckoutKey, permission="keys")(add_key)
    router.action(RemoveCheckoutKey, permission="keys")(remove_key)
