"""Whether CircleCI calls the bot when something ends, in words."""

from bot.actions import AddWebhook
from bot.answers.acts import Acted
from bot.answers.keeps import WebhookState
from formatters.blocks import Message, actions, assemble, button, code, literal, section
from formatters.dialogs import asks
from formatters.words import count

MOST_PER_PROJECT = 5  # https://circleci.com/docs/outbound-webhooks/


def state(found: WebhookState) -> Message:
    """Return how it stands: it cannot be, it is, or it is offered."""
    if not found.address:
        return _not_possible(found)
    return _set_up(found.project_title, found.address) if found.is_set_up else _offer(found)


def added(done: Acted) -> Message:
    """Say that CircleCI tells us from now on."""
    return _set_up(done.project_title, done.what)


def _not_possible(found: WebhookState) -> Message:
    return _said(
        f"For {literal(found.project_title)} I look at CircleCI by myself. To be told at once I need an address that "
        "CircleCI reaches: set PUBLIC_URL and CIRCLECI_WEBHOOK_SECRET, and restart me."
    )


def _set_up(project: str, address: str) -> Message:
    return _said(f"✅ CircleCI tells me of {literal(project)} at {code(address)}. I look at each build all the same.")


def _offer(found: WebhookState) -> Message:
    project = found.project_title
    if found.others >= MOST_PER_PROJECT:
        return _said(f"{literal(project)} has {count(found.others, 'webhook')} already, and CircleCI allows no more.")
    can = f"It can, at {code(found.address)}; my user must be an admin of the organisation."
    text = f"CircleCI does not tell me of {literal(project)} yet. {can}"
    sure = asks(
        "Set up the webhook?",
        f"CircleCI calls {found.address} when a workflow or a job of {project} ends.",
        "Set it up",
        "Not now",
    )
    if sure is None:
        return _said(f"{text} That address is too long for a dialog of Slack's: set it up on CircleCI's own page.")
    made = button(AddWebhook(project_slug=found.project_slug), "Set up the webhook", style="primary", confirm=sure)
    return assemble(text, section(text), actions(made))


def _said(text: str) -> Message:
    return assemble(text, section(text))
