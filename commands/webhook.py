"""Say whether CircleCI tells the bot of a project's builds, and set that up after asking."""

from collections.abc import Sequence

from bot.actions import AddWebhook
from bot.answers.acts import Acted
from bot.answers.keeps import WebhookState
from bot.errors import UsageError
from bot.grammar import Word, parse_slug
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.help import CommandHelp
from bot.requests import OfProject
from bot.routing import Context, Router
from bot.settings import Projects

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
    return OfProject(project=parse_slug(words[0].text, projects))


async def look(request: OfProject, caller: Caller, context: Context) -> WebhookState:
    """Answer with how it stands: it can be set up where we have an address and a secret."""
    project, settings = await context.finder.asked(request, caller), context.settings
    if settings.public_url is None or settings.circleci_webhook_secret is None:
        return WebhookState(project_slug=project.slug, project_title=project.title)
    address, found = settings.public_url + PATH, await context.circleci.webhooks(project.id)
    return WebhookState(
        project_slug=project.slug,
        project_title=project.title,
        address=address,
        is_set_up=any(one.url == address for one in found),
        others=sum(one.url != address for one in found),
    )


async def add(button: AddWebhook, caller: Caller, context: Context) -> Acted | WebhookState:
    """Have CircleCI call us, unless it does by now."""
    project = await context.finder.project(ProjectSlug(button.project_slug), caller)
    address, secret = context.settings.public_url, context.settings.circleci_webhook_secret
    if address is None or secret is None:
        return WebhookState(project_slug=project.slug, project_title=project.title)
    return await context.operations.add_webhook(caller, project, address + PATH, secret)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, permission="admin", request=OfProject, parse=parse, handle=look)
    router.action(AddWebhook, permission="admin", handle=add)
