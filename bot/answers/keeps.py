"""What a project keeps at CircleCI: variables, keys, a webhook; and an act that is offered, to be pressed for."""

from typing import Literal

from bot.answers import Answer
from bot.models.circleci import ProjectSlug
from bot.models.classic import CheckoutKey


class Variables(Answer):
    """A project's environment variables, or the one that was asked about, `which`: names alone, never a value."""

    project_slug: ProjectSlug
    project_title: str
    names: tuple[str, ...]
    which: str = ""


class CheckoutKeys(Answer):
    """A project's checkout keys, or the one whose fingerprint was asked about, `which`."""

    project_slug: ProjectSlug
    project_title: str
    keys: tuple[CheckoutKey, ...]
    which: str = ""


class Offer(Answer):
    """An act that can be done, and was not: a secret is typed into a window of its own, the rest is asked about first.

    `act` is the operation's name; `what` it acts on: a variable, the kind of a key or its fingerprint. `key` is the one
    that would be removed.
    """

    act: Literal[
        "set_variable",
        "remove_variable",
        "add_checkout_key",
        "remove_checkout_key",
        "add_ssh_key",
        "add_heroku_key",
        "clear_cache",
    ]
    project_slug: ProjectSlug = ProjectSlug("")
    project_title: str = ""
    what: str = ""
    key: CheckoutKey | None = None


class WebhookState(Answer):
    """Whether CircleCI tells the bot of a project's builds at `address`; without one, it could not.

    `others` is how many webhooks the project has for somebody else.
    """

    project_slug: ProjectSlug
    project_title: str
    address: str = ""
    is_set_up: bool = False
    others: int = 0
