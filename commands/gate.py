"""The buttons of an act that waits: agree, decline, deploy all the same, type the target."""

from collections.abc import Mapping

from bot.actions import AgreeDeploy, DeclineDeploy, DeployAnyway, DeployBeside, TypeTarget
from bot.answers.acts import Acted, Answered
from bot.models.caller import Caller
from bot.models.pending import Pending
from bot.routing import Context, Router
from formatters import gate


async def agree(button: AgreeDeploy, caller: Caller, context: Context) -> Acted:
    """Let it happen; who asked for it cannot agree, and the first who decides counts."""
    return await context.operations.agree(caller, button.attempt_id, button.shown)


async def decline(button: DeclineDeploy, filled: Mapping[str, str], caller: Caller, context: Context) -> Answered:
    """Let it end there, with the reason."""
    return await context.operations.decline(caller, button.attempt_id, filled["reason"].strip())


async def deploy_anyway(button: DeployAnyway, caller: Caller, context: Context) -> Acted:
    """Go on over a red branch; that takes the word approve."""
    return await context.operations.anyway(caller, button.attempt_id)


async def deploy_beside(button: DeployBeside, caller: Caller, context: Context) -> Acted:
    """Go on though somebody else's deploy of the same still runs."""
    return await context.operations.beside(caller, button.attempt_id)


async def typed(button: TypeTarget, filled: Mapping[str, str], caller: Caller, context: Context) -> Answered:
    """Go on when what was typed is the target; what is asked next stands in the channel."""
    return await context.operations.typed(caller, button.attempt_id, filled["typed"])


async def may_decline(button: DeclineDeploy, caller: Caller, context: Context) -> Pending | None:
    """Ask for no reason where nothing waits any more, or from who may not decline."""
    return await context.operations.may_decline(caller, button.attempt_id)


async def may_type(button: TypeTarget, caller: Caller, context: Context) -> Pending:
    """Ask for nothing to be typed where it was, or where somebody else asked."""
    return await context.operations.may_type(caller, button.attempt_id)


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(AgreeDeploy, permission="deploy", handle=agree)
    router.action(DeployAnyway, permission="approve", handle=deploy_anyway)
    router.action(DeployBeside, permission="deploy", handle=deploy_beside)
    router.form(
        DeclineDeploy,
        "Decline",
        permission="deploy",
        view=gate.decline_form,
        submit=decline,
        ready=may_decline,
        shared=("reason",),
    )
    router.form(TypeTarget, "Type it", permission="deploy", view=gate.type_form, submit=typed, ready=may_type)
