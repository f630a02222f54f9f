"""What the policy demands before a deploy is sent: a branch that is not red, the target typed, a second person.

An attempt carries its `demands`; each that is met is taken off, and only one without any is started. Who agrees or
declines first decides: it is claimed before it is recorded, and recorded before anything is sent.
"""

from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.circleci.transport import together
from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.attempt import Attempt, Demand
from bot.models.build import Build, Shipment, State
from bot.models.slack import Click, utc_now
from bot.policy import Decision
from bot.settings import Settings
from bot.store import Store
from bot.watching.engine import Engine
from formatters import gate as words
from formatters.blocks import Message

MOST_LOOKED_AT = 8
RED = frozenset({State.FAILED, State.COULD_NOT_RUN})
OPEN = frozenset({State.WAITING, State.RUNNING, State.ON_HOLD, State.UNKNOWN})
log = structlog.get_logger(__name__)


def demands(decision: Decision) -> tuple[Demand, ...]:
    """Return what a decision demands, in the order in which it is asked for."""
    wanted = {Demand.GREEN: decision.green, Demand.TYPED: decision.typed, Demand.SECOND_PERSON: decision.second_person}
    return tuple(demand for demand, is_wanted in wanted.items() if is_wanted)


class Gate:
    """Asks for what is still demanded, and takes answers."""

    def __init__(self, settings: Settings, store: Store, circleci: Reads, messenger: Messenger, engine: Engine) -> None:
        self._settings = settings
        self._store = store
        self._circleci = circleci
        self._messenger = messenger
        self._engine = engine

    async def ask(self, attempt: Attempt) -> tuple[Attempt, Message | None]:
        """Return the attempt without what is met, and what to answer to its asker while something is left."""
        if attempt.demands[:1] == (Demand.GREEN,):
            red = await self._red(attempt)
            if red is not None:
                return attempt, words.red(attempt, red)
            attempt = await self.met(attempt, Demand.GREEN)
        match attempt.demands[:1]:
            case (Demand.TYPED,):
                return attempt, words.to_be_typed(attempt)
            case (Demand.SECOND_PERSON,) if attempt.thread.channel_id.startswith("D"):
                return attempt, words.ask_in_a_channel(attempt)
            case (Demand.SECOND_PERSON,):
                return await self._ask_second(attempt), None
            case _:
                return attempt, None

    async def met(self, attempt: Attempt, demand: Demand, **changed: object) -> Attempt:
        """Record that a demand is met."""
        left = tuple(one for one in attempt.demands if one is not demand)
        return await self._store.attempts.save(attempt.model_copy(update={"demands": left, **changed}))

    async def decide(self, attempt: Attempt, click: Click, verdict: str) -> str | None:
        """Claim the decision for who pressed; returns who was first where that was somebody else."""
        mine = f"{click.id}|{click.user_id}|{verdict}"
        holder = await self._store.claims.claim(f"second:{attempt.id}", mine)
        return None if holder == mine else holder.split("|")[1]

    async def declined(self, attempt: Attempt, click: Click, reason: str) -> None:
        """Let it end there; the asker is told in the thread."""
        await self._store.attempts.save(attempt.model_copy(update={"over": True, "demands": ()}))
        await self.show(attempt, words.declined(attempt, click.user_name or click.user_id, reason))
        await self._tell(attempt, words.declined_to_asker(attempt, click.user_name or click.user_id, reason))

    async def expire(self, attempt_id: str) -> None:
        """Let a request that nobody decided end; the asker is told in the thread."""
        attempt = await self._store.attempts.get(attempt_id)
        if attempt is None or attempt.over or not attempt.demands:
            return
        if await self._store.claims.claim(f"second:{attempt_id}", "expired||") != "expired||":
            return
        await self._store.attempts.save(attempt.model_copy(update={"over": True, "demands": ()}))
        await self.show(attempt, words.expired(attempt))
        await self._tell(attempt, words.expired_to_asker(attempt))

    async def show(self, attempt: Attempt, message: Message) -> None:
        """Put what became of it in the place of the request."""
        if attempt.request_ts is None:
            return
        try:
            await self._messenger.update(attempt.thread.channel_id, attempt.request_ts, message, urgent=True)
        except SlackError as error:
            log.warning("request_not_edited", attempt=attempt.id, method=error.method, code=error.code)

    async def _ask_second(self, attempt: Attempt) -> Attempt:
        """Post the request; a run that died before it was recorded would rather have asked twice than never."""
        expires_at = attempt.expires_at or utc_now() + timedelta(minutes=self._settings.approval_minutes)
        if attempt.request_ts is None:
            message, thread = words.request(attempt, await self._shipment(attempt), expires_at), attempt.thread
            ts = await self._messenger.post(thread.channel_id, message, thread_ts=thread.thread_ts)
            attempt = attempt.model_copy(update={"request_ts": ts, "expires_at": expires_at})
            attempt = await self._store.attempts.save(attempt)
        await self._engine.expire(attempt.id, expires_at)
        return attempt

    async def _tell(self, attempt: Attempt, message: Message) -> None:
        thread = attempt.thread
        try:
            await self._messenger.post(thread.channel_id, message, thread_ts=thread.thread_ts or attempt.request_ts)
        except SlackError as error:
            log.warning("asker_not_told", attempt=attempt.id, method=error.method, code=error.code)

    async def _red(self, attempt: Attempt) -> Build | None:
        """Return the newest finished build of the branch if it is red; a tag is built once and has no history."""
        for outline in await self._outlines(attempt, 3):
            if outline.state not in OPEN:
                return await self._circleci.build(outline.pipeline.id) if outline.state in RED else None
        return None

    async def _shipment(self, attempt: Attempt) -> Shipment:
        """Return what CircleCI knows of what will ship: the commits it built on the branch since the last green."""
        outlines = await self._outlines(attempt, MOST_LOOKED_AT)
        green = next((number for number, one in enumerate(outlines) if one.state is State.PASSED), None)
        since = outlines if green is None else outlines[:green]
        return Shipment(
            commits=tuple(one.pipeline for one in since), green=None if green is None else outlines[green].pipeline
        )

    async def _outlines(self, attempt: Attempt, most: int) -> list[Build]:
        if attempt.ref.is_tag:
            return []
        pipelines = await self._circleci.pipelines(attempt.project_slug, attempt.ref.name)
        return await together(*(self._circleci.outline(pipeline) for pipeline in pipelines[:most]))
