"""What an error is told with: what the people are called whom it names, and the project that may be meant."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import BotError, NotFound, UsageError
from bot.models.caller import Caller
from bot.models.likeness import are_alike
from bot.naming import Project
from bot.routing import Context
from formatters.told import Made, people_of

SECONDS = 3.0  # to find out which project may be meant


async def made(error: BotError, caller: Caller, tool: str, arguments: Mapping[str, Any], context: Context) -> Made:
    """Return the call that an error answers."""
    names = {one: await context.messenger.user_name(one) or one for one in sorted(people_of(error))}
    return Made(tool, arguments, names, await _near(error, caller, arguments.get("project"), context))


async def _near(error: BotError, caller: Caller, given: Any, context: Context) -> str:
    """Return the project that may be meant instead of one that is none, of those that its owner may look at."""
    is_none = isinstance(error, NotFound) and error.what == "project"
    if not isinstance(given, str) or not (is_none or (isinstance(error, UsageError) and error.given == given)):
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            return nearest(given, await context.finder.known_projects(caller))
    except (BotError, TimeoutError):
        return ""


def nearest(given: str, known: Sequence[Project]) -> str:
    """Return the one project that is called so, or almost so; empty text where there is none, or several are."""
    name = given.casefold().strip("/").removeprefix("gh/")
    called = [one.slug for one in known if name in (one.name.casefold(), one.title.casefold())]
    alike = [one.slug for one in known if are_alike(name, one.title) or are_alike(name, one.name)]
    found = called or alike
    return found[0] if len(found) == 1 else ""
