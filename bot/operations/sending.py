"""Sends a trigger, once, whatever is lost on the way.

recorded ──POST──> answered ──────────────> followed
             └──> put off (a 429): sent again after the wait, by this run or, where it dies, by the next
             └──> refused, in words
             └──> no answer: looked for ──> found: followed
                                      └───> given up, in words; never sent again

A look that CircleCI does not answer shows nothing, and is none of those after which it is given up.

A pipeline that may be that of another deploy of the same branch, whose answer is out, is taken for nobody's.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot import metrics
from bot.answers.questions import Waits
from bot.circleci.last_look import last_look
from bot.errors import BotError, CircleCIError, SlackError, StoreError, did_nothing
from bot.models import spelling
from bot.models.attempt import Attempt, Refusal
from bot.models.beside import Beside
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, ProjectSlug
from bot.models.pending import Deployment, Pending
from bot.models.slack import Watch, utc_now
from bot.operations import unanswered
from bot.operations.beside import among
from bot.operations.ending import found_out
from bot.operations.hands import Hands
from bot.operations.taking_back import taken_back, wish_of
from bot.store.attempts import ON_ITS_WAY
from bot.watching.engine import LOOK_FOR
from formatters import answers, endings
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)

LOOKS = 5
MOST_TRIES = 20
UNCLEAR = "unclear"  # who holds the claim on a pipeline that nobody can tell whose it is


class NotAlone(BotError):
    """Another deploy of the same was recorded by now, still runs, and the asker does not know of it."""

    def __init__(self, others: tuple[Beside, ...]) -> None:
        super().__init__(*(one.asked.id for one in others))
        self.others = others


async def lately(hands: Hands, caller: Caller, slug: ProjectSlug, attempt_id: str) -> tuple[Pipeline, ...]:
    """Return the newest pipelines of a project, as they stand before this attempt; none where a run before sent it."""
    found = await hands.store.attempts.get(attempt_id)
    if found is not None and _goes_on(found, caller):
        return ()
    return await hands.reads.pipelines(slug)


async def begun(
    hands: Hands,
    caller: Caller,
    wish: Deployment,
    attempt_id: str,
    pending: Pending | None,
    newest: Sequence[Pipeline] = (),
) -> Attempt:
    """Return the attempt on record, or record it; one that another delivery sent in vain begins anew.

    It is recorded only while all deploys of the branch are known, so that of two at the same moment the second one
    raises NotAlone. One that a run before has recorded and not sent may have waited long, and is looked at anew.
    The project's `newest` pipelines lead to those that were deployed under a name that it had before.
    """
    same = [one.id for one in newest if one.ref is not None and wish.ref.means(one.ref)]
    under_any_name = await hands.store.attempts.of_pipelines(same)
    for _ in range(MOST_TRIES):
        found = await hands.store.attempts.get(attempt_id)
        if found is not None and _goes_on(found, caller):
            return found
        lately = await hands.store.attempts.lately_of(wish.project_slug, wish.ref)
        named = pending.beside if pending else ()
        deploys = dict.fromkeys([*lately, *under_any_name])
        if others := await among(hands, caller, wish, deploys, attempt_id, named):
            raise NotAlone(others)
        attempt = await _attempt(hands, caller, wish, attempt_id, pending)
        if await hands.store.attempts.begin(attempt, seen=lately):
            return attempt
    raise StoreError(f"deploys of {wish.target} begin all the time")


def _goes_on(attempt: Attempt, caller: Caller) -> bool:
    """Say whether one on record was sent, or refused to this very delivery.

    An earlier version did not write down which one sent it: it is the one that asked.
    """
    if attempt.refusal is not None:
        is_of_this = (attempt.sent_by or attempt.id) == caller.delivery_id
        return is_of_this and not attempt.refusal.is_ours
    return attempt.over or attempt.sent_at is not None or attempt.pipeline_id is not None


async def _attempt(hands: Hands, caller: Caller, wish: Deployment, attempt_id: str, pending: Pending | None) -> Attempt:
    return Attempt(
        id=attempt_id,
        project_slug=wish.project_slug,
        project_title=wish.project_title,
        ref=wish.ref,
        note=wish.note,
        parameters=wish.parameters,
        definition_id=wish.definition_id,
        definition=wish.definition,
        thread=await hands.told_in(caller),
        asker_id=caller.person_id,
        asker_name=caller.name,
        asked_at=await hands.store.now(),
        sent_by=caller.delivery_id,
        agreed_revision=pending.seen.revision if pending and pending.agreed else "",
        agent=caller.agent,
        own=caller.own,
        agreed_name=pending.agreed.called if pending and pending.agreed and caller.agent else "",
    )


async def send(hands: Hands, attempt: Attempt, newest: int = 0) -> Attempt:
    """Start the recorded attempt and follow it, or go on where a run before was cut off; raises what CircleCI refused.

    `newest` is the number of the project's newest pipeline before it. One without a `pipeline_id` is being looked for:
    the answer to its trigger was lost.
    """
    if attempt.refusal is not None:
        raise attempt.refusal.error  # a run before this one may have died before it could say so
    if attempt.pipeline_id is not None or attempt.over:
        return await _follow(hands, attempt)
    if attempt.sent_at is not None:
        return await _look_later(hands, attempt)
    metrics.DEPLOYS.labels("asked").inc()
    sending = _Sending(hands, attempt.model_copy(update={"newest_number": newest}))
    try:
        with last_look(sending.goes_out, sending.was_put_off):
            attempt = await _post(hands, sending)
    except _SentMeanwhile:
        return await _as_it_stands(hands, attempt)
    except StoreError:
        raise  # the engine runs it again
    except Exception as error:
        if sending.may_have_arrived(error):
            metrics.DEPLOYS.labels("answer_lost").inc()
            log.warning("trigger_answer_lost", attempt=attempt.id, reason=repr(error))
            return await _look_later(hands, sending.attempt)
        if not await hands.store.attempts.refuse(_refused(sending.attempt, error)):
            return await _as_it_stands(hands, attempt)
        raise
    return await _follow(hands, attempt)


class _SentMeanwhile(BotError):
    """Another run of the same delivery has sent it, while this one waited for its turn; or it was taken back."""


class _Sending:
    """An attempt as this run sends it: it is written down right before it goes out, and taken back when it is put off.

    So a run that dies while it waits leaves no doubt: the next one sends it.
    """

    def __init__(self, hands: Hands, attempt: Attempt) -> None:
        self._attempts = hands.store.attempts
        self._claims = hands.store.claims
        self.attempt = attempt

    async def goes_out(self) -> None:
        if self.attempt.sent_at is not None:
            return  # with another token
        if person_id := await self._claims.holder(wish_of(self.attempt.id)):
            await self._attempts.refuse(taken_back(self.attempt, person_id))
            raise _SentMeanwhile
        sent = self.attempt.model_copy(update={"sent_at": utc_now()})
        if not await self._attempts.send(sent):
            raise _SentMeanwhile
        self.attempt = sent

    def may_have_arrived(self, error: Exception) -> bool:
        """Say whether it went out, and an error leaves open what came of that; what it was asked before did nothing."""
        return self.attempt.sent_at is not None and not (isinstance(error, Waits) or did_nothing(error))

    async def was_put_off(self) -> None:
        with suppress(StoreError):  # then it counts as sent, and is looked for where this run dies
            self.attempt = await self._attempts.put_off(self.attempt)


async def _as_it_stands(hands: Hands, attempt: Attempt) -> Attempt:
    return await send(hands, await hands.store.attempts.get(attempt.id) or attempt)


def _refused(attempt: Attempt, error: Exception) -> Attempt:
    metrics.DEPLOYS.labels("refused").inc()
    return attempt.model_copy(update={"over": True, "refusal": Refusal.of(error)})


async def look_for(hands: Hands, attempt_id: str) -> timedelta | None:
    """Look whether a trigger whose answer was lost began after all; returns the pause before the next look."""
    attempt = await hands.store.attempts.get(attempt_id)
    if attempt is None or attempt.over or attempt.sent_at is None:
        return None  # nothing is lost, or it was put off, and whoever sends it again looks then
    if attempt.pipeline_id is not None:
        await _found_after_all(hands, attempt)
        return None
    found, unclear = None, list[Pipeline]()
    try:
        found, unclear = await _found(hands, attempt)
    except CircleCIError as error:
        log.warning("lost_answer_not_looked_for", attempt=attempt_id, error=repr(error))
        return await _unanswered(hands, attempt)
    if found is not None:
        metrics.DEPLOYS.labels("found").inc()
        await _found_after_all(hands, await hands.store.attempts.save(attempt.started(found.id, found.number)))
        return None
    return await _looked_in_vain(hands, attempt, unclear)


async def _found_after_all(hands: Hands, attempt: Attempt) -> None:
    """Follow what had begun; the request for it says so where it said that this is looked for."""
    await _follow(hands, attempt)
    number, links = attempt.pipeline_number, Links(web_url=hands.settings.web_url)
    if (pending := await _lost_request(hands, attempt)) and pending.agreed and number:
        page = links.pipeline(attempt.project_slug, number)
        await found_out(hands, pending, endings.agreed(pending, pending.agreed.called, page, number))


async def _lost_request(hands: Hands, attempt: Attempt) -> Pending | None:
    """Return the request for what is looked for, if there was one, and it has not said yet what came of it."""
    pending = await hands.store.pending.get(attempt.id)
    return pending if pending and pending.end and pending.end.lost == "looked for" else None


async def _post(hands: Hands, sending: _Sending) -> Attempt:
    slug, ref, parameters = sending.attempt.project_slug, sending.attempt.ref, sending.attempt.parameters
    if sending.attempt.definition_id:
        answer = await hands.writes.run_pipeline(slug, sending.attempt.definition_id, ref, parameters)
    else:
        answer = await hands.writes.trigger(slug, ref, parameters)
    metrics.DEPLOYS.labels("started").inc()
    return await hands.store.attempts.save(sending.attempt.started(answer.id, answer.number))


async def _follow(hands: Hands, attempt: Attempt) -> Attempt:
    if attempt.pipeline_id is None or attempt.pipeline_number is None:
        return attempt  # its answer was looked for in vain, and that was said
    await hands.store.claims.claim(f"pipeline:{attempt.pipeline_id}", attempt.id)
    watch = Watch.of_attempt(attempt, attempt.pipeline_id, attempt.pipeline_number)
    await hands.store.watches.add(watch)
    try:
        await _show(hands, watch)
    finally:
        await hands.engine.wake(attempt.pipeline_id)
    return attempt


async def _show(hands: Hands, watch: Watch) -> None:
    """Post the root with what the trigger's answer tells: nobody waits for a look at CircleCI to see that it began.

    What Slack does not take, a look posts, and counts what is wrong; it does so too where one was faster.
    """
    async with hands.store.watches.try_fence(watch.pipeline_id, hands.settings.lease) as alone:
        known = await hands.store.watches.of(watch.pipeline_id) if alone else []
        for mine in (one for one in known if one.id == watch.id and one.root_ts is None):
            try:
                await hands.teller.root(mine, None)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  # it has begun: whatever is wrong here, it is followed
                log.warning("root_left_to_a_look", pipeline=watch.pipeline_id, error=repr(error))


async def _look_later(hands: Hands, attempt: Attempt) -> Attempt:
    await hands.engine.add(LOOK_FOR, attempt.id, when=utc_now() + hands.settings.poll_interval / 2)
    return attempt


async def _found(hands: Hands, attempt: Attempt) -> tuple[Pipeline | None, list[Pipeline]]:
    """Return the oldest pipeline of ours that is newer than the attempt and surely of no other one, if there is one.

    And those that may be of another one. What others have sent is read after the pipelines, so that none is missed.
    """
    mine, unclear = await hands.reads.my_pipelines(attempt.project_slug), list[Pipeline]()
    others = await _sent_beside(hands, attempt)
    for pipeline in sorted(mine, key=lambda one: one.number):
        if pipeline.number <= attempt.newest_number or not (pipeline.ref is None or attempt.ref.means(pipeline.ref)):
            continue
        if pipeline.id in [one.pipeline_id for one in others]:
            continue  # it was answered, and is about to be claimed
        claim = f"pipeline:{pipeline.id}"
        holder = await hands.store.claims.holder(claim) or attempt.id
        if holder == UNCLEAR or (holder == attempt.id and _may_be_of(others, pipeline)):
            unclear.append(pipeline)
        elif holder == attempt.id and await hands.store.claims.claim(claim, attempt.id) == attempt.id:
            return pipeline, unclear
    return None, unclear


async def _sent_beside(hands: Hands, attempt: Attempt) -> list[Attempt]:
    """Return the other deploys of the branch that were sent lately, and of which nothing else is known by now."""
    ids = await hands.store.attempts.lately_of(attempt.project_slug, attempt.ref)
    others = await hands.store.attempts.those([one for one in ids if one != attempt.id])
    now = await hands.store.now()
    lately = [one for one in others if one.is_looked_for or now - one.asked_at < ON_ITS_WAY]
    return [one for one in lately if one.sent_at and not one.over]


def _may_be_of(others: Sequence[Attempt], pipeline: Pipeline) -> bool:
    """Say whether a pipeline may be that of one of these: its answer is out, and it was sent before that began."""
    return any(one.pipeline_id is None and one.newest_number < pipeline.number for one in others)


async def _unanswered(hands: Hands, attempt: Attempt) -> timedelta | None:
    """Go on looking, ever more rarely, and say once that nobody can tell so far; returns the pause."""
    looks = attempt.unanswered + 1
    pause = unanswered.pause(looks, hands.settings.poll_interval)
    attempt = await hands.store.attempts.save(attempt.model_copy(update={"unanswered": looks, "over": pause is None}))
    if looks == unanswered.TOLD_AFTER or pause is None:
        message = answers.lost_answer_unknown(attempt.ref, attempt.project_title, goes_on=pause is not None)
        await _say(hands, attempt, message, is_over=pause is None)
    return pause


async def _looked_in_vain(hands: Hands, attempt: Attempt, unclear: Sequence[Pipeline]) -> timedelta | None:
    attempt = await hands.store.attempts.save(attempt.model_copy(update={"looks": attempt.looks + 1}))
    if attempt.looks < LOOKS:
        return hands.settings.poll_interval
    again = spelling.deploy(attempt.project_slug, attempt.ref, attempt.parameters, attempt.definition)
    for pipeline in unclear:  # nor is it another's, whom this one no longer is in the way of
        await hands.store.claims.claim(f"pipeline:{pipeline.id}", UNCLEAR)
    say = answers.lost_answer_unclear if unclear else answers.lost_answer_not_found
    await _say(hands, attempt, say(attempt.ref, attempt.project_title, again), is_over=True)
    await hands.store.attempts.save(attempt.model_copy(update={"over": True}))
    return None


async def _say(hands: Hands, attempt: Attempt, message: Message, *, is_over: bool) -> None:
    """Tell the asker where they asked; once it `is_over`, the request for it says so too."""
    metrics.DEPLOYS.labels("not_found").inc(is_over)
    thread = attempt.thread
    try:
        await hands.messenger.whisper(thread.channel_id, attempt.asker_id, message, thread_ts=thread.thread_ts)
    except SlackError as error:
        log.warning("asker_not_told", attempt=attempt.id, method=error.method, code=error.code)
    if is_over and (pending := await _lost_request(hands, attempt)) and pending.agreed:
        await found_out(hands, pending, endings.not_found(pending, pending.agreed.called, message.text))
