"""Whom the tokens belong to, and what they see over all projects: of each answer, the generation that has it."""

from bot.circleci import v1, v2
from bot.circleci.answers import decode
from bot.circleci.transport import Transport
from bot.errors import CircleCIError
from bot.models.circleci import Collaboration, User
from bot.models.classic import BuildSummary, FollowedProject
from bot.together import together


class CircleCIAccount:
    """`protocols.Account` at CircleCI."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._v1, self._v2 = v1.Api(transport), v2.Api(transport)

    async def me(self) -> User:
        """Return whom the token belongs to; everything else in that answer is private."""
        return decode(User, (await self._v1.get("me")).data)

    async def owners(self) -> dict[str, User | CircleCIError]:
        """Return whose each token is, or what CircleCI says of it; the default one is under the empty name."""
        names = ("", *self._transport.token_names)
        return dict(zip(names, await together(*(self._owner(name) for name in names)), strict=True))

    async def _owner(self, name: str) -> User | CircleCIError:
        # Of each token, at one address: it is not asked through what remembers addresses.
        with_token = self._transport.with_token_of(name)
        try:
            return decode(User, (await with_token.request("GET", f"{v2.API}me")).data)
        except CircleCIError as error:
            return error

    async def collaborations(self) -> tuple[Collaboration, ...]:
        """Return the organisations that the token's user belongs to."""
        found = (await self._v2.get("me/collaborations")).data
        return tuple(decode(Collaboration, item) for item in found if isinstance(item, dict)) if found else ()

    async def followed_projects(self) -> tuple[FollowedProject, ...]:
        """Return the projects that the token's user follows; those it may only see are not among them."""
        return await self._v1.all(FollowedProject, "projects")

    async def recent_builds(self, limit: int = 30) -> tuple[BuildSummary, ...]:
        """Return the newest builds over all followed projects, newest first; at most 100."""
        return await self._v1.all(BuildSummary, "recent-builds", limit=str(limit), shallow="true")
