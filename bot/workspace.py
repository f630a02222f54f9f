"""What Slack knows of its workspace: who we are there, its people and groups, the channels that we may see."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Self

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackError
from bot.models.checkup import Identity
from bot.models.refusals import CHANNEL_GONE
from bot.policy import Kind
from bot.slack_calls import SlackBudgets, SlackCalls, tried

MOST_PAGES = 10


class Workspace:
    """Asks as the bot; with `budgets` all processes together keep to them, and to what Slack asks of any of them."""

    def __init__(self, *, token: SecretStr, api_url: str, budgets: SlackBudgets | None = None) -> None:
        self._api_url = api_url
        self._calls = SlackCalls(token=token, api_url=api_url, budgets=budgets)
        self._team_id = self._enterprise_id = ""

    async def __aenter__(self) -> Self:
        await self._calls.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._calls.__aexit__(*error)

    @property
    def client(self) -> AsyncWebClient:
        """Slack's own client, for Bolt."""
        return self._calls.client

    @property
    def refused(self) -> str:
        """Why Slack takes our token no more, empty while it does."""
        return self._calls.refused

    async def identity(self) -> Identity:
        """Return whom the bot token belongs to; raises SlackError with Slack's own code."""
        answer = await tried("auth.test", self.client.auth_test())
        self._team_id, self._enterprise_id = (str(answer.get(name) or "") for name in ("team_id", "enterprise_id"))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Identity(
            **{name: str(answer.get(name) or "") for name in ("team", "team_id", "user", "user_id", "bot_id")},
            scopes=frozenset(scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")),
            date=parsedate_to_datetime(headers["date"]) if "date" in headers else None,
        )

    async def try_app_token(self, token: SecretStr) -> None:
        """Return when Slack would open a socket for an app-level token; raises SlackError."""
        asking = self.client.apps_connections_open(app_token=token.get_secret_value())
        await tried("apps.connections.open", asking)

    async def channels(self) -> dict[str, str]:
        """Return the channels we are a member of: id and name, the first thousand."""
        fields = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": 999}
        answer = await self._calls.read("users.conversations", fields)
        return {str(one["id"]): str(one.get("name") or one["id"]) for one in answer.get("channels") or []}

    async def channels_of(self, user_id: str) -> frozenset[str]:
        """Return the channels that somebody is in, of those that we may see: a private one only where we are too.

        Raises SlackError. https://docs.slack.dev/reference/methods/users.conversations
        """
        fields = {"user": user_id, "types": "public_channel,private_channel", "exclude_archived": True, "limit": 999}
        found, cursor = set[str](), ""
        for _ in range(MOST_PAGES):
            answer = await self._calls.read("users.conversations", {**fields, "cursor": cursor or None})
            found |= {str(one["id"]) for one in answer.get("channels") or []}
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(found)

    async def knows_channel(self, channel_id: str) -> bool:
        """Say whether Slack shows us a channel: a private one that we are not in is none for us."""
        try:
            await self._calls.read("conversations.info", {"channel": channel_id})
        except SlackError as error:
            if error.code == "channel_not_found":
                return False
            raise
        return True

    async def is_in(self, channel_id: str) -> bool:
        """Say whether we are a member of a channel; where Slack does not say, what it takes from us will tell."""
        try:
            answer = await self._calls.read("conversations.info", {"channel": channel_id})
        except SlackError as error:
            return error.code not in CHANNEL_GONE
        return bool((answer.get("channel") or {}).get("is_member", True))

    async def has_talked(self, channel_id: str) -> bool:
        """Say whether anything was ever said in these direct messages."""
        answer = await self._calls.read("conversations.history", {"channel": channel_id, "limit": 1})
        return bool(answer.get("messages"))

    async def user_name(self, user_id: str) -> str:
        """Return what a person is called, or empty text where Slack does not say."""
        try:
            user = (await self._calls.read("users.info", {"user": user_id}))["user"]
        except SlackError:
            return ""
        profile = user.get("profile") or {}
        return str(profile.get("display_name") or profile.get("real_name") or user.get("name") or "")

    async def zone_of(self, user_id: str) -> str:
        """Return the name of a person's time zone, such as `Europe/Berlin`, or empty text where Slack does not say.

        https://docs.slack.dev/reference/objects/user-object
        """
        try:
            user = (await self._calls.read("users.info", {"user": user_id}))["user"]
        except SlackError:
            return ""
        return str(user.get("tz") or "")

    async def user_by_mail(self, mail: str) -> str:
        """Return the id of who has this address, or empty text; raises SlackError.

        Without `users:read.email` that is `missing_scope`.
        https://docs.slack.dev/reference/methods/users.lookupByEmail
        """
        try:
            user = (await self._calls.read("users.lookupByEmail", {"email": mail}))["user"]
        except SlackError as error:
            if error.code != "users_not_found":
                raise
            return ""
        return "" if user.get("deleted") or user.get("is_bot") else str(user.get("id") or "")

    async def kind_of(self, user_id: str) -> Kind:
        """Return whether somebody is a member, a guest, from another workspace or gone; raises SlackError."""
        return self._kind((await self._calls.read("users.info", {"user": user_id}))["user"])

    async def kinds(self) -> dict[str, Kind]:
        """Return the same of the first thousand people of the workspace, who may be all; raises SlackError."""
        answer = await self._calls.read("users.list", {"limit": 1000})
        return {str(user["id"]): self._kind(user) for user in answer.get("members") or []}

    def _kind(self, user: Mapping[str, Any]) -> Kind:
        if user.get("deleted"):
            return Kind.GONE
        if user.get("is_stranger") or self._is_foreign(user):
            return Kind.STRANGER
        guest = user.get("is_restricted") or user.get("is_ultra_restricted")
        return Kind.GUEST if guest else Kind.MEMBER

    def _is_foreign(self, user: Mapping[str, Any]) -> bool:
        """Say whether somebody belongs to another company: of those in a shared channel `is_stranger` says no.

        https://docs.slack.dev/reference/objects/user-object : `team_id` is the workspace they belong to.
        """
        team_id = user.get("team_id")
        if not team_id or not self._team_id or team_id == self._team_id:
            return False
        enterprise_id = (user.get("enterprise_user") or {}).get("enterprise_id")
        return not (self._enterprise_id and enterprise_id == self._enterprise_id)

    async def members_of(self, group_id: str) -> frozenset[str]:
        """Return who is in a user group; raises SlackError: `missing_scope` without `usergroups:read`."""
        answer = await self._calls.read("usergroups.users.list", {"usergroup": group_id})
        return frozenset(str(user_id) for user_id in answer.get("users") or [])

    async def group_name(self, group_id: str) -> str:
        """Return what stands behind the `@` of a user group, or empty text where Slack does not say."""
        try:
            groups = (await self._calls.read("usergroups.list", {})).get("usergroups") or []
        except SlackError:
            return ""
        return next((str(group.get("handle") or "") for group in groups if group.get("id") == group_id), "")
