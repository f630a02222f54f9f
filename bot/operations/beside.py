"""Whose deploys and reruns of the same branch still run: what the store knows, without a word to CircleCI.

Those of others count, and of one's own the very same deploy: who asks for that twice may not know that it runs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.models import holds
from bot.models.attempt import Attempt
from bot.models.beside import Beside
from bot.models.build import Build, State, mark_of
from bot.models.caller import Caller, Place
from bot.models.circleci import PipelineId
from bot.models.pending import Deployment, Pending, Rerun, Wish
from bot.operations.hands import Hands
from bot.store.attempts import ON_ITS_WAY

GOES_ON = frozenset({State.WAITING, State.RUNNING, State.UNKNOWN})
LOOKED_FOR = timedelta(days=2)  # so long at most, whatever became of the task that does
HELD = timedelta(days=1)  # what is on hold may be so for 90 days: nobody is about to let that go on


async def still_running(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> tuple[Beside, ...]:
    """Return what was asked for of the same branch or tag and still runs, if the caller may look at it.

    It is asked about once, before anything else is: whoever answers what is asked later need not know of it.
    """
    mine = pending.id if pending else caller.delivery_id
    return await unnamed(hands, caller, wish, mine, ()) if _may_be_asked(pending) else ()


async def unnamed(hands: Hands, caller: Caller, wish: Wish, mine: str, named: Collection[str]) -> tuple[Beside, ...]:
    """Return all of that beside `mine`, which is asked for now, unless the caller was `named` all of it before."""
    if not isinstance(wish, Deployment):
        return ()
    lately = await hands.store.attempts.lately_of(wish.project_slug, wish.ref)
    return await among(hands, caller, wish, lately, mine, named)


async def among(
    hands: Hands, caller: Caller, wish: Deployment, lately: Collection[str], mine: str, named: Collection[str]
) -> tuple[Beside, ...]:
    """Return what still runs of these of the branch beside `mine`, newest first, unless all of it is `named`."""
    if caller.is_bot or not set(lately) - {mine, *named}:
        return ()
    found = [one for one in await hands.store.attempts.those(lately) if not one.over and one.id != mine]
    others = [one for one in _last_asked(found) if one.asker_id]
    watched = await hands.store.watches.watched(one.pipeline_id for one in others if one.pipeline_id)
    standing = [await _standing(hands, one, watched) for one in others]
    running = [_with_deploy(one, found) for one in standing if one is not None]
    running = [one for one in running if one.asked.asker_id != caller.person_id or _is_the_same(one, wish)]
    is_news = any(one.asked.id not in named for one in running)
    return tuple(running) if is_news and await hands.finder.may_read(caller, wish.project_slug, wish.ref) else ()


def _is_the_same(one: Beside, wish: Deployment) -> bool:
    """Say whether the very same is asked for: with other parameters it is another deploy, as is one never deployed."""
    deploy = one.deployed if one.asked.reran else one.asked
    if deploy is None:
        return False
    return (deploy.parameters, deploy.definition_id or "") == (wish.parameters, wish.definition_id or "")


async def note_rerun(hands: Hands, caller: Caller, wish: Rerun, fingerprint: str, *, is_sent: bool = True) -> None:
    """Keep a rerun of an attempt among the deploys of its branch, sent or waiting; one and the same is kept once."""
    if wish.ref is None:
        return
    await hands.store.attempts.save(
        Attempt(
            id=_of_rerun(wish, fingerprint),
            project_slug=wish.project_slug,
            project_title=wish.project_title,
            ref=wish.ref,
            thread=caller.place or Place(channel_id=""),
            asker_id=caller.person_id,
            asker_name=caller.name,
            asked_at=(now := await hands.store.now()),
            sent_at=now if is_sent else None,
            pipeline_id=wish.pipeline_id,
            pipeline_number=wish.pipeline_number,
            reran=fingerprint,
            agent=caller.agent,
            own=caller.own,
        )
    )


async def forget_rerun(hands: Hands, wish: Rerun, fingerprint: str) -> None:
    """Let one that came to nothing be none of them; what else was noted of it stays."""
    for one in await hands.store.attempts.those([_of_rerun(wish, fingerprint)]):
        if one.sent_at is None:
            await hands.store.attempts.save(one.model_copy(update={"over": True}))


def _of_rerun(wish: Rerun, fingerprint: str) -> str:
    return f"rerun:{wish.pipeline_id}:{mark_of(fingerprint)}"


def _may_be_asked(pending: Pending | None) -> bool:
    return pending is None or not (pending.met or pending.agreed or pending.request_ts)


def _last_asked(found: Sequence[Attempt]) -> list[Attempt]:
    """Return what was asked for last of each pipeline; what has none yet stands for itself."""
    last: dict[str, Attempt] = {}
    for one in found:
        last.setdefault(one.pipeline_id or one.id, one)
    return list(last.values())


def _with_deploy(one: Beside, found: Sequence[Attempt]) -> Beside:
    """Return a rerun with the deploy that it runs again, if that is among what was found."""
    if not one.asked.reran:
        return one
    ours = (other for other in found if not other.reran and other.pipeline_id == one.asked.pipeline_id)
    return one.model_copy(update={"deployed": next(ours, None)})


async def _standing(hands: Hands, attempt: Attempt, watched: Collection[PipelineId]) -> Beside | None:
    """Return how one stood at the last look, None for what has ended then; one on its way nobody has looked at."""
    now = await hands.store.now()
    is_young = now - attempt.asked_at < ON_ITS_WAY
    if attempt.is_looked_for and now - attempt.asked_at < LOOKED_FOR:
        return Beside(asked=attempt)
    if attempt.pipeline_id is None or attempt.pipeline_id not in watched:
        is_followed = attempt.pipeline_id and await hands.store.watches.any(attempt.pipeline_id)
        return Beside(asked=attempt) if is_young and not is_followed else None
    build = (await hands.store.watches.last_look(attempt.pipeline_id)).build
    if build is None or (is_young and build.fingerprint == attempt.reran):
        return Beside(asked=attempt)
    if build.state is State.ON_HOLD:
        since = _held_since(build)
        is_lately = now - since < HELD
        return Beside(asked=attempt, state=build.state, held_since=since) if is_lately else None
    return Beside(asked=attempt, state=build.state) if build.state in GOES_ON else None


def _held_since(build: Build) -> datetime:
    """Return since when the last of its holds is open; where its jobs could not be read, since its last workflow."""
    waiting = [(job, run) for run in build.runs for job in run.holds]
    opened = [holds.open_since(job, run.workflow, run.jobs) for job, run in waiting]
    return max((one for one in opened if one), default=max(run.workflow.created_at for run in build.runs))
