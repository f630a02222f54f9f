"""Changing what a project keeps, for both generations: variables, keys and caches by API v1.1, webhooks by v2."""

from collections.abc import Mapping

from pydantic import SecretStr

from bot.circleci import v1, v2
from bot.circleci.answers import decode, project_path, segments
from bot.circleci.transport import Transport
from bot.errors import Rejected
from bot.models.classic import CheckoutKey
from bot.models.fields import prose

TELLING = 6  # so many characters in a row of a secret are too many


class CircleCIKeeps:
    """`protocols.Keeps` at CircleCI."""

    def __init__(self, transport: Transport) -> None:
        self._v1, self._v2 = v1.Api(transport), v2.Api(transport)

    async def set_variable(self, slug: str, name: str, value: SecretStr) -> None:
        """Set an environment variable, new or not."""
        secret = value.get_secret_value()
        await self._send_secret(project_path(slug, "envvar"), {"name": name, "value": secret}, secret)

    async def remove_variable(self, slug: str, name: str) -> None:
        """Take an environment variable away."""
        await self._v1.send("DELETE", project_path(slug, "envvar", name))

    async def add_checkout_key(self, slug: str, kind: str) -> CheckoutKey:
        """Make a checkout key: `kind` is deploy-key or github-user-key. A personal token is needed."""
        answer = await self._v1.send("POST", project_path(slug, "checkout-key"), {"type": kind})
        return decode(CheckoutKey, answer.data)

    async def remove_checkout_key(self, slug: str, fingerprint: str) -> None:
        """Take a checkout key away."""
        await self._v1.send("DELETE", project_path(slug, "checkout-key", fingerprint))

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
        data = (await self._v1.send("DELETE", project_path(slug, "build-cache"))).data
        return prose(str(data.get("status") or "")) if isinstance(data, dict) else ""

    async def add_webhook(self, project_id: str, url: str, secret: SecretStr) -> None:
        """Have CircleCI call `url` when a workflow or a job ends; the user must be an admin of the organisation."""
        body = {
            "name": "ci-chatops",
            "events": ["workflow-completed", "job-completed"],
            "url": url,
            "verify-tls": True,
            "signing-secret": secret.get_secret_value(),
            "scope": {"id": project_id, "type": "project"},
        }
        await self._v2.post(segments("webhook"), body)

    async def _send_secret(self, path: str, body: Mapping[str, str], secret: str) -> None:
        """Send a value that nobody may read again, also not in what CircleCI says of it."""
        try:
            await self._v1.send("POST", path, body)
        except Rejected as error:
            message = "it does not take this value" if _quotes(error.message, secret) else error.message
            raise Rejected(error.status, message) from None


def _quotes(message: str, secret: str) -> bool:
    """Say whether a message repeats a secret, or enough of it in a row to matter."""
    return any(secret[at : at + TELLING] in message for at in range(max(len(secret) - TELLING, 0) + 1))
