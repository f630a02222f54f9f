"""The one frame around everything that changes something for others.

may they ─> is it locked ─> can it be ─> what is demanded ─> is it locked by now ─> claim it ─> do it ─> record it
                                              └─> a question, which waits (`demands.py`)

Who may, whether it is locked and, after a wait, what is demanded is asked again before each write (`last_look.py`):
that may wait for its turn, or be sent a second time.

An operation finds what it acts on at the far side, and does it within `acting`. What it claims, it claims in the name
of the delivery: a second run of the same press comes in again, everybody else is told who was first. An error that
surely did nothing releases the claim. One that may have done something leaves it *unsure*: who comes a while later has
looked and found things as they were, and takes it over.
"""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot import errors
from bot.answers.acts import Acted
from bot.answers.questions import Waits
from bot.circleci.last_look import last_look
from bot.errors import (
    AskedAlready,
    CircleCIError,
    ForAPerson,
    Locked,
    NotAllowed,
    NotHeard,
    PartlyDone,
    SlackError,
    StoreError,
    Taken,
    Unavailable,
)
from bot.models.audit import Entry, Outcome
from bot.models.caller import Caller
from bot.models.channel import LastAct
from bot.models.pending import Deployment, Pending, Rerun, Wish
from bot.models.slack import utc_now
from bot.operations import by_itself, demands
from bot.operations.hands import Hands, Subject
from bot.policy import Decision, Word
from bot.record import begun, ended, mark_recorded

W = TypeVar("W", bound=Wish)
UNSURE, UNSURE_INTERVALS = "unsure", 3
KNOWN_SECONDS = 1.0  # so long what Slack said for this very act of who is not there is as good as new
FRESH = 0.2  # of a poll interval: so long what CircleCI said of a demand is as good as new
SENT = "sent"
OF_A_BUILD = (Word.RERUN, Word.CANCEL, Word.APPROVE)


class Act:
    """One act under way: who does it, on what, and what the record will say of it."""

    def __init__(self, hands: Hands, caller: Caller, intent: "Intent") -> None:
        self._hands = hands
        self._intent = intent
        self._claimed = self._by_itself = ""
        self.has_begun = False  # something of it was sent, or may have been
        self.caller = caller
        self.subject = intent.subject
        self.entry = self.noted = _entry(caller, intent)
        self.wish = intent.wish

    def wished(self, kind: type[W]) -> W:
        """Return what is to be sent, with all that was chosen."""
        assert isinstance(self.wish, kind)  # noqa: S101  # whoever asks has given one
        return self.wish

    @property
    def agreed_name(self) -> str:
        """Who let happen what an agent asked for, empty text where no agent did."""
        pending = self._intent.pending
        return pending.agreed.called if self.caller.agent and pending and pending.agreed else ""

    def note(self, **found: object) -> None:
        """Add what was found out to the entry of the record."""
        self.entry = self.entry.model_copy(update=found)

    @asynccontextmanager
    async def sending(self, what: str, *, earlier: str = "", shown: bool = False) -> AsyncIterator[bool]:
        """Yield False where a run of this delivery before, which died later, has sent this already.

        Where it died over it nobody can tell, unless it is `shown` at the far side: raises Unavailable. An idempotent
        act is sent again, and so is what surely never arrived. `earlier` is what an earlier version claimed.
        """
        claims, name, mine = self._hands.store.claims, self._sent(what), secrets.token_hex(8)
        found = await claims.claim(name, mine)
        unknown = found not in (mine, SENT) or bool(earlier and await claims.is_taken(earlier))
        if unknown and not shown and not self._intent.idempotent:
            raise Unavailable("a run before this one died over it")
        first = found != SENT and not (unknown and shown)
        self.has_begun = self.has_begun or not first
        try:
            yield first
        except Exception as error:
            self.has_begun = self.has_begun or not did_nothing(error)
            if did_nothing(error):
                await claims.release(name)
            raise
        self.has_begun = True
        await claims.swap(name, found, SENT)

    async def was_sent(self, what: str) -> bool:
        """Say whether a run of this delivery, this one or one that died, has sent this."""
        return await self._hands.store.claims.is_taken(self._sent(what))

    def _sent(self, what: str) -> str:
        return f"sent:{self.caller.delivery_id}:{what}"

    async def claim(self) -> None:
        """Claim what is acted on, if anything is; raises Taken for everybody but the first.

        What an agent does by itself is claimed for that agent as well: raises AskedAlready for what it did lately.
        """
        if self.caller.agent and self.wish is not None and self._intent.pending is None:
            self._by_itself = await by_itself.claimed(self._hands, self.caller, self.wish)
        what, mine = self._intent.once, self.caller.claim
        if what is None:
            return
        holder = await self._hands.store.claims.claim(what, mine, self._intent.keep)
        if not (holder == mine or await self._take_over(what, holder)):
            raise Taken(holder.split("|")[1], self._intent.what)
        self._claimed = what

    async def _take_over(self, what: str, holder: str) -> bool:
        """Take a claim of which nobody knows what came of it, once enough time has passed for it to show."""
        _, _, since = holder.partition(f"|{UNSURE}:")
        after = UNSURE_INTERVALS * self._hands.settings.poll_interval
        if not since or utc_now() - datetime.fromtimestamp(float(since), UTC) < after:
            return False
        return await self._hands.store.claims.swap(what, holder, self.caller.claim)

    async def let_go(self, error: BaseException) -> None:
        """Give the claims back where nothing was done, or may be done again; else leave it unsure."""
        if self._by_itself and did_nothing(error):
            await self._hands.store.claims.release(self._by_itself)
        if not self._claimed:
            return
        if self._intent.idempotent or did_nothing(error):
            await self._hands.store.claims.release(self._claimed)
            return
        unsure = f"{self.caller.claim}|{UNSURE}:{utc_now().timestamp():.3f}"
        await self._hands.store.claims.swap(self._claimed, self.caller.claim, unsure)

    def done(self, act: str, *, what: str = "", detail: str = "", told: bool = False) -> Acted:
        """Return the answer."""
        subject = self.subject
        return Acted(
            act=act,
            project_slug=subject.slug,
            project_title=subject.title,
            ref=subject.ref,
            pipeline_id=subject.pipeline_id,
            pipeline_number=subject.number,
            what=what,
            detail=detail,
            told=told,
            pressed=self.caller.pressed,
            entry=self.entry,
        )


