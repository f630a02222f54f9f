"""The buttons of a branch that is red: who looks at it."""

from bot.actions import LookAt, LookInstead
from bot.answers.acts import Acted
from bot.models.caller import Caller
from bot.routing import Context, Router


async def look_at(button: LookAt, caller: Caller, context: Context) -> Acted:
    """Say who looks at it, where it was pressed."""
    return await context.operations.look_at(caller, button)


async def look_instead(button: LookInstead, caller: Caller, context: Context) -> Acted:
    """Say who looks at it from now on, or that nobody does."""
    return await context.operations.look_instead(caller, button)


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(LookAt, permission="read", handle=look_at)
    router.action(LookInstead, permission="read", handle=look_instead)
