"""Start a pipeline on a branch or a tag, and follow it in a thread."""

from collections.abc import Sequence
from contextlib import suppress

from pydantic import Field

from bot.actions import ChooseDefinition
from bot.answers.acts import Acted
from bot.answers.builds import BuildMeant
from bot.errors import NotFound, SlackError, UsageError, UserError
from bot.finding import named_branch_of
from bot.grammar import (
    BEFORE_A_PLACE,
    NAMES_OF_REFS,
    Word,
    check_no_question,
    check_no_stop,
    is_parameter,
    parse_named,
    parse_parameters,
    parse_project,
    split,
    without_stop,
)
from bot.models import git, spelling
from bot.models.attempt import ParameterValue
from bot.models.caller import Caller
from bot.models.circleci import Definition, Pipeline, Project, ProjectSlug, Ref, made_of_ids
from bot.models.help import CommandHelp
from bot.models.pending import Deployment
from bot.models.target import Target
from bot.policy import Word as Permission
from bot.refs import can_be_shown
from bot.requests import OfTarget, Typed
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.waits import patiently
from commands.heard import refuse_unheard
from formatters import channels
from formatters.answers import default_branch_chosen, pull_request_read

HELP = CommandHelp(
    name="deploy",
    group="Ship",
    summary="Start a pipeline on a branch or a tag and follow it in a thread.",
    usage="deploy <project> [<branch> | tag:<tag>] [name=value …]",
    example="deploy acme/frontend release/v2.0",
    phrases=("deploy acme/frontend", "deploy acme/frontend tag:v2.0", "deploy acme/frontend main env=prod"),
    also=("ship", "release", "trigger", "run", "start"),
)

FOR_AGENTS = "Ask people to start a pipeline on a branch or a tag; `follow` says what becomes of it."
MOST_ALIKE = 3
_NO_NAME = "The name of a parameter has letters, digits, `_` and `-`, and begins with a letter or `_`."


class Deploy(OfTarget):
    """What to start; without a branch or a tag, and with nothing else named, the project's default branch."""

    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition: Typed = ""

    def target(self, projects: Projects) -> Target:
        """Return what is named; raises UsageError where a parameter may be meant as the name of it, or has none."""
        target = super().target(projects)
        for name in self.parameters:
            if not spelling.is_parameter(name):
                raise UsageError(_NO_NAME, given=name)
        mistaken = [name for name in self.parameters if name.lower() in NAMES_OF_REFS]
        if mistaken and not target.names_more:
            name = mistaken[0]
            what, way = NAMES_OF_REFS[name.lower()]
            given = str(self.parameters[name])
            way = way.format(given if can_be_shown(given) else "…")
            problem = f"This may be {what}, or a parameter of the pipeline. {way}; a parameter comes after a branch."
            raise UsageError(problem, given=spelling.parameter(name, self.parameters[name]))
        return target


def parse(words: Sequence[Word], projects: Projects) -> Deploy:
    """Return the request, or a UsageError that names the word it trips over."""
    if not words:
        raise UsageError("Which project should I deploy?")
    target, (rest, definition) = parse_project(words[0].text, projects), _definition(words[1:])
    if rest and not is_parameter(rest[-1]):
        rest = without_stop(rest)
    if len(rest) > 1 and not rest[0].quoted and rest[0].text.lower() in BEFORE_A_PLACE and not is_parameter(rest[1]):
        raise UsageError("I know no environments: name a branch, and a parameter behind it.", given=rest[1].text)
    if rest and not is_parameter(rest[0]):
        if target.names_more:
            raise UsageError("The link names what to deploy, and this another.", given=rest[0].text)
        target = target.also(parse_named(rest.pop(0)))
    request = Deploy.named(target, parameters=parse_parameters(rest), definition=definition)
    check_no_question(words)
    check_no_stop(rest)
    request.target(projects)  # which refuses what nobody can mean
    return request