@dataclass(frozen=True)
class Intent:
    """What somebody is about to do: `word` permits it (and those in `also`), `what` names it for people.

    `once` is what is claimed, for as long as `keep` says. An `idempotent` act may be tried again after any failure.
    `act` is what it is called where the word is of something else: a lock takes the right to deploy.
    What is about no project is permitted to who may do it `somewhere`; who takes back what is `own` needs no right.
    With a `wish`, what the policy demands is asked for first, unless `pending` says that it is met; before anybody is
    asked `possible` raises what makes it impossible anyway.
    """

    subject: Subject
    word: Word
    what: str
    also: tuple[Word, ...] = ()
    act: str = ""
    once: str | None = None
    keep: timedelta | None = None
    idempotent: bool = False
    stopped_by_locks: bool = False
    somewhere: bool = False
    own: bool = False
    wish: Wish | None = None
    pending: Pending | None = None
    possible: Callable[[], Awaitable[object]] | None = None


@asynccontextmanager
async def acting(hands: Hands, caller: Caller, intent: Intent) -> AsyncIterator[Act]:
    """Let the block do what is intended, and keep one entry of it, whatever comes.

    Raises NotAllowed, Locked, Waits, Taken, and what the block raises.
    """
    caller = await hands.named(caller)
    act = Act(hands, caller, intent)
    _ask_anew(hands, act, intent)
    try:
        await _ready(hands, act, intent)
        with last_look(_Again(hands, act, intent).look):
            yield act
    except Waits as waits:
        await act.let_go(waits)
        if act.caller.agent and intent.pending is None:  # nobody typed it, so that the record alone says who asked
            await hands.record.keep_once(_asked(act.entry), act.caller.delivery_id)
        raise  # it is not over: somebody answers
    except StoreError:
        raise  # nor is this: the engine runs it again
    except Exception as error:
        if isinstance(error, PartlyDone) and act.subject.pipeline_id:
            await hands.look_again(act.subject.pipeline_id)  # its threads see what was done
        await act.let_go(error)
        if isinstance(error, AskedAlready) and error.repeats:
            raise  # it is the same act, which has its entry
        act.noted, act.entry = act.entry, ended(act.entry, error)
        await hands.record.keep_once(act.entry, act.caller.delivery_id)
        mark_recorded(error)
        raise
    act.entry = ended(act.entry)
    await hands.record.keep_once(act.entry, act.caller.delivery_id)
    await _remember(hands, act, intent.pending.asker if intent.pending else act.caller)


def _asked(entry: Entry) -> Entry:
    return entry.model_copy(update={"outcome": Outcome.ASKED, "result": "somebody was asked to agree"})


async def _remember(hands: Hands, act: Act, asker: Caller) -> None:
    """Remember what somebody can ask for again where they asked for it; an approval is of one job, once."""
    wish = act.wish
    if not isinstance(wish, Deployment | Rerun) or not wish.typed or not asker.channel_id:
        return
    if asker.is_bot or asker.agent:  # what a person last did there is theirs
        return
    number = wish.pipeline_number if isinstance(wish, Rerun) else 0
    did = LastAct(line=wish.typed, title=wish.project_title, ref=wish.ref, number=number)
    with suppress(StoreError):  # what was done is done
        await hands.store.channels.did(asker, did)


async def _ready(hands: Hands, act: Act, intent: Intent) -> None:
    """Ask all that stands before an act, in this order, and claim it."""
    agreed = intent.pending.agreed if intent.pending else None
    if agreed is not None:
        act.note(agreed_id=agreed.person_id, agreed_name=agreed.name)
    decision = await _permitted(hands, act, intent)
    if act.caller.agent and intent.wish is None and intent.word is not Word.READ:
        raise ForAPerson("act", intent.what, "")  # nobody could be asked for it
    if act.caller.directly:
        await _refuse_unheard(hands, act.caller)
    if intent.stopped_by_locks:
        await _refuse_if_locked(hands, act, intent)
    if intent.possible is not None and intent.pending is None:
        await intent.possible()
    if intent.wish is not None:
        act.wish, _ = await demands.settled(hands, act.caller, intent.wish, decision, intent.pending)
    if intent.wish is not None and intent.stopped_by_locks:
        await _refuse_if_locked(hands, act, intent)
    await act.claim()


