"""Start a pipeline on a branch or a tag, and follow it in a thread."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from bot.actions import ChooseDefinition
from bot.errors import Locked, NotFound, Rejected, UsageError
from bot.grammar import Word, is_parameter, parse_parameters, parse_project, parse_ref, split
from bot.models.attempt import Attempt, ParameterValue
from bot.models.circleci import Definition, Project, ProjectSlug, Ref, made_of_ids
from bot.models.slack import Click, Invocation, Thread, utc_now
from bot.routing import Context, Router
from bot.settings import Projects
from bot.watching.gate import demands
from bot.watching.starter import Start
from formatters import answers
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="deploy",
    group="Ship",
    summary="Start a pipeline on a branch or a tag and follow it in a thread.",
    usage="deploy <project> [<branch> | tag:<tag>] [name=value …]",
    example="deploy acme/frontend release/v2.0",
    phrases=("deploy acme/frontend", "deploy acme/frontend tag:v2.0", "deploy acme/frontend main env=prod"),
    also=("ship", "release", "trigger", "run", "build", "start"),
)


class Deploy(BaseModel):
    """What to start; without `ref`, the project's default branch."""

    model_config = ConfigDict(frozen=True)
    slug: ProjectSlug
    ref: Ref | None = None
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)


def parse(words: Sequence[Word], projects: Projects) -> Deploy:
    """Return the request, or a UsageError that names the word it trips over."""
    if not words:
        raise UsageError("Which project should I deploy?")
    project = parse_project(words[0].text, projects)
    rest = list(words[1:])
    ref = project.ref
    if rest and not is_parameter(rest[0]):
        ref = parse_ref(rest.pop(0))
    return Deploy(slug=project.slug, ref=ref, parameters=parse_parameters(rest))


async def deploy(request: Deploy, invocation: Invocation, context: Context) -> Message | None:
    """Record the attempt, start it, and let the thread say the rest."""
    attempt = await context.store.attempts.get(invocation.id)
    if attempt is None:
        project = await context.finder.project(request.slug)
        decision = await context.permissions.check(invocation, "deploy", project.slug, _ref(request, project))
        await refuse_if_locked(project.slug, _ref(request, project), context, invocation.user_id)
        definition_id = context.projects.definition_for(request.slug, project.slug)
        if definition_id is None and made_of_ids(project.slug):
            definitions = await context.circleci.definitions(project.id)
            if len(definitions) != 1:
                return _ask_which(project, definitions, invocation)
            definition_id = definitions[0].id
        attempt = await _attempt(request, project, invocation, definition_id, context)
        attempt = await context.store.attempts.save(attempt.model_copy(update={"demands": demands(decision)}))
    return await go_on(attempt, context)


def _ask_which(project: Project, definitions: Sequence[Definition], invocation: Invocation) -> Message:
    if not definitions:
        raise NotFound("pipeline definition", project.title)
    return answers.choose_definition(project.title, definitions, invocation.id)


async def _attempt(
    request: Deploy, project: Project, invocation: Invocation, definition_id: str | None, context: Context
) -> Attempt:
    return Attempt(
        id=invocation.id,
        project_slug=project.slug,
        project_title=project.title,
        ref=_ref(request, project),
        note="" if request.ref else answers.default_branch_chosen(_ref(request, project)),
        parameters=request.parameters,
        definition_id=definition_id,
        thread=Thread(channel_id=invocation.channel_id, thread_ts=invocation.thread_ts),
        asker_id=invocation.user_id,
        asker_name=invocation.user_name or await context.messenger.user_name(invocation.user_id),
        asked_at=utc_now(),
    )


async def refuse_if_locked(slug: ProjectSlug, ref: Ref, context: Context, *people: str) -> None:
    """Raise Locked when somebody else than these people keeps others from deploying it."""
    lock = await context.store.locks.on(slug, ref)
    if lock is not None and lock.holder_id not in people:
        age = utc_now() - lock.since
        raise Locked(lock.target, key=lock.key, holder_id=lock.holder_id, reason=lock.reason, age=age)


def _ref(request: Deploy, project: Project) -> Ref:
    return request.ref or Ref(name=project.default_branch)


async def go_on(attempt: Attempt, context: Context) -> Message | None:
    """Ask for what the policy still demands, or start it."""
    if attempt.demands:
        attempt, question = await context.gate.ask(attempt)
        if attempt.demands:
            return question
    return await _start(attempt, context)


async def _start(attempt: Attempt, context: Context) -> Message | None:
    try:
        started = await context.starter.start(attempt)
    except Rejected as error:
        if error.status not in (400, 404) or "not found" not in error.message.lower():
            raise
        raise await context.finder.unknown_ref(attempt.project_slug, attempt.ref) from error
    if started is Start.LOOKED_FOR:
        return answers.lost_answer(attempt.ref, attempt.project_title)
    return None


async def choose_definition(choice: ChooseDefinition, click: Click, context: Context) -> Message | None:
    """Go on with a deploy whose definition was asked for; the first choice counts."""
    claim = f"definition:{choice.invocation_id}"
    if await context.store.claims.claim(claim, choice.definition_id) != choice.definition_id:
        return answers.someone_was_first(click.user_id, "choose")
    invocation = await context.store.deliveries.invocation(choice.invocation_id)
    if invocation is None:
        raise UsageError("This question is too old.")
    request = parse(split(invocation.text)[1:], context.projects)
    project = await context.finder.project(request.slug)
    decision = await context.permissions.check(click, "deploy", project.slug, _ref(request, project))
    await refuse_if_locked(project.slug, _ref(request, project), context, invocation.user_id)
    attempt = await context.store.attempts.get(invocation.id)
    if attempt is None:
        attempt = await _attempt(request, project, invocation, choice.definition_id, context)
        attempt = await context.store.attempts.save(attempt.model_copy(update={"demands": demands(decision)}))
    return await go_on(attempt, context)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, parse=parse, permission="deploy")(deploy)
    router.action(ChooseDefinition, permission="deploy")(choose_definition)