def _definition(words: Sequence[Word]) -> tuple[list[Word], str]:
    """Return the words without the pipeline definition among them, and its name or id; empty text for none."""
    named = [word for word in words if word.text.lower().startswith(spelling.DEFINITION)]
    if not named:
        return list(words), ""
    name = named[0].text[len(spelling.DEFINITION) :].strip()
    if len(named) > 1 or not name:
        raise UsageError("Write `definition:` once, with a name right behind it.", given=named[-1].text)
    if name[0] in spelling.CLOSING:
        raise UsageError('A name with blanks goes in quotes as a whole: "definition:…".', given=named[0].text)
    return [word for word in words if word not in named], name


async def deploy(request: Deploy, caller: Caller, context: Context) -> Acted | BuildMeant:
    """Start it, and let the thread say the rest; what was named by a build or not at all is asked back.

    So is what nobody would be told of. Where CircleCI asks us to wait, it waits and says so.
    """
    with patiently():
        return await _deployed(request, caller, context)


async def _deployed(request: Deploy, caller: Caller, context: Context) -> Acted | BuildMeant:
    target = await context.finder.named(request, caller)
    if meant := await _meant(request, target, caller, context):
        return meant
    wish = await _wished(request, target, context)
    await refuse_unheard(wish.typed, Permission.DEPLOY, wish.project_slug, wish.ref, caller, context)
    acted = await context.operations.deploy(caller, wish)
    if acted.told:
        await _offer_use(wish, caller, context)
    return acted


async def _offer_use(wish: Deployment, caller: Caller, context: Context) -> None:
    """Offer, once in each channel, that nobody has to name this project there any more."""
    place, store = caller.place, context.store
    if (
        place is None
        or caller.agent
        or place.is_direct
        or caller.directly
        or await store.channels.used(place.channel_id)
    ):
        return
    if await store.claims.first(f"use-offered:{place.channel_id}"):
        with suppress(SlackError):  # it is no more than an offer
            message = channels.offer(wish.project_slug, wish.project_title)
            await context.messenger.whisper(place.channel_id, caller.person_id, message)


async def _wished(request: Deploy, target: Target, context: Context) -> Deployment:
    """Return what is to be started, under the names that CircleCI has for it."""
    if target.slug is None:
        raise UsageError("Which project should I deploy?")
    project = await context.finder.any_project(target.slug)
    typed = await _definition_named(request.definition, project, context) if request.definition else ""
    return Deployment(
        project_slug=project.slug,
        project_id=project.id,
        project_title=project.title,
        ref=target.ref or Ref(name=project.default_branch),
        parameters=request.parameters,
        definition_id=typed or context.projects.definition_for(target.slug, project.slug),
        definition=request.definition,
        note=_note(request.target(context.projects), target, project),
    )


async def _definition_named(name: str, project: Project, context: Context) -> str:
    """Return the id of a project's pipeline definition; raises NotFound, or UsageError where several are called so."""
    if not made_of_ids(project.slug):
        raise UsageError("This project has one configuration, and no pipeline definitions.", given=name)
    found = named_so(name, await context.circleci.definitions(project.id))
    if not found:
        raise NotFound("pipeline definition", name, looked_in=project.title)
    if len(found) > 1:
        ids = " or ".join(f"`{spelling.DEFINITION}{one.id}`" for one in found[:MOST_ALIKE])
        raise UsageError(f"{len(found)} pipeline definitions are called so: write {ids}.", given=name)
    return found[0].id


def named_so(name: str, definitions: Sequence[Definition]) -> list[Definition]:
    """Return the definitions of this id, else of this name; its case counts only where it tells two apart."""
    alike = [one for one in definitions if one.name.casefold() == name.casefold()]
    for found in ([one for one in definitions if one.id == name], [one for one in alike if one.name == name]):
        if found:
            return found
    return alike


def _note(named: Target, target: Target, project: Project) -> str:
    if target.ref is None:
        return default_branch_chosen(Ref(name=project.default_branch))
    return pull_request_read(named.pull_request, target.ref) if named.pull_request else ""


