"""What is said in Slack: posts, edits and answers, text alone when blocks are refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.budgets import NO_WAIT
from bot.errors import SlackError, SlackLimited
from bot.models.caller import Place
from bot.models.refusals import CHANNEL_GONE
from bot.outside import proxy_for
from bot.slack_calls import PATIENCE, POST, UPDATE, code_of
from bot.workspace import MOST_PAGES, Workspace
from formatters.blocks import Message
from formatters.limits import violations

SLACK_HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})

MARKED = "ci_chatops_post"  # the type of our posts' metadata
log = structlog.get_logger(__name__)


class Messenger(Workspace):
    """Posts, edits and answers; raises SlackError with Slack's own code, SlackLimited when it must wait long."""

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
