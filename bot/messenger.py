"""What is said in Slack and asked of it: posts and edits, text alone when blocks are refused; people and channels."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.budgets import NO_WAIT
from bot.errors import SlackError, SlackLimited
from bot.models.caller import Place
from bot.models.checkup import Identity
from bot.models.refusals import CHANNEL_GONE
from bot.outside import proxy_for
from bot.policy import Kind
from bot.slack_calls import PATIENCE, POST, UPDATE, SlackBudgets, SlackCalls, code_of, tried
from formatters.blocks import Message
from formatters.limits import violations

SLACK_HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})

MARKED = "ci_chatops_post"  # the type of our posts' metadata
MOST_PAGES = 10
log = structlog.get_logger(__name__)


class Messenger:
    """Posts, edits and answers; raises SlackError with Slack's own code, SlackLimited when it must wait long.

    With `budgets` all processes together keep to them, and to what Slack asks of any of them.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        api_url: str,
        budgets: SlackBudgets | None = None,
    ) -> None:
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

    async def post(
        self,
        channel_id: str,
        message: Message,
        *,
        thread_ts: str | None = None,
        mark: str | None = None,
        polite: bool = False,
        aloud: bool = False,
        patience: timedelta = PATIENCE,
    ) -> str:
        """Post into a channel or a thread; returns the message's `ts`. `find` knows it again by its `mark`.

        A `polite` one leaves room to others. What is said `aloud` in a thread stands in its channel as well, and stays
        there through edits: https://docs.slack.dev/reference/methods/chat.postMessage#arg_reply_broadcast
        """
        await self._calls.turn(POST, channel_id, polite=polite, patience=patience)
        fields = {"channel": channel_id, "thread_ts": thread_ts, "unfurl_links": False, "unfurl_media": False}
        fields |= {"reply_broadcast": True} if aloud and thread_ts else {}
        metadata = {"event_type": MARKED, "event_payload": {"mark": mark}} if mark else None
        answer = await self._send(POST, {**fields, "metadata": metadata}, message)
        return str(answer["ts"])

    async def find(self, thread: Place, mark: str, since: datetime | None = None) -> str | None:
        """Return the `ts` of our message that bears `mark`, None when it does not stand there.

        Raises SlackError: `missing_scope` where we may not read that channel. Of a channel the newest hundred messages
        are looked at, and more, a thousand at the most, where these came `since` then; of a thread all.
        https://docs.slack.dev/messaging/message-metadata
        """
        method = "conversations.replies" if thread.thread_ts else "conversations.history"
        fields = {"channel": thread.channel_id, "ts": thread.thread_ts, "limit": 100, "include_all_metadata": True}
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._calls.read(method, {**fields, "cursor": cursor or None})
            page = answer.get("messages") or []
            for message in page:
                if (message.get("metadata") or {}).get("event_payload", {}).get("mark") == mark:
                    return str(message["ts"])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor or (thread.thread_ts is None and not _came_after(page, since)):
                break
        return None

    async def update(self, channel_id: str, ts: str, message: Message, *, urgent: bool = False) -> bool:
        """Edit a message in place; False when the budget for edits is spent and this one is not `urgent`."""
        try:
            await self._calls.turn(UPDATE, "", polite=not urgent, patience=PATIENCE if urgent else NO_WAIT)
        except SlackLimited:
            if urgent:
                raise
            return False
        await self._send(UPDATE, {"channel": channel_id, "ts": ts}, message)
        return True

    async def whisper(self, channel_id: str, user_id: str, message: Message, *, thread_ts: str | None = None) -> None:
        """Tell one person, where they asked; by direct message when they or we are not in that channel."""
        if not await self.whisper_there(channel_id, user_id, message, thread_ts=thread_ts):
            await self.direct(user_id, message)

    async def whisper_there(
        self, channel_id: str, user_id: str, message: Message, *, thread_ts: str | None = None
    ) -> bool:
        """Tell one person in a channel and nowhere else; False where they or we are not in it."""
        fields = {"channel": channel_id, "user": user_id, "thread_ts": thread_ts}
        try:
            await self._send("chat.postEphemeral", fields, message)
        except SlackError as error:
            if error.code not in CHANNEL_GONE:
                raise
            return False
        return True

    async def permalink(self, channel_id: str, ts: str) -> str:
        """Return the address of a message, or empty text where Slack does not say."""
        try:
            answer = await self._calls.read("chat.getPermalink", {"channel": channel_id, "message_ts": ts})
        except SlackError:
            return ""
        return str(answer.get("permalink") or "")

    async def direct(self, user_id: str, message: Message, *, thread_ts: str | None = None) -> tuple[str, str]:
        """Send a direct message; returns its channel and `ts`."""
        channel_id = await self.direct_channel(user_id)
        return channel_id, await self.post(channel_id, message, thread_ts=thread_ts)

    async def direct_channel(self, user_id: str) -> str:
        """Return the channel of our direct messages with somebody."""
        opened = await self._calls.call("conversations.open", {"users": user_id})
        return str(opened["channel"]["id"])

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

    async def open_view(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Show somebody a modal; the trigger is good for three seconds."""
        await self._calls.call("views.open", {"trigger_id": trigger_id, "view": view})

    async def update_view(self, view_id: str, view: dict[str, Any]) -> None:
        """Change a modal that is open."""
        await self._calls.call("views.update", {"view_id": view_id, "view": view})

    async def publish_view(self, user_id: str, view: dict[str, Any]) -> None:
        """Write somebody's home tab anew."""
        await self._calls.call("views.publish", {"user_id": user_id, "view": view})

    async def upload(self, channel_id: str, name: str, content: bytes, *, thread_ts: str | None = None) -> None:
        """Put a file into a channel or a thread."""
        try:
            await self.client.files_upload_v2(
                channel=channel_id, thread_ts=thread_ts, filename=name, title=name, content=content
            )
        except SlackApiError as error:
            raise SlackError("files.upload", code_of(error)) from error
        except (aiohttp.ClientError, SlackRequestError, TimeoutError) as error:
            raise SlackError("files.upload", type(error).__name__) from error

    async def react(self, channel_id: str, ts: str, name: str) -> None:
        """Put a reaction to a message, now or not at all; raises SlackError: `missing_scope` without `reactions:write`.

        https://docs.slack.dev/reference/methods/reactions.add
        """
        await self._calls.call("reactions.add", {"channel": channel_id, "timestamp": ts, "name": name}, hurried=True)

    async def unreact(self, channel_id: str, ts: str, name: str) -> None:
        """Take our reaction from a message."""
        await self._calls.call("reactions.remove", {"channel": channel_id, "timestamp": ts, "name": name})

    async def set_status(self, channel_id: str, thread_ts: str, status: str, *, hurried: bool = False) -> None:
        """Let Slack show below a thread what we do; it goes by itself after two minutes, and by empty text.

        https://docs.slack.dev/reference/methods/assistant.threads.setStatus : `chat:write` is enough.
        """
        fields = {"channel_id": channel_id, "thread_ts": thread_ts, "status": status}
        await self._calls.call("assistant.threads.setStatus", fields, hurried=hurried)

    async def respond(
        self, response_url: str, message: Message, *, replace: bool = False, thread_ts: str | None = None
    ) -> None:
        """Answer through a `response_url`: to the person alone, also where the bot is no member.

        It stands in the channel unless a thread is named, also for a press in a thread:
        https://docs.slack.dev/interactivity/handling-user-interaction#publishing_in_thread

        With `replace` in the place of what was said there before. Of an ack Slack is seen to do both, that and a second
        message below it (slackapi/bolt-python#1268): both are right.
        https://docs.slack.dev/interactivity/handling-user-interaction#message_responses : five times in 30 minutes.
        """
        body = {"response_type": "ephemeral", "replace_original": replace, **_payload(message)}
        if thread_ts:
            body["thread_ts"] = thread_ts
        await self._respond(response_url, body)

    async def retract(self, response_url: str) -> None:
        """Take away what was said there, where Slack lets us."""
        await self._respond(response_url, {"delete_original": True})

    async def _respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        if not may_respond_to(response_url, self._api_url):
            raise SlackError("response_url", "foreign_host")
        try:
            async with self._calls.session.post(
                response_url, json=body, allow_redirects=False, proxy=proxy_for(response_url)
            ) as answer:
                if answer.status != 200:
                    raise SlackError("response_url", f"http_{answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackError("response_url", type(error).__name__) from error

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

    async def _send(self, method: str, fields: dict[str, Any], message: Message) -> dict[str, Any]:
        if problems := violations(message):
            log.error("message_over_limits", method=method, problems=problems[:3])
            message = message.text_only()
        try:
            return await self._calls.call(method, {**fields, **_payload(message)})
        except SlackError as error:
            if error.code not in ("invalid_blocks", "msg_blocks_too_long") or not message.blocks:
                raise
            log.warning("blocks_refused", method=method, code=error.code)
            return await self._calls.call(method, {**fields, **_payload(message.text_only())})


def may_respond_to(response_url: str, api_url: str) -> bool:
    """Say whether an address is Slack's own, or on the host of SLACK_API_URL; nothing else is ever posted to."""
    url, api = urlsplit(response_url), urlsplit(api_url)
    if url.scheme == "https" and url.hostname in SLACK_HOOKS and url.port in (None, 443):
        return True
    return (url.scheme, url.hostname, url.port) == (api.scheme, api.hostname, api.port)


def _payload(message: Message) -> dict[str, Any]:
    # chat.update keeps the old blocks unless it is given new ones, an empty list included.
    return {"text": message.text, "blocks": list(message.blocks)}


def _came_after(messages: Sequence[Mapping[str, object]], since: datetime | None) -> bool:
    return since is not None and bool(messages) and float(str(messages[-1]["ts"])) > since.timestamp()
