"""Reads a line that does not name its project in full: by the thread, the channel, and what is followed.

What only looks, or lists, goes on with what was found, and says so. What acts is asked about, with a dialog before it.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from pydantic import ValidationError

from bot import naming
from bot.answers.lines import How, LineMeant, LinesMeant
from bot.errors import CircleCIError, NotAllowed, NotFound, Unbuilt, UsageError, UserError
from bot.grammar import Word, is_parameter, split
from bot.masks import masked
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.rule_line import WORKFLOW
from bot.models.slugs import spelled_alike
from bot.models.spelling import quoted
from bot.models.subscription import named_in, ref_named
from bot.models.target import Target
from bot.models.told import MessageAbout
from bot.naming import Known, Line, Seen
from bot.requests import OfTarget, Request
from bot.routing import EARLIER_NAMES, Command, Context, without_address
from bot.settings import Projects
from bot.targets import is_project

MOST_FOLLOWED = 15  # in one thread, or by one number in a channel
HOW = ("all", "ssh")
WORKFLOWS = f" {WORKFLOW}="  # in what is known of a branch by some of its workflows
UNSUBSCRIBE = "unsubscribe"
IN_WORDS = ("lock", "subscribe", UNSUBSCRIBE)
OF_A_REF = ("deploy", "rerun")  # without one they would mean the default branch
# The rest finds its build by itself.
KNOW_THE_THREAD = frozenset((*naming.NEW, *naming.LOCKS, *naming.OF_PROJECT, "may", "why"))


class Read(NamedTuple):
    """The words behind a command as they are meant; with a `question` they are not carried out.

    `note` says by what the project was found, where the line does not name it in full; `line` does.
    """

    words: Sequence[Word]
    note: LineMeant | None = None
    question: LinesMeant | None = None
    line: str = ""


def parsed(command: Command, words: Sequence[Word], projects: Projects) -> Request:
    """Return the request; what no field takes is a word that cannot be understood, like any other."""
    try:
        request: Request = command.parse(words, projects)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            "I cannot take this: it is too long, or holds what no name can.", given=str(first["input"])
        ) from None
    return request


async def read(command: Command, words: Sequence[Word], caller: Caller, context: Context) -> Read:
    """Return what a line means where it is said; it is as it was typed where nothing tells."""
    if not (issubclass(command.request, OfTarget) or command.name in naming.OF_PROJECT):
        return Read(words)
    plain = naming.plainly(command.name, words, context.projects)
    if naming.is_in_full(command.name, plain, context.projects):
        return Read(plain)
    known = await _known(command, plain, caller, context)
    lines = naming.read(command.name, plain, context.projects, known) if known else []
    if not lines and known and not known.meant and command.name != naming.AUDIT:  # of which a word may be a time too
        _check_is_called_so(command, plain, context.projects)
    if not lines or [one.how for one in lines] == [How.IN_FULL]:
        return Read(lines[0].words if lines else plain, await _beyond_the_thread(command.name, plain, caller, context))
    if len(lines) == 1 and not asks(command, lines[0]):
        line, found = _spelled(command, lines[0].words), lines[0]
        return Read(found.words, LineMeant(line=line, title=found.title, how=found.how), line=line)
    meant = await _all_meant(command, lines, caller, context)
    first = plain[naming.place(command.name, plain) :][:1]
    question = LinesMeant(lines=tuple(meant), typed=first[0].text if first else "", acts=_acts(command))
    return Read(lines[0].words, question=question)


async def is_completed(words: Sequence[Word], caller: Caller, context: Context) -> bool:
    """Say whether a line begins with a command by its own name, and can be read in full where it is said."""
    try:
        command, rest = context.router.find(words)
        if without_address(words)[0].text.lower() not in (command.name, EARLIER_NAMES.get(command.name)):
            return False
        meant = await read(command, rest, caller, context)
        parsed(command, meant.words, context.projects)
        return meant.note is not None or meant.question is not None or list(meant.words) != list(rest)
    except Unbuilt:
        return True  # it is a question too
    except UserError:
        return False


def _check_is_called_so(command: Command, words: Sequence[Word], projects: Projects) -> None:
    """Raise UsageError, with what would help, where it is the name of a project that is missing."""
    first = words[naming.place(command.name, words) :][:1]
    try:
        parsed(command, words, projects)
    except UsageError as error:
        if not first or error.given != first[0].text or not _may_be_a_name(first[0].text):
            raise
        problem = "I follow no project of this name, and this channel uses none."
        way = "Name it in full, or let the channel use one: `/ci use acme/frontend`, for whoever may deploy."
        raise UsageError(f"{problem} {way}", given=error.given) from None


def _may_be_a_name(text: str) -> bool:
    return all(part.isalnum() for part in text.replace("_", "-").replace(".", "-").split("-"))


def _target(command: Command, words: Sequence[Word], projects: Projects) -> Target:
    request = parsed(command, words, projects)
    return request.target(projects) if isinstance(request, OfTarget) else Target()


def _acts(command: Command) -> bool:
    return not command.only_answers  # else what it does is done by the buttons of its answer, with their dialogs


def asks(command: Command, line: Line) -> bool:
    """Say whether it is asked first: what is nearly a name is, and what acts; a deploy of one build asks by itself."""
    is_build = command.name == "deploy" and len(line.words) > 1 and line.words[1].text.startswith("#")
    return line.how is How.LIKE or (_acts(command) and not (is_build and line.how is How.THREAD))


async def _all_meant(command: Command, lines: Sequence[Line], caller: Caller, context: Context) -> Sequence[LineMeant]:
    """Return the lines with all that they are about; of several those that are about something they may see."""
    if len(lines) == 1:
        return [await _meant(command, lines[0], caller, context)]
    meant, problem = list[LineMeant](), UserError()
    for line in lines:
        try:
            meant.append(await _meant(command, line, caller, context))
        except (NotFound, NotAllowed) as error:
            problem = error
    if not meant:
        raise problem
    return meant


async def _meant(command: Command, line: Line, caller: Caller, context: Context) -> LineMeant:
    """Return a line with all that it is about; of one that acts a branch is named, be it the default one."""
    words = list(line.words)
    target = _target(command, words, context.projects)
    ref, is_target = target.ref, issubclass(command.request, OfTarget)
    if target.slug and command.name in OF_A_REF and not target.names_more:
        project = await context.finder.project(target.slug, caller)
        ref = Ref(name=project.default_branch)
        words.insert(1, naming.spelled(ref))
    elif is_target and _acts(command) and (target.names_a_build or command.name == "rerun"):
        ref = await _ref_of_build(command, line, target, caller, context)
    elif target.slug and ref and command.name == "deploy":
        await _check_built(_spelled(command, words), line.title, target.slug, ref, caller, context)
    return LineMeant(
        line=_spelled(command, words),
        title=line.title,
        ref=ref,
        number=target.pipeline_number or 0,
        job=target.job_number or 0,
        more=_more(command, naming.beside(words[1:], ref, f"#{target.pipeline_number}", str(target.job_number))),
        how=line.how,
    )


async def _ref_of_build(command: Command, line: Line, target: Target, caller: Caller, context: Context) -> Ref | None:
    """Return the branch of the build that is meant; where there is none, the error has the line in full."""
    try:
        return (await context.finder.pipeline(OfTarget.named(target), caller)).ref
    except NotFound as error:
        error.line = _spelled(command, line.words)
        raise


async def _check_built(  # what the error needs
    line: str, title: str, slug: ProjectSlug, ref: Ref, caller: Caller, context: Context
) -> None:
    """Raise Unbuilt for what may be a slip in the name of a branch: that is one question, in the place of two."""
    with suppress(CircleCIError):  # it is asked once more before anything is sent
        if line and (near := await context.finder.unless_built(slug, ref, caller)):
            unbuilt = Unbuilt(ref.name, looked_in=title, alike=near, again=line, directly=caller.directly)
            unbuilt.line = line
            raise unbuilt


def _more(command: Command, behind: Sequence[Word]) -> tuple[str, ...]:
    """Return what stands in the question beside what is meant: how it is done, or a reason or a rule as a whole."""
    if command.name in IN_WORDS:
        return tuple(filter(None, [" ".join(word.text for word in behind)]))
    return tuple(word.text for word in behind if is_parameter(word) or word.text.lower() in HOW)


def _spelled(command: Command, words: Sequence[Word]) -> str:
    """Return the line as it can be typed; empty text where it would be read otherwise, or holds what is not kept."""
    text = " ".join([command.name, *(quoted(one.text) if one.quoted else one.text for one in words)])
    return text if masked(text) == text and split(text)[1:] == list(words) else ""


async def _known(of: Command, words: Sequence[Word], caller: Caller, context: Context) -> Known | None:
    """Return what may be meant here; None where the line says all that is to be said."""
    command = of.name
    behind = words[naming.place(command, words) :]
    thread_ids = await context.finder.of_thread(caller.place)
    thread = await _of_thread(thread_ids, caller, context)
    if (thread_ids or thread) and not behind and command not in KNOW_THE_THREAD:
        return None
    numbered = await _numbered(naming.asked_number(command, words), caller, context)
    used = await used_here(caller, context)
    heard = await heard_here(caller, context) if used is None and takes_heard(of) else None
    known = Known(thread=thread, default=used or heard, is_heard=heard is not None, here=numbered)
    if not behind or known.here or behind[0].quoted or naming.asked_number(command, words):
        return known
    is_name = is_project(behind[0], context.projects)
    to_lock = command in naming.LOCKS
    if is_name and not naming.may_be_turned(behind) and not _is_in_doubt(behind[0], known, context):
        return None
    with suppress(CircleCIError):  # what it answers next may be wrong too, and is not what they asked
        known = known._replace(projects=await context.finder.known_projects(caller))
    if not (is_name or to_lock) or naming.called(behind[0].text, known):
        return known
    if await _is_branch(behind[0].text, known, context):
        return known._replace(is_branch=True)
    return known._replace(is_no_project=is_name and await _is_no_project(behind[0], known, caller, context))


def _is_in_doubt(word: Word, known: Known, context: Context) -> bool:
    """Say whether a word with a slash may be a branch of the project that is meant here."""
    if known.surely is None:
        return False
    with suppress(UsageError):
        slug = OfTarget(project=word.text).target(context.projects).slug
        return slug is None or spelled_alike(slug) != spelled_alike(known.surely.slug)
    return True


async def _is_branch(name: str, known: Known, context: Context) -> bool:
    if known.surely is None:
        return False
    with suppress(NotFound, CircleCIError):
        return await context.finder.has_branch(known.surely.slug, name)
    return False


async def _is_no_project(word: Word, known: Known, caller: Caller, context: Context) -> bool:
    """Say whether a word with a slash can only be a branch here, if a new one: no project is called so, or nearly."""
    if known.surely is None or naming.is_near_a_project(word.text, known, context.projects):
        return False
    try:
        slug = OfTarget(project=word.text).target(context.projects).slug
        if slug is not None:
            await context.finder.project(slug, caller)
    except NotFound:
        return True
    except (UserError, CircleCIError):
        return False
    return False


async def _of_thread(ids: frozenset[PipelineId], caller: Caller, context: Context) -> tuple[Seen, ...]:
    """Return the builds that a thread is about, to who may see them: what a subscription tells of there, and others."""
    told = await context.finder.told_in(caller.place)
    if told is None or told.pipeline_id not in ids:
        return await _seen(ids, caller, context)
    found = await _told_of(told, caller, context)
    return (*found, *await _seen(ids - {told.pipeline_id}, caller, context))


async def _told_of(told: MessageAbout, caller: Caller, context: Context) -> tuple[Seen, ...]:
    if not await context.finder.may_read(caller, told.project_slug, _ref_of(told)):
        return ()
    with suppress(CircleCIError, NotFound):
        title = await context.finder.title(told.project_slug)
        return (Seen(told.project_slug, title, _ref_of(told), told.number),)
    return ()


def _ref_of(told: MessageAbout) -> Ref:
    return ref_named(named_in(told.branch))


async def _beyond_the_thread(command: str, words: Sequence[Word], caller: Caller, context: Context) -> LineMeant | None:
    """Return that an answer is about all workflows, where the thread in which nothing was named is about some alone."""
    if command not in naming.OF_WORKFLOWS or words:
        return None
    told = await context.finder.told_in(caller.place)
    if told is None or WORKFLOWS not in told.branch:
        return None
    return LineMeant(line="", title="", ref=_ref_of(told), more=(told.branch,), how=How.PART)


async def _numbered(number: int, caller: Caller, context: Context) -> tuple[Seen, ...]:
    """Return the builds of this number that a channel follows; 0 is none."""
    if not number or caller.place is None:
        return ()
    ids = await context.store.watches.numbered(caller.channel_id, number)
    return await _seen(ids, caller, context)


async def used_here(caller: Caller, context: Context) -> Seen | None:
    """Return what the channel uses, to who may see it."""
    used = await context.store.channels.used(caller.channel_id) if caller.channel_id else None
    if used is None or not await context.finder.may_read(caller, used.project_slug, used.ref):
        return None
    return Seen(used.project_slug, used.project_title, used.ref)


def takes_heard(command: Command) -> bool:
    """Say whether it means what the channel has subscribed to where nothing is named: to look at it, or to end that.

    What acts on builds never does: who subscribed a channel did not say what is to be done in it.
    """
    looks = command.only_looks and command.finds and issubclass(command.request, OfTarget)
    return looks or command.name == UNSUBSCRIBE


async def heard_here(caller: Caller, context: Context) -> Seen | None:
    """Return the one project that all subscriptions of the channel are to, to who may see it; None for several."""
    rules = await context.store.subscriptions.of_channel(caller.channel_id) if caller.channel_id else []
    slugs = {spelled_alike(one.project_slug) for one in rules}
    if len(slugs) != 1 or any(one.pattern for one in rules):
        return None
    one = rules[-1]  # which has the name of now
    if not await context.finder.may_read(caller, one.project_slug, None):
        return None
    return Seen(one.project_slug, one.project_title)


async def _seen(ids: frozenset[PipelineId], caller: Caller, context: Context) -> tuple[Seen, ...]:
    """Return builds that are followed, of those that somebody may see; what is kept of them says what they are."""
    kept = [watch for one in sorted(ids)[:MOST_FOLLOWED] for watch in (await context.store.watches.of(one))[:1]]
    seen = [one for one in kept if await context.finder.may_read(caller, one.project_slug, one.ref)]
    return tuple(Seen(one.project_slug, one.project_title, one.ref, one.pipeline_number) for one in seen)
