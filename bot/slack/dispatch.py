"""The boundary: find, parse, ask at the door, handle, show; every exception becomes words here and nowhere else."""

import secrets
import time
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext, suppress

import structlog

from bot import metrics
from bot.actions import RunCommand, ShareAnswer
from bot.answered import claim_on, taken_by
from bot.answers import Answer, File, Nothing
from bot.answers.acts import Acted
from bot.answers.questions import SecondPerson, Waits
from bot.circleci.asked import one_question
from bot.errors import (
    BotError,
    CircleCIError,
    NotAllowed,
    NotFound,
    NothingToDo,
    Sentence,
    SlackError,
    StoreError,
    Unauthorized,
    Unheard,
    UsageError,
    UserError,
    as_told_to,
)
from bot.grammar import Word as Typed
from bot.grammar import split
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.slack import Click, Invocation
from bot.permissions import Permissions
from bot.reading import is_completed, parsed, read
from bot.record import About, Record
from bot.routing import Command, Context
from bot.settings import Projects
from bot.slack.answering import Answering
from bot.slack.carried import Act, Stands
from bot.slack.offers import Vocabulary, as_answered, offered
from bot.slack.secrecy import REMOVED
from bot.slack.sentences import Sentences, is_sentence, refused
from bot.slack.sharing import Sharing
from bot.slack.signs import Signs
from bot.watching.engine import SIGN, Engine
from bot.watching.operator import Operator
from formatters import again, credentials, errors, sentences, sharing, unheard
from formatters.blocks import Message
from formatters.links import Links
from formatters.meant import noted
from formatters.offers import Offer
from formatters.show import show, show_to_all

log = structlog.get_logger(__name__)