async def _meant(request: Deploy, target: Target, caller: Caller, context: Context) -> BuildMeant | None:
    """Return what is asked back: a build or a commit was named, or parameters and no branch. None for a branch."""
    pipeline = await _built(request, target, caller, context)
    if pipeline is None and (target.names_more or not (request.parameters or request.definition)):
        return None
    slug = pipeline.project_slug if pipeline else target.slug
    project = await context.finder.project(slug or ProjectSlug(""), caller)
    ref = named_branch_of(pipeline) if pipeline else Ref(name=project.default_branch)
    newest = await context.finder.newest_of(project.slug, ref, caller)
    if pipeline and target.names_a_build:
        request = await _as_asked_for(request, pipeline, caller, context)
    return BuildMeant(
        project_slug=project.slug,
        title=project.title,
        ref=ref,
        number=pipeline.number if pipeline else 0,
        revision=pipeline.revision if pipeline else "",
        newest_number=newest.number if newest else 0,
        newest_revision=newest.revision if newest else "",
        parameters=request.parameters,
        definition=request.definition,
    )


async def _as_asked_for(request: Deploy, pipeline: Pipeline, caller: Caller, context: Context) -> Deploy:
    """Return the request with what a build was asked for with in this channel, where it says nothing else itself."""
    if request.parameters or request.definition:
        return request
    here = [one for one in await context.store.watches.of(pipeline.id) if one.thread.channel_id == caller.channel_id]
    asked = next((one for one in here if one.parameters or one.definition), None)
    known = {"parameters": asked.parameters, "definition": asked.definition} if asked else {}
    return request.model_copy(update=known)


async def _built(request: Deploy, target: Target, caller: Caller, context: Context) -> Pipeline | None:
    """Return the build that was named, also by its commit; a branch that is called like a commit is a branch."""
    finder, slug, ref = context.finder, target.slug, target.ref
    if target.names_a_build or target.commit:
        try:
            return await finder.pipeline(request, caller) if slug or target.workflow_id else None
        except NotFound as error:
            raise _no_build(request, error) from error
    if slug and ref and not ref.is_tag and git.may_be_commit(ref.name) and not await finder.has_branch(slug, ref.name):
        with suppress(NotFound):
            return (await finder.of_commit(slug, ref.name, caller))[0]
    return None


def _no_build(request: Deploy, error: NotFound) -> UserError:
    """Return what is said of a number that is no build's: a pull request has one too, and a branch may be one."""
    number = request.pipeline or request.job
    if number is None or error.what not in ("pipeline", "job"):
        return error
    problem = f"There is no {error.what} of this number. For a pull request write `pull/{number}`."
    return UsageError(f"{problem} Quotes make it a branch.", given=f"{'#' if request.pipeline else ''}{number}")


async def choose_definition(choice: ChooseDefinition, caller: Caller, context: Context) -> Acted:
    """Go on with a deploy whose definition was asked for; the first choice counts."""
    before = await _asked_before(choice.invocation_id, caller, context)
    return await context.operations.choose(caller, choice.invocation_id, choice.definition_id, before)


async def _asked_before(invocation_id: str, caller: Caller, context: Context) -> Deployment | None:
    """Return what an earlier version asked this person about: it kept the command alone, for a day."""
    said = await context.store.deliveries.invocation(invocation_id)
    if said is None or said.user_id != caller.person_id or not said.text.lower().startswith("deploy "):
        return None
    request = parse(split(said.text)[1:], context.projects)
    return await _wished(request, request.target(context.projects), context)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(
        HELP,
        permission="deploy",
        request=Deploy,
        parse=parse,
        handle=deploy,
        tool=Tool(summary=FOR_AGENTS, without=("pipeline", "job", "commit")),
    )
    router.action(ChooseDefinition, permission="deploy", handle=choose_definition)
