"""Say which rule decides whether somebody may do something, and who could."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.errors import UsageError
from bot.grammar import Word
from bot.models.circleci import Ref
from bot.models.slack import Invocation
from bot.policy import Word as Permission
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target, parse_target
from formatters import policy
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="why",
    group="Look",
    summary="Say whether you may do something here, which rule decides, and who could.",
    usage="why <command> [<project> [<branch> | tag:<tag>]]",
    example="why deploy acme/frontend main",
    phrases=("why secrets acme/frontend", "why deploy acme/frontend tag:v2.0"),
    also=("may", "policy", "permissions", "allowed"),
)


class Why(BaseModel):
    """What is asked about: the word of a command, or a permission's own; and on what."""

    model_config = ConfigDict(frozen=True)
    word: str
    about: Target


def parse(words: Sequence[Word], projects: Projects) -> Why:
    """Return the request."""
    if not words:
        raise UsageError("What do you want to do?")
    about, left = parse_target(words[1:], projects)
    if left:
        raise UsageError("I expected a project, and a branch or a tag.", given=left[0].text)
    return Why(word=words[0].text.lower(), about=about)


async def explain(request: Why, invocation: Invocation, context: Context) -> Message:
    """Answer with the rule that decides."""
    command = context.router.commands.get(request.word)
    word = command.permission if command else request.word
    if word not in list(Permission):
        raise UsageError("I know no such command.", given=request.word)
    slug, ref = request.about.slug, request.about.ref
    if slug is not None:
        project = await context.finder.project(slug)
        slug = project.slug
        if ref is None and word in (Permission.DEPLOY, Permission.RERUN, Permission.CANCEL, Permission.APPROVE):
            ref = Ref(name=project.default_branch)
    asked = await context.permissions.asked(invocation, word, slug, ref)
    decision = await context.permissions.decision(invocation, asked)
    about = " ".join(str(part) for part in (asked.projects[1] if asked.projects else "", ref or "") if part)
    return policy.why(word, about, decision, await context.permissions.could(asked))


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="read")(explain)
