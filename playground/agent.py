"""Lets ada make an agent, as a person does in Slack, and says how a client is given its token."""

import re
import socket

from playground.slack.api import Slack
from playground.slack.conversations import Message

NAME = "playground"
_TOKEN = re.compile(r"\bcia_[\w-]{43,}")
PATIENCE_SECONDS = 10
LINES = """
An agent can ask too, at {address}; what it wants done stands in #deploys, for you to press:
  claude mcp add --transport http ci {address} --header "Authorization: Bearer {token}"
Then ask it: what failed on acme/backend main?
"""


def free_port() -> int:
    """Return a port of this machine that nobody has at this moment: the address is told before anybody asks there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def lines(slack: Slack, port: int) -> str:
    """Return how a new agent of ada's asks the bot on this port; or that the bot makes none, as a policy may say."""
    try:
        return LINES.format(address=f"http://127.0.0.1:{port}/mcp", token=await _token(slack))
    except TimeoutError:
        return f"\nNo agent was made: `/ci agent add {NAME}` says why.\n"


async def _token(slack: Slack) -> str:
    """Have the agent made as a person does: by a command, its button and its window."""
    ada = slack.person("ada")
    before = ada.mark
    await ada.command("deploys", "/ci", f"agent add {NAME}")
    offer = await slack.wait_for(lambda: _with_button(ada.sees_only_since(before)), timeout=PATIENCE_SECONDS)
    assert offer is not None  # noqa: S101  # for mypy, as below
    await ada.click(offer, next(iter(offer.buttons)))
    window = await slack.wait_for(lambda: ada.modal, timeout=PATIENCE_SECONDS)
    assert window is not None  # noqa: S101
    await ada.submit(window)
    found = await slack.wait_for(lambda: _TOKEN.search(ada.modal.visible) if ada.modal else None, PATIENCE_SECONDS)
    if ada.modal:
        await ada.close(ada.modal)
    ada.dismiss(offer)
    assert found is not None  # noqa: S101  # for mypy: it waits until there is one
    return found[0]


def _with_button(told: list[Message]) -> Message | None:
    return next((one for one in told if one.buttons), None)
