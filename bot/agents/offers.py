"""What an answer offers to call next, kept as far as whoever is told it can call it.

What is told of a build knows nothing of who reads it. So an act stands only where the agent may ask for it, a tool only
where there is one at this address, and in the place of a `follow` without a thread the look that says the same.
"""

from collections.abc import Mapping
from typing import Any

from bot.agents.following import Following
from bot.agents.shapes import Refs
from bot.agents.tools import tools
from bot.answers import Answer
from bot.errors import UsageError
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, ProjectSlug, Ref
from bot.policy import Word
from bot.requests import OfTarget
from bot.routing import Context
from formatters.told.words import call

NEXT = "next"
_AGAIN = "look again in 20 seconds"


def refs_of(answer: Answer) -> Refs:
    """Return what the builds of an answer are of, by their numbers: a call that offers one names no branch."""
    found: dict[int, Ref | None] = {}
    for value in vars(answer).values():
        for one in value if isinstance(value, tuple) else (value,):
            pipeline = one if isinstance(one, Pipeline) else getattr(one, "pipeline", None)
            if isinstance(pipeline, Pipeline):
                found[pipeline.number] = pipeline.ref
    return found


class Offers:
    """Asks the policy and the store, and CircleCI nothing but what a project is called."""

    def __init__(self, context: Context, following: Following) -> None:
        self._context = context
        self._following = following
        self._acts = {name: one.permission for name, one in tools(context.router).items() if not one.only_looks}

    async def kept(self, data: Mapping[str, Any], caller: Caller, refs: Refs, *, readonly: bool) -> dict[str, Any]:
        """Return data with what of `next` can be called, in it and in what it holds."""
        kept = dict[str, Any]()
        for name, value in data.items():
            if name == NEXT and isinstance(value, list | tuple):
                offered = [await self._offer(one, caller, refs, readonly=readonly) for one in value]
                if any(offered):
                    kept[name] = [one for one in offered if one]
            elif isinstance(value, Mapping) and NEXT in value:
                kept[name] = await self.kept(value, caller, refs, readonly=readonly)
            else:
                kept[name] = value
        return kept

    async def words(self, caller: Caller, *, readonly: bool) -> frozenset[str]:
        """Return the names of the acts that an agent may ask for at all."""
        if readonly:
            return frozenset()
        permissions, found = self._context.permissions, set[str]()
        for name, word in self._acts.items():
            asked = (await permissions.asked(caller, word))._replace(certain=False)
            if (await permissions.decision(caller, asked)).allowed:
                found.add(name)
        return frozenset(found)

    async def _offer(self, one: Any, caller: Caller, refs: Refs, *, readonly: bool) -> Any:
        """Return one offer, another in its place, or None."""
        tool = one.get("tool", "") if isinstance(one, Mapping) else ""
        if tool in self._acts:
            may = not readonly and await self._may(self._acts[tool], one["arguments"], caller, refs)
            return one if may else None
        if tool == "follow":
            return await self._follow(one, caller)
        if tool == "may":
            return one if await self._may(Word.READ, one["arguments"], caller, refs) else None
        return one

    async def _may(self, word: str, arguments: Mapping[str, Any], caller: Caller, refs: Refs) -> bool:
        slug, ref = self._of(arguments)
        if slug is None:
            return False
        place = (slug, slug.partition("/")[2], ref or refs.get(arguments.get("pipeline", 0)))
        return bool(await self._context.permissions.offered(caller, (word,), [place]))

    async def _follow(self, one: Any, caller: Caller) -> Any:
        arguments = one["arguments"]
        if of := arguments.get("of"):
            return one if await self._following.is_told(of, caller) else None
        slug, number = arguments.get("project", ""), arguments.get("pipeline", 0)
        if await self._following.is_followed(slug, number, caller):
            return one
        return call("status", _AGAIN, project=slug, pipeline=number)

    def _of(self, arguments: Mapping[str, Any]) -> tuple[ProjectSlug | None, Ref | None]:
        named = {name: arguments[name] for name in ("project", "branch", "tag") if name in arguments}
        try:
            return OfTarget(**named).about(self._context.projects)
        except UsageError:
            return None, None
