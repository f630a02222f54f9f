"""The buttons before a deploy: agree, decline, deploy all the same, type the target."""

from collections.abc import Mapping

from bot.actions import AgreeDeploy, DeclineDeploy, DeployAnyway, TypeTarget
from bot.errors import BotError, UsageError
from bot.models.attempt import Attempt, Demand
from bot.models.slack import Click, utc_now
from bot.routing import Context, Router
from commands.deploy import go_on, refuse_if_locked
from formatters import errors, gate
from formatters.blocks import Message


async def agree(button: AgreeDeploy, click: Click, context: Context) -> Message | None:
    """Let it be deployed; who asked for it cannot agree, and the first who decides counts."""
    attempt = await _waiting(button.attempt_id, context)
    if click.user_id == attempt.asker_id:
        return gate.not_your_own()
    await context.permissions.check(click, "deploy", attempt.project_slug, attempt.ref)
    await refuse_if_locked(attempt.project_slug, attempt.ref, context, click.user_id, attempt.asker_id)
    if (first := await context.gate.decide(attempt, click, "agree")) is not None:
        return gate.decided_already(first)
    name = click.user_name or click.user_id
    attempt = await context.gate.met(attempt, Demand.SECOND_PERSON, agreed_id=click.user_id)
    try:
        answer = await go_on(attempt, context)
    except BotError as error:
        await context.gate.show(attempt, gate.agreed_in_vain(attempt, name, errors.error(error).text))
        raise
    await context.gate.show(attempt, gate.agreed(attempt, name))
    return answer


async def decline(button: DeclineDeploy, filled: Mapping[str, str], click: Click, context: Context) -> Message:
    """Let it end there, with the reason."""
    attempt = await _waiting(button.attempt_id, context)
    await context.permissions.check(click, "deploy", attempt.project_slug, attempt.ref)
    if (first := await context.gate.decide(attempt, click, "decline")) is not None:
        return gate.decided_already(first)
    await context.gate.declined(attempt, click, filled["reason"].strip())
    return gate.declined_by_you()


async def deploy_anyway(button: DeployAnyway, click: Click, context: Context) -> Message | None:
    """Go on over a red branch; that takes the word approve."""
    attempt = await _waiting(button.attempt_id, context)
    await context.permissions.check(click, "approve", attempt.project_slug, attempt.ref)
    return await go_on(await context.gate.met(attempt, Demand.GREEN), context)


async def typed(button: TypeTarget, filled: Mapping[str, str], click: Click, context: Context) -> Message:
    """Go on when what was typed is the target."""
    attempt = await _waiting(button.attempt_id, context)
    if click.user_id != attempt.asker_id:
        raise UsageError("Only who asked for it types it.")
    await context.permissions.check(click, "deploy", attempt.project_slug, attempt.ref)
    if filled["typed"].strip() != attempt.ref.name:
        return gate.typed_wrong(attempt)
    answer = await go_on(await context.gate.met(attempt, Demand.TYPED), context)
    return answer or gate.typed_right()


async def _waiting(attempt_id: str, context: Context) -> Attempt:
    attempt = await context.store.attempts.get(attempt_id)
    if attempt is None or attempt.over:
        raise UsageError("This question is too old.")
    if attempt.expires_at is not None and utc_now() > attempt.expires_at:
        raise UsageError("This question is too old.")
    return attempt


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(AgreeDeploy, permission="deploy")(agree)
    router.action(DeployAnyway, permission="approve")(deploy_anyway)
    router.form(DeclineDeploy, permission="deploy", view=gate.decline_form)(decline)
    router.form(TypeTarget, permission="deploy", view=gate.type_form)(typed)
