"""What operations work with: the far side, Slack, the store, the policy and the record."""

from dataclasses import dataclass
from typing import NamedTuple

import structlog

from bot.circleci.reads import Reads
from bot.circleci.writes import Writes
from bot.errors import Locked, NotAllowed, SlackError
from bot.finding import Finder
from bot.messenger import Messenger
from bot.models.caller import Caller, Place
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug, Ref
from bot.models.lock import Lock
from bot.models.slack import utc_now
from bot.permissions import Permissions
from bot.policy import Decision, Word
from bot.record import Record
from bot.settings import Projects, Settings
from bot.store import Store
from bot.watching.engine import Engine
from bot.watching.roots import Roots
from bot.watching.saying import Saying
from bot.watching.schedule import YOUNG
from bot.watching.teller import Teller
from formatters.blocks import Message

log = structlog.get_logger(__name__)


class Subject(NamedTuple):
    """What an act is about, in the words of the far side."""

    slug: ProjectSlug = ProjectSlug("")
    title: str = ""
    ref: Ref | None = None
    pipeline_id: PipelineId | None = None
    number: int | None = None

    @classmethod
    def of(cls, pipeline: Pipeline, title: str) -> "Subject":
        """Return a pipeline as a subject."""
        return cls(pipeline.project_slug, title, pipeline.ref, pipeline.id, pipeline.number)

    @property
    def about(self) -> str:
        """The project and the branch or tag, as people say it."""
        return f"{self.title or self.slug} {self.ref or ''}".strip()

    @property
    def build(self) -> str:
        """The project and the number of the build, if it is one."""
        return f"{self.title or self.slug} {f'#{self.number}' if self.number else ''}".strip()


@dataclass(frozen=True)
class Hands:
    """All that an operation may use; nobody else is given the writes."""

    settings: Settings
    projects: Projects
    store: Store
    reads: Reads
    writes: Writes
    finder: Finder
    permissions: Permissions
    record: Record
    messenger: Messenger
    teller: Teller
    roots: Roots
    saying: Saying
    engine: Engine

    async def named(self, caller: Caller) -> Caller:
        """Return the caller with a name, which a mention does not bring."""
        if caller.name or caller.is_bot:
            return caller
        return caller.model_copy(update={"name": await self.messenger.user_name(caller.person_id)})

    async def told_in(self, caller: Caller) -> Place:
        """Return where somebody hears how what they start goes: where they speak, or else in direct messages."""
        if caller.place is not None and not caller.directly:
            return caller.place
        return Place(channel_id=await self.messenger.direct_channel(caller.person_id))

    async def permitted(self, caller: Caller, slug: ProjectSlug | None, ref: Ref | None, *words: Word) -> Decision:
        """Return what the policy says of the first word, if it permits all of them; raises NotAllowed.

        To who may not look at it, what it is called is not said either.
        """
        try:
            decision, *_ = [await self.permissions.check(caller, word, slug, ref) for word in words]
        except NotAllowed as error:
            if slug and not await self.finder.may_read(caller, slug, ref):
                error.about = ""
            raise
        return decision

    async def refuse_if_hidden(self, caller: Caller, slug: ProjectSlug | None, ref: Ref | None) -> None:
        """Raise NotAllowed where a rule denies the caller to read this, without saying what it is called."""
        try:
            await self.permissions.refuse_if_hidden(caller, slug, ref)
        except NotAllowed as error:
            error.about = ""
            raise

    async def whose_locks(self, caller: Caller) -> tuple[str, ...]:
        """Return whose locks do not stop somebody: their own, and an agent's owner's unless it stands on its own."""
        agent = await self.store.agents.get(caller.agent) if caller.agent else None
        is_free = bool(caller.agent) and (agent is None or agent.own)
        return () if is_free else (caller.person_id,)

    async def refuse_if_locked(self, subject: Subject, word: str, *people: str, again: str = "") -> None:
        """Raise Locked when somebody else than these people keeps others from it; `again` asks for the same."""
        held = await self.finder.locks_on(subject.slug, subject.ref)
        errors = [locked_by(lock, word, again) for lock in held if lock.holder_id not in people]
        if errors:
            errors[0].others = tuple(errors[1:])
            raise errors[0]

    async def tell(  # all that is said of it
        self, pipeline_id: PipelineId, caller: Caller, act: str, word: Message, *told: str, agreed: str = ""
    ) -> bool:
        """Tell every thread of a pipeline who acted, and look again; says whether it is read where they did.

        `act` is what they did as the root says it; what shows in time by itself, such as the cancel of a job, has none.
        `agreed` is the name of who let an agent have it done.
        """
        heard, lease = False, self.settings.lease
        async with self.store.watches.fence(pipeline_id, lease, wait=lease):
            for watch in await self.store.watches.of(pipeline_id):
                acted_on = await self.store.watches.save(watch, watch.acted_on(caller, act, agreed))
                try:
                    await self.teller.once(acted_on, f"act:{caller.delivery_id}", word, *told)
                    heard = heard or caller.place is None or watch.thread.channel_id == caller.place.channel_id
                except SlackError as error:
                    log.warning("thread_not_told", pipeline=pipeline_id, method=error.method, code=error.code)
        await self.look_again(pipeline_id)
        return heard

    async def look_again(self, pipeline_id: PipelineId) -> None:
        """Look at a pipeline that was acted on, now and then as at a young one, also where it had ended."""
        await self.store.watches.again(pipeline_id, YOUNG)
        await self.engine.wake(pipeline_id)

    async def direct(self, person_id: str, message: Message) -> bool:
        """Tell one person in a direct message; says whether Slack took it."""
        try:
            await self.messenger.direct(person_id, message)
        except SlackError as error:
            log.warning("person_not_told", user=person_id, code=error.code)
            return False
        return True


def locked_by(lock: Lock, word: str, again: str = "") -> Locked:
    """Return that a lock keeps somebody from what the word says; `again` asks for the same."""
    age, by = utc_now() - lock.since, lock.holder_id
    error = Locked(lock.target, key=lock.key, holder_id=by, reason=lock.reason, age=age, word=word, again=again)
    error.at, error.until, error.changes = lock.since, lock.until, lock.changes
    return error
