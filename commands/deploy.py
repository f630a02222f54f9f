"""Start a pipeline on a branch or a tag, and follow it in a thread."""

from collections.abc import Sequence

from pydantic import Field

from bot.actions import ChooseDefinition
from bot.answers.acts import Acted
from bot.errors import UsageError
from bot.grammar import Word, is_parameter, parse_parameters, parse_project, parse_ref, refuse_number, split
from bot.models.attempt import ParameterValue
from bot.models.caller import Caller
from bot.models.circleci import Ref
from bot.models.help import CommandHelp
from bot.models.pending import Deployment
from bot.requests import OfTarget
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target
from formatters.answers import default_branch_chosen

HELP = CommandHelp(
    name="deploy",
    group="Ship",
    summary="Start a pipeline on a branch or a tag and follow it in a thread.",
    usage="deploy <project> [<branch> | tag:<tag>] [name=value …]",
    example="deploy acme/frontend release/v2.0",
    phrases=("deploy acme/frontend", "deploy acme/frontend tag:v2.0", "deploy acme/frontend main env=prod"),
    also=("ship", "release", "trigger", "run", "build", "start"),
)


class Deploy(OfTarget):
    """What to start; without a branch or a tag, the project's default branch."""

    parameters: dict[str, ParameterValue] = Field(default_factory=dict)


def parse(words: Sequence[Word], projects: Projects) -> Deploy:
    """Return the request, or a UsageError that names the word it trips over."""
    if not words:
        raise UsageError("Which project should I deploy?")
    project = parse_project(words[0].text, projects)
    rest = list(words[1:])
    ref = project.ref
    if rest and not is_parameter(rest[0]):
        refuse_number(rest[0])
        ref = parse_ref(rest.pop(0))
    return Deploy.named(Target(slug=project.slug, ref=ref), parameters=parse_parameters(rest))


async def deploy(request: Deploy, caller: Caller, context: Context) -> Acted:
    """Start it, and let the thread say the rest."""
    return await context.operations.deploy(caller, await _wished(request, context))


async def _wished(request: Deploy, context: Context) -> Deployment:
    """Return what is to be started, under the names that CircleCI has for it."""
    typed, ref = request.about(context.projects)
    if typed is None:
        raise UsageError("Which project should I deploy?")
    project = await context.finder.any_project(typed)
    chosen = ref or Ref(name=project.default_branch)
    return Deployment(
        project_slug=project.slug,
        project_title=project.title,
        ref=chosen,
        parameters=request.parameters,
        definition_id=context.projects.definition_for(typed, project.slug),
        note="" if ref else default_branch_chosen(chosen),
    )


async def choose_definition(choice: ChooseDefinition, caller: Caller, context: Context) -> Acted:
    """Go on with a deploy whose definition was asked for; the first choice counts."""
    before = await _asked_before(choice.invocation_id, caller, context)
    return await context.operations.choose(caller, choice.invocation_id, choice.definition_id, before)


async def _asked_before(invocation_id: str, caller: Caller, context: Context) -> Deployment | None:
    """Return what an earlier version asked this person about: it kept the command alone, for a day."""
    said = await context.store.deliveries.invocation(invocation_id)
    if said is None or said.user_id != caller.person_id or not said.text.lower().startswith("deploy "):
        return None
    return await _wished(parse(split(said.text)[1:], context.projects), context)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, permission="deploy", request=Deploy, parse=parse, handle=deploy)
    router.action(ChooseDefinition, permission="deploy", handle=choose_definition)
