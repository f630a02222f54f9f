"""Slack's own framework, with what we know already."""

from copy import copy

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.models.checkup import Identity


def bolt(client: AsyncWebClient, identity: Identity, token: SecretStr, secret: SecretStr | None) -> AsyncApp:
    """Return an app that asks Slack nothing: `auth.test` was asked once, at the start."""
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=token.get_secret_value(),
    )

    tokenless = copy(client)  # Bolt warns of a token that it will not use
    tokenless.token = None

    async def authorize() -> AuthorizeResult:
        return known

    return AsyncApp(
        name="ci-chatops",
        client=tokenless,
        authorize=authorize,
        # Bolt reads the environment itself when it is given none.
        signing_secret=secret.get_secret_value() if secret else "socket mode has no signatures",
    )
