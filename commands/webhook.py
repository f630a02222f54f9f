"""Say whether CircleCI tells the bot of a project's builds, and set that up after asking."""

from collections.abc import Sequence

from bot.actions import AddWebhook
from bot.errors import UsageError
from bot.grammar import Word, parse_project
from bot.models.circleci import ProjectSlug
from bot.models.slack import Click, Invocation
from bot.requests import OfProject
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import webhooks
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="webhook",
    group="Run me",
    summary="Say whether CircleCI tells me of a project's builds at once, and set it up.",
    usage="webhook <project>",
    example="webhook acme/frontend",
    phrases=("webhook acme/frontend",),
    also=("webhooks", "hook"),
)
PATH = "/circleci/webhook"


def parse(words: Sequence[Word], projects: Projects) -> OfProject:
    """Return the project."""
    if len(words) != 1:
        raise UsageError("Which project?", given=words[1].text if words else "")
    return OfProject(slug=parse_project(words[0].text, projects).slug)


async def look(request: OfProject, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all
    """Answer with how it stands, and offer to set it up where that is possible."""
    project = await context.finder.project(request.slug)
    settings = context.settings
    if settings.public_url is None or settings.circleci_webhook_secret is None:
        return webhooks.not_possible(project.title)
    address = settings.public_url + PATH
    found = await context.circleci.webhooks(project.id)
    if any(one.url == address for one in found):
        return webhooks.set_up(project.title, address)
    return webhooks.offer(project.title, project.slug, address, others=len(found))


async def add(button: AddWebhook, click: Click, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Look again, then have CircleCI call us."""
    project = await context.finder.project(ProjectSlug(button.project_slug))
    settings = context.settings
    if settings.public_url is None or settings.circleci_webhook_secret is None:
        return webhooks.not_possible(project.title)
    address = settings.public_url + PATH
    if not any(one.url == address for one in await context.circleci.webhooks(project.id)):
        await context.writes.add_webhook(project.id, address, settings.circleci_webhook_secret)
    return webhooks.set_up(project.title, address)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, parse=parse, permission="admin")(look)
    router.action(AddWebhook, permission="admin")(add)
