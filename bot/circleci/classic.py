"""The verbs of CircleCI's API v1.1, https://circleci.com/docs/api/v1/ , and the log documents it points to."""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, SecretStr

from bot.circleci.answers import Answer, decode, project_path
from bot.circleci.transport import Transport
from bot.errors import NotTriggered, Rejected, Unavailable
from bot.models.circleci import Artifact, ClassicBuild, Model, Ref, TestResult, User
from bot.models.classic import BuildSummary, CheckoutKey, EnvironmentVariable, FollowedProject, as_list

API = "/api/v1.1/"
TELLING = 6  # so many characters in a row of a secret are too many
SHORTEST_FRAGMENT = 40  # anything shorter may be a cut time stamp

_MESSAGE = re.compile(r'"message"\s*:\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)', re.DOTALL)
_FRAGMENT = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")

M = TypeVar("M", bound=BaseModel)


class OutputTail(Model):
    """The end of a step's output.

    `shortened` says that more came before, `complete` that the end of `text` is the end of the log.
    """

    text: str
    shortened: bool = False
    complete: bool = True


class Classic:
    """API v1.1. Every verb raises a CircleCIError when CircleCI does not do it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def me(self) -> User:
        """Return whom the token belongs to; everything else in that answer is private."""
        return decode(User, (await self._transport.request("GET", API + "me")).data)

    async def build(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with its steps; those of an old job are gone."""
        return decode(ClassicBuild, (await self._transport.request("GET", API + project_path(slug, number))).data)

    async def projects(self) -> tuple[FollowedProject, ...]:
        """Return the projects that the token's user follows; those it may only see are not among them."""
        return self._list(FollowedProject, await self._get("projects"))

    async def recent_builds(self, limit: int = 30) -> tuple[BuildSummary, ...]:
        """Return the newest builds over all followed projects, newest first; at most 100."""
        return self._list(BuildSummary, await self._get("recent-builds", limit=str(limit), shallow="true"))

    async def builds(self, slug: str, branch: str | None = None, limit: int = 30) -> tuple[BuildSummary, ...]:
        """Return the newest builds of a project or one of its branches, newest first; at most 100."""
        rest = ("tree", branch) if branch else ()
        return self._list(BuildSummary, await self._get(project_path(slug, *rest), limit=str(limit), shallow="true"))

    async def summary(self, slug: str, number: int) -> BuildSummary:
        """Return one build as the lists have it."""
        return (await self.dated_summary(slug, number))[0]

    async def dated_summary(self, slug: str, number: int) -> tuple[BuildSummary, datetime]:
        """Return one build as the lists have it, and the time on CircleCI's clock."""
        answer = await self._get(project_path(slug, number))
        return decode(BuildSummary, answer.data), answer.date

    async def trigger(self, slug: str, ref: Ref, parameters: Mapping[str, object] | None = None) -> BuildSummary:
        """Build a branch or a tag of a configuration older than 2.1; raises NotTriggered for one that will never run.

        `parameters` become environment variables of the build.
        """
        given = {"build_parameters": {name: str(value) for name, value in (parameters or {}).items()}}
        place, more = ((), {"tag": ref.name}) if ref.is_tag else (("tree", ref.name), {})
        answer = await self._send("POST", project_path(slug, *place), {**given, **more})
        return _will_run(decode(BuildSummary, answer.data))

    async def retry(self, slug: str, number: int, *, ssh: bool = False) -> BuildSummary:
        """Run a build again, with SSH for the token's user if asked; returns the new one or raises NotTriggered."""
        answer = await self._send("POST", project_path(slug, number, "ssh" if ssh else "retry"))
        return _will_run(decode(BuildSummary, answer.data))

    async def cancel(self, slug: str, number: int) -> BuildSummary:
        """Cancel one build."""
        return decode(BuildSummary, (await self._send("POST", project_path(slug, number, "cancel"))).data)

    async def artifacts(self, slug: str, number: int) -> tuple[Artifact, ...]:
        """Return the files a build stored."""
        return self._list(Artifact, await self._get(project_path(slug, number, "artifacts")))

    async def tests(self, slug: str, number: int) -> tuple[TestResult, ...]:
        """Return a build's stored test results, all at once."""
        data = (await self._get(project_path(slug, number, "tests"))).data
        found = as_list(data.get("tests")) if isinstance(data, dict) else []
        return tuple(decode(TestResult, item) for item in found)

    # Variables and keys

    async def variables(self, slug: str) -> tuple[EnvironmentVariable, ...]:
        """Return a project's environment variables, masked."""
        return self._list(EnvironmentVariable, await self._get(project_path(slug, "envvar")))

    async def variable(self, slug: str, name: str) -> EnvironmentVariable:
        """Return one environment variable, masked."""
        return decode(EnvironmentVariable, (await self._get(project_path(slug, "envvar", name))).data)

    async def set_variable(self, slug: str, name: str, value: SecretStr) -> None:
        """Set an environment variable, new or not."""
        secret = value.get_secret_value()
        await self._send_secret(project_path(slug, "envvar"), {"name": name, "value": secret}, secret)

    async def remove_variable(self, slug: str, name: str) -> None:
        """Take an environment variable away."""
        await self._send("DELETE", project_path(slug, "envvar", name))

    async def checkout_keys(self, slug: str) -> tuple[CheckoutKey, ...]:
        """Return a project's checkout keys."""
        return self._list(CheckoutKey, await self._get(project_path(slug, "checkout-key")))

    async def checkout_key(self, slug: str, fingerprint: str) -> CheckoutKey:
        """Return one checkout key, by its MD5 fingerprint or its SHA256 one."""
        return decode(CheckoutKey, (await self._get(project_path(slug, "checkout-key", fingerprint))).data)

    async def add_checkout_key(self, slug: str, kind: str) -> CheckoutKey:
        """Make a checkout key: `kind` is deploy-key or github-user-key. A personal token is needed."""
        return decode(CheckoutKey, (await self._send("POST", project_path(slug, "checkout-key"), {"type": kind})).data)

    async def remove_checkout_key(self, slug: str, fingerprint: str) -> None:
        """Take a checkout key away."""
        await self._send("DELETE", project_path(slug, "checkout-key", fingerprint))

    async def add_ssh_key(self, slug: str, hostname: str, private_key: SecretStr) -> None:
        """Let the project's builds log in to a host; without a hostname, to every one."""
        secret = private_key.get_secret_value()
        body = {"hostname": hostname, "private_key": secret}
        await self._send_secret(project_path(slug, "ssh-key"), body, secret)

    async def add_heroku_key(self, key: SecretStr) -> None:
        """Give the token's user a Heroku key; CircleCI Cloud answers 404 to this."""
        secret = key.get_secret_value()
        await self._send_secret("user/heroku-key", {"apikey": secret}, secret)

    async def clear_cache(self, slug: str) -> str:
        """Drop the dependency caches and return CircleCI's word for it; on Cloud this is gone (404)."""
        data = (await self._send("DELETE", project_path(slug, "build-cache"))).data
        return str(data.get("status") or "") if isinstance(data, dict) else ""

    async def _get(self, path: str, **params: str) -> Answer:
        return await self._transport.request("GET", API + path, params=params or None)

    async def _send(self, method: str, path: str, body: object = None) -> Answer:
        return await self._transport.request(method, API + path, json=body)

    async def _send_secret(self, path: str, body: Mapping[str, str], secret: str) -> None:
        """Send a value that nobody may read again, also not in what CircleCI says of it."""
        try:
            await self._send("POST", path, body)
        except Rejected as error:
            message = "it does not take this value" if _quotes(error.message, secret) else error.message
            raise Rejected(error.status, message) from None

    @staticmethod
    def _list(model: type[M], answer: Answer) -> tuple[M, ...]:
        return tuple(decode(model, item) for item in as_list(answer.data))

    async def output(self, url: str, max_bytes: int = 262_144, deadline_seconds: float = 20) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time.

        The address is good for minutes, needs no login and is a secret: it is never logged or kept.
        """
        tail, total, complete = bytearray(), 0, True
        try:
            async with self._transport.download(url, deadline_seconds=deadline_seconds) as chunks:
                async for chunk in chunks:
                    total += len(chunk)
                    tail += chunk
                    if len(tail) > 2 * max_bytes:
                        del tail[:-max_bytes]
        except Unavailable:
            if not tail:
                raise
            complete = False
        shortened = total > max_bytes
        document = bytes(tail[-max_bytes:]).decode(errors="ignore")
        text = await asyncio.to_thread(messages, document, cut=shortened)
        return OutputTail(text=text, shortened=shortened, complete=complete)


def _quotes(message: str, secret: str) -> bool:
    """Say whether a message repeats a secret, or enough of it in a row to matter."""
    return any(secret[at : at + TELLING] in message for at in range(max(len(secret) - TELLING, 0) + 1))


def _will_run(build: BuildSummary) -> BuildSummary:
    """Return a build that was really started: CircleCI also answers 2xx for one that will never run."""
    if build.dont_build or build.status == "not_run":
        raise NotTriggered(build.dont_build or "it will not run")
    return build


def messages(document: str, *, cut: bool) -> str:
    """Join the messages of a log document, a JSON array of `{type, time, message}`.

    With `cut` its head is missing, so that it may begin inside a message; the rest of that line is left out.
    Text that is no such document is returned as it is.
    """
    found = [match.group(1) for match in _MESSAGE.finditer(document)]
    if not cut:
        is_list = document.lstrip().startswith("[")
        return "".join(map(_unescaped, found)) if found or is_list else document
    text = "".join(map(_unescaped, [*_fragment(document), *found]))
    return text.partition("\n")[2] or text


def _fragment(document: str) -> list[str]:
    """Return the end of the message that the cut went through, if it did."""
    match = _FRAGMENT.match(document)
    fragment = match.group() if match else ""
    return [fragment] if len(fragment) >= SHORTEST_FRAGMENT else []


def _unescaped(escaped: str) -> str:
    whole = _without_cut_escape(escaped)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole


def _without_cut_escape(escaped: str) -> str:
    cut = _CUT_ESCAPE.search(escaped, max(len(escaped) - len("\\u123"), 0))
    before = escaped[: cut.start()] if cut else escaped
    backslashes = len(before) - len(before.rstrip("\\"))
    # Behind an odd number of others, the last backslash is the end of an escape and not the beginning of one.
    return escaped if backslashes % 2 else before