class Dispatcher:
    """Carries out what was recorded; nothing it does raises to the worker but a lost Redis."""

    def __init__(
        self, context: Context, operator: Operator, record: Record, links: Links, signs: Signs, engine: Engine
    ) -> None:
        self._signs = signs
        self._engine = engine
        self._record = record
        self._context = context
        self._operator = operator
        self._links = links
        self._answering = Answering(context)
        self._sharing = Sharing(context, self._answering)
        self._sentences = Sentences(context)

    async def handle(self, invocation_id: str) -> None:
        """Carry out what somebody said, unless an earlier run has."""
        invocation = await self._context.store.deliveries.said(Invocation, invocation_id)
        if invocation is None:
            return
        act = Act(invocation.caller)
        with structlog.contextvars.bound_contextvars(request=_reference(), user=invocation.user_id):
            async with self._signs.while_answered(invocation):
                if REMOVED in invocation.text:
                    await self._answering.alone(invocation, credentials.token_in_link())
                await self._answer(invocation, act, self._answer_to(invocation, act))
                await self._context.store.deliveries.mark_done(invocation_id)

    async def press(self, click_id: str) -> None:
        """Carry out what somebody pressed, unless an earlier run has."""
        click = await self._context.store.deliveries.said(Click, click_id)
        if click is None:
            return
        act = Act(click.caller)
        with structlog.contextvars.bound_contextvars(request=_reference(), user=click.user_id):
            async with self._signs.while_answered(click):
                await self._answer(click, act, self._answer_to_click(click, act))
                await self._context.store.deliveries.mark_done(click_id)

    async def _answer_to(self, invocation: Invocation, act: Act) -> Answer:
        if invocation.kind == "opened" and not await self._is_new(invocation):
            return Nothing()
        act.typed = invocation.text
        command, rest = self._context.router.find(split(await self._line(invocation, act)))
        log.info("command", name=command.name, kind=invocation.kind, channel=invocation.channel_id)
        act.word, act.what = command.permission, command.name
        act.about = _named(command, rest, self._context.projects)
        with one_question() if command.only_looks else nullcontext():
            return await self._carried_out(command, rest, act)

    async def _line(self, invocation: Invocation, act: Act) -> str:
        """Return the command line that was said, or that a sentence means; what stands on a button is none."""
        words, router = split(invocation.text), self._context.router
        if invocation.kind in ("button", "opened") or not is_sentence(words, router, self._context.projects):
            return invocation.text
        with one_question():
            if await is_completed(words, act.caller, self._context):
                return invocation.text
            line = await self._sentences.line(invocation.text, act.caller)
        act.read_as = line if line != invocation.text else ""
        return line

    async def _carried_out(self, command: Command, words: Sequence[Typed], act: Act) -> Answer:
        await self._context.permissions.check(act.caller, command.permission, certain=False)
        try:
            meant = await read(command, words, act.caller, self._context)
            request = parsed(command, meant.words, self._context.projects)
            slug, ref = request.about(self._context.projects)
            act.about, act.note, act.line = About(slug, ref=ref) if slug else act.about, meant.note, meant.line
            await self._context.permissions.check(act.caller, command.permission, slug, ref, certain=False)
            return meant.question or await command.handle(request, act.caller, self._context)
        except UsageError as error:
            error.command = error.command or command.name
            raise

    async def _is_new(self, invocation: Invocation) -> bool:
        """Say whether nothing was ever said between them; two openings at once are told apart by the claim."""
        if await self._context.messenger.has_talked(invocation.channel_id):
            return False
        return await self._context.store.claims.first(f"greeting:{invocation.user_id}")

    async def _answer_to_click(self, click: Click, act: Act) -> Answer:
        if click.action_id.partition(":")[0] == RunCommand.action_id:
            return await self._run_command(click, act)
        if click.action_id.partition(":")[0] == ShareAnswer.action_id:
            return await self._looked_up_anew(click, act)
        action = self._context.router.action_for(click.action_id)
        if action is None:
            raise NothingToDo("unknown_button")
        log.info("press", button=action.button.action_id, channel=click.channel_id)
        act.what = button = action.button.unpack(click.value)
        act.word = button.takes(action.permission)
        with one_question() if action.only_looks else nullcontext():
            if not button.asks_itself:
                await at_the_door(self._context.permissions, act.caller, act.word, button.project)
            return await action.handle(button, act.caller, self._context)

    async def _looked_up_anew(self, click: Click, act: Act) -> Answer:
        """Return an answer that is to be shared, as it is by now, for who presses."""
        share = ShareAnswer.unpack(click.value)
        command, _ = self._context.router.find(split(share.text))
        act.what = share
        await self._sharing.begin(click, share, command)
        act.shares = share
        return await self._answer_to(_as_if_typed(click, share.text), act)

    async def _run_command(self, click: Click, act: Act) -> Answer:
        """Carry out a command offered as a button, as if the presser had typed it; the first press counts."""
        line = RunCommand.unpack(click.value)
        text, answers = line.text, line.model_dump(include={"directly", "unbuilt"})
        act.caller = act.caller.model_copy(update=answers)
        act.stays_alone = line.alone
        command, _ = self._context.router.find(split(text))
        invocation = _as_if_typed(click, text)
        if line.channel_id not in ("", click.channel_id) and await self._is_there(click.user_id, line):
            invocation = invocation.model_copy(update={"channel_id": line.channel_id, "thread_ts": None})
            act.caller = act.caller.model_copy(update={"place": invocation.caller.place})
        if command.only_looks:
            return await self._answer_to(invocation, act)  # may be read as often as anybody likes
        claim = claim_on(line.asked) if line.asked else f"run:{click.channel_id}:{click.message_ts}:{text}"
        store = self._context.store
        if (holder := await store.claims.claim(claim, act.caller.claim)) != act.caller.claim:
            await self._context.operations.refuse_if_open(holder.rpartition("|")[0])
            raise await taken_by(holder, act.caller, text, store)
        try:
            return await self._answer_to(invocation, act)
        except Waits as waits:
            if not isinstance(waits.question, SecondPerson):  # who pressed sees it alone, and may leave it at that
                await store.claims.release(claim)
            raise
        except (UserError, CircleCIError, SlackError) as error:
            if isinstance(error, Unheard):
                error.asked = line.asked or error.asked  # it is the same question, and is answered once
            # Nothing else: what nobody expected may come after it was sent, and a lost Redis runs the press again.
            await store.claims.release(claim)
            raise

    async def _is_there(self, person_id: str, line: RunCommand) -> bool:
        """Say whether somebody is in the channel of a line, and tell them there: Slack refuses what is for others."""
        try:
            here = again.carried_out_here(line.text)
            return await self._context.messenger.whisper_there(line.channel_id, person_id, here)
        except SlackError as error:
            log.info("carried_out_where_it_was_pressed", channel=line.channel_id, code=error.code)
            return False

    async def _answer(self, said: Invocation | Click, act: Act, answer: Awaitable[Answer]) -> None:
        began = time.monotonic()
        async with self._signs.while_waiting(said) as saying:
            message = await self._in_words(said, act, answer)
        if message is None and act.caller.channel_id not in ("", said.channel_id):
            message = again.carried_out_in(act.caller.channel_id)  # a thread there tells the rest
        if message is None and (done := act.told_directly):
            message = unheard.told_directly(done, self._links)
        if message is not None and act.read_as:
            message = sentences.read_as(message, act.read_as, _spoken_to(said))
        signed = isinstance(said, Invocation) and said.signed
        if isinstance(said, Invocation):
            await self._signs.ack_stands(said, began)
        if message is not None:
            message = await self._said(said, act, message, replace=signed or act.answers_its_question)
            if isinstance(said, Invocation):
                self._signs.answer_last(said, message, saying)
        elif signed and isinstance(said, Invocation):
            await self._take_sign_away(said, act.answer)

    async def _said(self, said: Invocation | Click, act: Act, message: Message, *, replace: bool) -> Message:
        """Say it where it is to stand; returns it as it stands there."""
        if act.stands is Stands.FOR_ALL and isinstance(said, Invocation):
            await self._answering.for_all(said, message, act.asks_again)
            return message
        if act.stands is Stands.CAN_BE_SHARED:
            message = sharing.offered(message, ShareAnswer(text=act.asks_again, asked=said.id))
        await self._answering.alone(said, message, replace=replace)
        return message

    async def _take_sign_away(self, said: Invocation, answer: Answer | None) -> None:
        """Take away what the ack said, once the message that is the answer stands: that of a build is still to come."""
        pipeline_id = answer.pipeline_id if isinstance(answer, Acted) else None
        if not await self._signs.taken_away(said, pipeline_id) and pipeline_id:
            await self._engine.add(SIGN, said.id, pipeline_id)

    async def _in_words(self, said: Invocation | Click, act: Act, answer: Awaitable[Answer]) -> Message | None:
        try:
            return await self._told(said, act, answer)
        except StoreError:
            raise  # only the engine can help: it runs the task again, and each step looks before it acts
        except Exception:  # the one boundary: nobody may see nothing, also where the words themselves break
            metrics.ERRORS.labels("unexpected").inc()
            reference = str(structlog.contextvars.get_contextvars()["request"])
            log.exception("unexpected", reference=reference)
            return errors.unexpected(reference)
        finally:
            if act.shares and isinstance(said, Click) and not act.was_shared:
                await self._sharing.give_up(said, act.shares)

    async def _told(self, said: Invocation | Click, act: Act, answer: Awaitable[Answer]) -> Message | None:
        try:
            return await self._shown(said, act, await answer)
        except Waits as waits:
            return show(waits.question, self._links)
        except StoreError:
            raise
        except BotError as error:
            if isinstance(error, NotAllowed):
                error.act = error.act or act.name
            await self._record.at_the_door(act.caller, act.word, act.what, error, act.about)
            return await self._words_for(error, said, act)

    async def _shown(self, said: Invocation | Click, act: Act, answer: Answer) -> Message | None:
        """Return the words of an answer; a file goes into the thread itself."""
        log.info("answered", what=act.name, answer=type(answer).__name__)
        act.answer = answer
        if isinstance(answer, File):
            await self._context.messenger.upload(said.channel_id, answer.name, answer.content, thread_ts=said.thread_ts)
            return None
        is_public = isinstance(said, Invocation) and said.kind == "mention" and answer.is_for_all
        if is_public:
            message = show_to_all(answer, self._links, in_thread=said.thread_ts != said.message_ts)
        else:
            message = show(answer, self._links, command=_spoken_to(said))
        message = noted(message, act.note) if message and act.note else message
        if act.shares and isinstance(said, Click) and message:
            message = await self._shared(said, act, message)
        elif is_public:
            act.stands = Stands.FOR_ALL
        elif act.can_be_shared(said):
            act.stands = Stands.CAN_BE_SHARED
        return message

    async def _shared(self, click: Click, act: Act, message: Message) -> Message:
        """Share an answer; one that is by now for who asks alone stays with them."""
        if act.shares is None or act.answer is None or not act.answer.is_for_all:
            return message
        message = await self._sharing.end(click, act.shares, message)
        act.was_shared = True
        return message

    async def _words_for(self, error: BotError, said: Invocation | Click, act: Act) -> Message:
        as_told_to(error, said.user_id)
        await self._context.permissions.as_told_to(error, said.caller)
        metrics.ERRORS.labels(type(error).__name__).inc()
        if not isinstance(error, UserError):
            log.warning("refused", error=repr(error))
        if isinstance(error, Unauthorized):
            error.is_told = await self._operator.token_refused(error.token)
        if isinstance(error, Sentence) and error.did_you_mean:
            error.refused = refused(error, self._context.router, self._context.projects)
        usage = self._context.router.commands.get(error.command or "") if isinstance(error, UsageError) else None
        reference = str(structlog.contextvars.get_contextvars()["request"])
        # Also where a button carries the line: what it corrects can be corrected once more.
        typed = (error.line if isinstance(error, NotFound) else "") or act.asks_again
        meant = await self._meant(error, typed, act.caller) if typed else ()
        message = errors.error(
            error, command=_spoken_to(said), help=usage.help if usage else None, offered=meant, reference=reference
        )
        return noted(message, act.note) if act.note else message

    async def _meant(self, error: BotError, typed: str, caller: Caller) -> tuple[Offer, ...]:
        """Return what may have been meant; a project is spelled as one of those that they may see."""
        followed: Sequence[ProjectSlug] = ()
        if isinstance(error, NotFound) and error.what == "project":
            with suppress(CircleCIError):  # what it answers next may be wrong too, and is not what they asked
                followed = await self._context.finder.followed(caller)
        words = Vocabulary(self._context.router, self._context.projects, followed)
        return as_answered(offered(error, typed, words), caller)


def _named(command: Command, words: Sequence[Typed], projects: Projects) -> About | None:
    """Return what a line is about, as it is spelled: who is refused it is told nothing else."""
    try:
        slug, ref = parsed(command, words, projects).about(projects)
    except UsageError:
        return None
    return About(slug, ref=ref) if slug else None


async def at_the_door(permissions: Permissions, caller: Caller, word: str, slug: str) -> None:
    """Ask early, to be polite: what protects is asked again by the act itself, with what the far side names."""
    await permissions.check(caller, word, ProjectSlug(slug) if slug else None, certain=False)


def _spoken_to(said: Invocation | Click) -> str:
    return said.command if isinstance(said, Invocation) else "/ci"


def _as_if_typed(click: Click, text: str) -> Invocation:
    return Invocation(
        id=click.id,
        kind="button",
        text=text,
        user_id=click.user_id,
        user_name=click.user_name,
        team_id=click.team_id,
        channel_id=click.channel_id,
        thread_ts=click.thread_ts,
        response_url=click.response_url,
    )


def _reference() -> str:
    return secrets.token_hex(3)
