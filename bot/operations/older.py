"""Keeps an act that waited for its turn from a build that is the newest of its branch no more: that is asked about."""

from bot.errors import NothingToDo
from bot.models.build import Build
from bot.models.pending import Approval, Rerun
from bot.operations.frame import Act
from bot.operations.hands import Hands


async def refuse_older(hands: Hands, act: Act, build: Build, wish: Rerun | Approval) -> None:
    """Raise NothingToDo where a newer build of the branch began since this one was read for the act.

    Who asks for an older one is asked first, and knows of those that were there. What has begun goes on.
    """
    if act.has_begun or act.caller.is_bot:
        return
    newer = await hands.finder.newer(build.pipeline, act.caller)
    if newer is not None and newer.created_at >= build.read_at.replace(microsecond=0):
        raise NothingToDo("older_by_now", number=newer.number, what=wish.typed)