async def _refuse_unheard(hands: Hands, caller: Caller) -> None:
    """Raise NotHeard where the place in which somebody is to hear how it goes cannot be opened."""
    try:
        await hands.told_in(caller)
    except SlackError as error:
        raise NotHeard(error) from error


async def _refuse_if_locked(hands: Hands, act: Act, intent: Intent) -> None:
    """Raise Locked where somebody else holds it than who acts and who agreed to that."""
    agreed = intent.pending.agreed if intent.pending else None
    people = (*await hands.whose_locks(act.caller), *([agreed.person_id] if agreed else []))
    again = intent.wish.typed if intent.wish else ""
    await hands.refuse_if_locked(intent.subject, intent.word, *people, again=again)


class _Again:
    """What is asked again right before each write of an act, as that may have waited for its turn.

    Who may and what is locked are known without CircleCI; what is demanded is not, and asked again after a wait alone.
    What has begun goes on: what it would be asked about is not what stands there any more.
    """

    def __init__(self, hands: Hands, act: Act, intent: Intent) -> None:
        self._hands = hands
        self._act = act
        self._intent = intent
        self._settled = self._known = time.monotonic()

    async def look(self) -> None:
        """Raise what `_ready` would by now."""
        if time.monotonic() - self._known > KNOWN_SECONDS:
            _ask_anew(self._hands, self._act, self._intent)
            if self._intent.pending and (agreed := self._intent.pending.agreed):
                self._hands.permissions.forget_one(agreed)  # of whom it was asked at their press
            self._known = time.monotonic()
        decision, wish = await _permitted(self._hands, self._act, self._intent), self._act.wish
        if wish is not None and not self._act.has_begun and is_old(self._hands, self._settled):
            self._settled = time.monotonic()
            await demands.still_met(self._hands, self._act.caller, wish, decision, self._intent.pending)
        if self._intent.stopped_by_locks:
            await _refuse_if_locked(self._hands, self._act, self._intent)


def _ask_anew(hands: Hands, act: Act, intent: Intent) -> None:
    """Let Slack say anew who acts without being there: what was kept of them is good enough for looks alone."""
    if act.caller.agent or (intent.pending and intent.pending.agreed):
        hands.permissions.forget_one(act.caller)


def is_old(hands: Hands, since: float) -> bool:
    """Say whether what CircleCI said at that time, by our own clock, is to be asked again before anything is sent."""
    return time.monotonic() - since > FRESH * hands.settings.poll_interval_seconds


async def _permitted(hands: Hands, act: Act, intent: Intent) -> Decision:
    """Ask the policy with the names of the far side; the demands are those of the first word.

    Who acts on a build sees of it: what is done is told by the names of its jobs. Who agreed must be allowed all of it.
    """
    slug, ref = act.subject.slug or None, act.subject.ref
    if intent.own:
        return Decision(allowed=True, rule="it is their own")
    if act.caller.is_bot:
        return await hands.permissions.own(intent.word, slug, ref)
    if intent.somewhere:
        decision = await hands.permissions.check(act.caller, intent.word, certain=False)
    else:
        with called(intent.act):
            decision = await hands.permitted(act.caller, slug, ref, intent.word, *intent.also)
    if intent.word in OF_A_BUILD:
        await hands.refuse_if_hidden(act.caller, slug, ref)
    if intent.pending and (agreed := intent.pending.agreed):
        await hands.permitted(agreed, slug, ref, intent.word, *intent.also)
        await hands.refuse_if_hidden(agreed, slug, ref)
    act.note(rule=decision.rule)
    return decision


@contextmanager
def called(act: str) -> Iterator[None]:
    """Say of a refusal within the block what was refused, where that goes by another name than its word."""
    try:
        yield
    except NotAllowed as error:
        error.act = error.act or act
        raise


@asynccontextmanager
async def partly(sent: Sequence[str]) -> AsyncIterator[None]:
    """Say of an error within the block what was sent before it, if anything was."""
    try:
        yield
    except (CircleCIError, Locked, NotAllowed) as error:
        if not sent:
            raise
        raise PartlyDone(error, ", ".join(sent)) from error


def did_nothing(error: BaseException) -> bool:
    """Say whether an error, or a question, surely left everything as it was."""
    return isinstance(error, Waits) or errors.did_nothing(error)


def _entry(caller: Caller, intent: Intent) -> Entry:
    subject = intent.subject
    found = {
        "about": subject.about,
        "project_slug": subject.slug,
        "ref": str(subject.ref or ""),
        "pipeline_number": subject.number,
    }
    return begun(caller, intent.word, intent.what).model_copy(update=found)
