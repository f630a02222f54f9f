"""What a project keeps, for both generations: variables and keys by API v1.1, webhooks by v2."""

from bot.circleci import v1, v2
from bot.circleci.answers import decode, project_path, segments
from bot.circleci.transport import Transport
from bot.models.circleci import Webhook
from bot.models.classic import CheckoutKey, EnvironmentVariable


class CircleCIKept:
    """`protocols.Kept` at CircleCI."""

    def __init__(self, transport: Transport) -> None:
        self._v1, self._v2 = v1.Api(transport), v2.Api(transport)

    async def variables(self, slug: str) -> tuple[EnvironmentVariable, ...]:
        """Return a project's environment variables, masked."""
        return await self._v1.all(EnvironmentVariable, project_path(slug, "envvar"))

    async def variable(self, slug: str, name: str) -> EnvironmentVariable:
        """Return one environment variable, masked."""
        return decode(EnvironmentVariable, (await self._v1.get(project_path(slug, "envvar", name))).data)

    async def checkout_keys(self, slug: str) -> tuple[CheckoutKey, ...]:
        """Return a project's checkout keys."""
        return await self._v1.all(CheckoutKey, project_path(slug, "checkout-key"))

    async def checkout_key(self, slug: str, fingerprint: str) -> CheckoutKey:
        """Return one checkout key, by its MD5 fingerprint or its SHA256 one."""
        return decode(CheckoutKey, (await self._v1.get(project_path(slug, "checkout-key", fingerprint))).data)

    async def webhooks(self, project_id: str) -> tuple[Webhook, ...]:
        """Return a project's outbound webhooks."""
        scope = {"scope-id": project_id, "scope-type": "project"}
        return await self._v2.all(Webhook, segments("webhook"), scope)
