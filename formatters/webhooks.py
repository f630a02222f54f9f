"""Whether CircleCI calls the bot when something ends, in words."""

from bot.actions import AddWebhook
from formatters.blocks import Message, actions, assemble, button, code, confirm, literal, section
from formatters.words import count

MOST_PER_PROJECT = 5  # https://circleci.com/docs/outbound-webhooks/


def _said(text: str) -> Message:
    return assemble(text, section(text))


def not_possible(project: str) -> Message:
    """Say which settings are missing."""
    return _said(
        f"For {literal(project)} I look at CircleCI by myself. To be told at once I need an address that CircleCI "
        "reaches: set PUBLIC_URL and CIRCLECI_WEBHOOK_SECRET, and restart me."
    )


def set_up(project: str, address: str) -> Message:
    """Say that it is there."""
    return _said(f"✅ CircleCI tells me of {literal(project)} at {code(address)}. I look at each build all the same.")


def offer(project: str, slug: str, address: str, *, others: int) -> Message:
    """Offer to set it up."""
    if others >= MOST_PER_PROJECT:
        return _said(f"{literal(project)} has {count(others, 'webhook')} already, and CircleCI allows no more.")
    can = f"It can, at {code(address)}; my user must be an admin of the organisation."
    text = f"CircleCI does not tell me of {literal(project)} yet. {can}"
    sure = confirm(
        "Set up the webhook?",
        f"CircleCI calls {address} when a workflow or a job of {project} ends.",
        "Set it up",
        "Not now",
    )
    made = button(AddWebhook(project_slug=slug), "Set it up", style="primary", confirm=sure)
    return assemble(text, section(text), actions(made))
