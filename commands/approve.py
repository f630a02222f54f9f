"""Let a job that waits for approval go on."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.actions import ApproveJob
from bot.grammar import Word
from bot.models.slack import Click, Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target, only_target
from formatters import choices
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="approve",
    group="Ship",
    summary="List what waits for an approval, each with its own button.",
    usage="approve <project> [<branch> | tag:<tag> | #<pipeline>]",
    example="approve acme/frontend main",
    phrases=("approve acme/frontend #2417",),
    also=("hold", "holds", "allow", "continue"),
)


class Approve(BaseModel):
    """Whose holds to list."""

    model_config = ConfigDict(frozen=True)
    target: Target


def parse(words: Sequence[Word], projects: Projects) -> Approve:
    """Return the request, or a UsageError that names the word it trips over."""
    return Approve(target=only_target(words, projects))


async def list_holds(request: Approve, invocation: Invocation, context: Context) -> Message:
    """Answer with a button for each job that waits."""
    pipeline = await context.finder.pipeline(request.target, invocation)
    build = await context.circleci.build(pipeline.id)
    return choices.approve(await context.finder.title(pipeline.project_slug), build)


async def approve(button: ApproveJob, click: Click, context: Context) -> Message | None:
    """Approve the one job the button names; the second presser is told who was first."""
    return await context.acts.approve(button, click)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, parse=parse, permission="approve")(list_holds)
    router.action(ApproveJob, permission="approve")(approve)
