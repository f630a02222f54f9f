"""What the policy demands before an act is sent: a branch that is not red, the target typed, a second person.

A demand that somebody met is kept in the act that waits (`Pending`); that a branch is green is looked up each time.
"""

from datetime import timedelta
from typing import assert_never

from bot.answers.questions import BranchIsRed, SecondPerson, ToBeTyped, Waits, WhichDefinition
from bot.circleci.transport import together
from bot.errors import NotFound, NothingToDo, UsageError
from bot.models.attempt import Demand
from bot.models.build import Build, Shipment, State
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, made_of_ids
from bot.models.pending import Approval, Deployment, Pending, Rerun, Seen, Wish, seen
from bot.models.slack import utc_now
from bot.operations.hands import Hands
from bot.policy import Decision
from bot.watching.engine import EXPIRE
from formatters import gate

MOST_LOOKED_AT, MOST_RED = 8, 3
RED = frozenset({State.FAILED, State.COULD_NOT_RUN})
OPEN = frozenset({State.WAITING, State.RUNNING, State.ON_HOLD, State.UNKNOWN})


def demanded(decision: Decision, wish: Wish) -> tuple[Demand, ...]:
    """Return what a decision demands of an act, in the order in which it is asked for; only a deploy can be green."""
    wanted = {
        Demand.GREEN: decision.green and isinstance(wish, Deployment),
        Demand.TYPED: decision.typed,
        Demand.SECOND_PERSON: decision.second_person,
    }
    return tuple(demand for demand, is_wanted in wanted.items() if is_wanted)


async def settled(
    hands: Hands, caller: Caller, wish: Wish, decision: Decision, pending: Pending | None
) -> tuple[Wish, Pending | None]:
    """Return what to send once all that is demanded is met, with the act that waited for it, if it had to.

    Raises Waits with what is asked next.
    """
    wanted = demanded(decision, wish)
    pending = pending or await hands.store.pending.get(caller.delivery_id)
    if pending is not None and pending.over:
        raise UsageError("This question is too old.")
    wish = await _with_definition(hands, caller, wish, pending)
    if pending is None and not wanted:
        return wish, None
    pending = (pending or waiting(hands, caller, wish)).model_copy(update={"wish": wish})
    still = tuple(demand for demand in wanted if demand not in pending.met)
    for demand in still:
        pending = pending.model_copy(update={"open": still[still.index(demand) :]})
        await _ask(hands, pending, demand)
    return wish, pending.model_copy(update={"open": ()})


async def _with_definition(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> Wish:
    """Return a deployment with its pipeline definition, where the project needs one; raises Waits where it has many."""
    if not isinstance(wish, Deployment) or wish.definition_id or not made_of_ids(wish.project_slug):
        return wish
    project = await hands.reads.project(wish.project_slug)
    definitions = await hands.reads.definitions(project.id)
    if not definitions:
        raise NotFound("pipeline definition", project.title)
    if len(definitions) > 1:
        asked = await hands.store.pending.save(pending or waiting(hands, caller, wish))
        raise Waits(WhichDefinition(pending=asked, definitions=definitions))
    return wish.model_copy(update={"definition_id": definitions[0].id})


def waiting(hands: Hands, caller: Caller, wish: Wish) -> Pending:
    """Return an act that begins to wait, for as long as APPROVAL_MINUTES says."""
    now = utc_now()
    until = now + timedelta(minutes=hands.settings.approval_minutes)
    return Pending(id=caller.delivery_id, wish=wish, asker=caller, asked_at=now, expires_at=until)


async def _ask(hands: Hands, pending: Pending, demand: Demand) -> None:
    """Return where a demand is met already, raise Waits with the question otherwise."""
    match demand:
        case Demand.GREEN:
            red = await _red(hands, pending.wish)
            if red is not None:
                raise Waits(BranchIsRed(pending=await hands.store.pending.save(pending), build=red))
        case Demand.TYPED:
            raise Waits(ToBeTyped(pending=await hands.store.pending.save(pending)))
        case Demand.SECOND_PERSON:
            if pending.asker.place is None or pending.asker.place.is_direct:
                raise NothingToDo("nobody_reads_here", what=pending.target)
            raise Waits(SecondPerson(pending=await request(hands, pending)))


async def request(hands: Hands, pending: Pending) -> Pending:
    """Post the request for a second person, or write it anew with what would ship now; it expires by itself.

    A run that died before the post was recorded would rather have asked twice than never.
    """
    place = pending.asker.place
    assert place is not None  # noqa: S101  # for mypy: `_ask` has looked
    shipment = await shipped(hands, pending.wish)
    newest = seen(shipment.commits[0] if shipment.commits else shipment.green)
    pending = pending.model_copy(update={"seen": newest})
    message = gate.request(pending, shipment, await _what_runs(hands, pending.wish))
    if pending.request_ts is None:
        ts = await hands.messenger.post(place.channel_id, message, thread_ts=place.thread_ts)
        pending = pending.model_copy(update={"request_ts": ts})
    else:
        await hands.messenger.update(place.channel_id, pending.request_ts, message, urgent=True)
    pending = await hands.store.pending.save(pending)
    if pending.expires_at is not None:
        await hands.engine.add(EXPIRE, pending.id, when=pending.expires_at)
    return pending


async def newest_seen(hands: Hands, wish: Wish) -> Seen:
    """Return what CircleCI has built of the branch by now."""
    pipelines = await _pipelines(hands, wish)
    return seen(pipelines[0] if pipelines else None)


async def shipped(hands: Hands, wish: Wish) -> Shipment:
    """Return what CircleCI knows of what will ship: the commits it built on the branch since the last green."""
    outlines = await _outlines(hands, wish, MOST_LOOKED_AT)
    green = next((number for number, one in enumerate(outlines) if one.state is State.PASSED), None)
    since = outlines if green is None else outlines[:green]
    return Shipment(
        commits=tuple(one.pipeline for one in since), green=None if green is None else outlines[green].pipeline
    )


async def _what_runs(hands: Hands, wish: Wish) -> tuple[str, ...]:
    """Return the jobs that a rerun runs again, or that an approval starts; a deploy tells by its commits."""
    match wish:
        case Deployment():
            return ()
        case Rerun():
            build = await hands.reads.build(wish.pipeline_id)
            runs = [run for run in build.real_runs if not wish.failed_only or run.failed_jobs]
            jobs = [job for run in runs for job in (run.failed_jobs if wish.failed_only else run.jobs)]
            return tuple(job.name for job in jobs)
        case Approval():
            build = await hands.reads.build(wish.pipeline_id)
            held = {job.id for run in build.runs for job in run.holds if job.name == wish.job_name}
            jobs = [job for run in build.runs for job in run.jobs if held & set(job.dependencies)]
            return tuple(job.name for job in jobs)
    assert_never(wish)


async def _red(hands: Hands, wish: Wish) -> Build | None:
    """Return the newest finished build of the branch if it is red; a tag is built once and has no history."""
    for outline in await _outlines(hands, wish, MOST_RED):
        if outline.state not in OPEN:
            return await hands.reads.build(outline.pipeline.id) if outline.state in RED else None
    return None


async def _outlines(hands: Hands, wish: Wish, most: int) -> list[Build]:
    pipelines = await _pipelines(hands, wish)
    return await together(*(hands.reads.outline(pipeline) for pipeline in pipelines[:most]))


async def _pipelines(hands: Hands, wish: Wish) -> tuple[Pipeline, ...]:
    if wish.ref is None or wish.ref.is_tag:
        return ()
    return await hands.reads.pipelines(wish.project_slug, wish.ref.name)
