"""Checkout keys of a project: listed, shown, added and removed."""

from collections.abc import Sequence
from typing import Literal, Self, cast, get_args

from pydantic import model_validator

from bot.actions import AddCheckoutKey, RemoveCheckoutKey
from bot.answers.acts import Acted, KeyAdded
from bot.answers.keeps import CheckoutKeys, Offer
from bot.errors import UsageError
from bot.grammar import Word, parse_slug, without_stop
from bot.lookup import known
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.classic import CheckoutKey
from bot.models.help import CommandHelp
from bot.requests import OfProject, Typed
from bot.routing import Context, Router
from bot.settings import Projects

HELP = CommandHelp(
    name="keys",
    group="Secrets",
    summary="List a project's checkout keys; show, add or remove one.",
    usage="keys [list | show | add | remove] <project> [<fingerprint> | deploy-key | user-key]",
    example="keys acme/frontend",
    phrases=("keys list acme/frontend", "keys add acme/frontend deploy-key", "keys show acme/frontend c9:0b:1c"),
    also=("key", "checkout-key", "checkout-keys"),
)
Act = Literal["list", "show", "add", "remove"]
ACTS = get_args(Act)
# As people say it, and as API v1.1 does.
KINDS = {"deploy-key": "deploy-key", "user-key": "github-user-key", "github-user-key": "github-user-key"}
WHICH_KIND = "Which kind of key: deploy-key, or user-key?"
WHICH_KEY = "Which key? Its fingerprint stands in the list."


class Keys(OfProject):
    """What to do with which key: `which` is a fingerprint, or the kind of a new one (deploy-key, user-key)."""

    act: Act = "list"
    which: Typed = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if problem := _lacks(self.act, self.which):
            raise ValueError(problem)
        return self


def parse(words: Sequence[Word], projects: Projects) -> Keys:
    """Return the request, or a UsageError that names the word it trips over."""
    rest = without_stop(words, "?.")
    act = rest.pop(0).text.lower() if rest and rest[0].text.lower() in ACTS else "list"
    if not rest:
        raise UsageError("Which project's keys?")
    slug = parse_slug(rest.pop(0).text, projects)
    which = rest.pop(0).text if rest else ""
    if rest:
        raise UsageError("I expected nothing after this.", given=rest[0].text)
    if problem := _lacks(act, which):
        raise UsageError(problem, given=which)
    return Keys(act=cast("Act", act), project=slug, which=which)


def _lacks(act: str, which: str) -> str:
    """Return what an act still has to be told, or empty text."""
    if act == "add":
        return "" if which in KINDS else WHICH_KIND
    return "" if which or act == "list" else WHICH_KEY


async def keys(request: Keys, caller: Caller, context: Context) -> CheckoutKeys | Offer:
    """Answer with keys, or offer what was asked for."""
    project = await context.finder.asked(request, caller)
    slug, title = project.slug, project.title
    if request.act == "add":
        return Offer(act="add_checkout_key", project_slug=slug, project_title=title, what=KINDS[request.which])
    if not request.which:
        found = await context.circleci.checkout_keys(slug)
        return CheckoutKeys(project_slug=slug, project_title=title, keys=found)
    key = await _found(slug, request.which, context)
    if request.act == "remove":
        what = key.fingerprint
        return Offer(act="remove_checkout_key", project_slug=slug, project_title=title, what=what, key=key)
    return CheckoutKeys(project_slug=slug, project_title=title, keys=(key,), which=request.which)


async def add_key(button: AddCheckoutKey, caller: Caller, context: Context) -> KeyAdded:
    """Have CircleCI make a key, once for this press."""
    return await context.operations.add_checkout_key(caller, ProjectSlug(button.project_slug), button.kind)


async def remove_key(button: RemoveCheckoutKey, caller: Caller, context: Context) -> Acted:
    """Remove it, if it is still there."""
    return await context.operations.remove_checkout_key(caller, ProjectSlug(button.project_slug), button.fingerprint)


async def _found(slug: ProjectSlug, fingerprint: str, context: Context) -> CheckoutKey:
    with known("checkout key", fingerprint, slug):
        return await context.circleci.checkout_key(slug, fingerprint)


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(HELP, permission="keys", request=Keys, parse=parse, handle=keys)
    router.action(AddCheckoutKey, permission="keys", handle=add_key)
    router.action(RemoveCheckoutKey, permission="keys", handle=remove_key)
