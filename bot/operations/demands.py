"""What is demanded before an act is sent: a branch that is not red, the target typed, a second person.

The policy demands it, but for one thing: that nobody else's deploy of the same still runs, or that it may.

A demand that somebody met is kept in the act that waits (`Pending`); that a branch is green is looked up each time.
"""

from collections.abc import Sequence
from datetime import timedelta

from bot.answers.questions import BranchIsRed, SecondPerson, StillRuns, ToBeTyped, Waits, WhichDefinition
from bot.errors import ForAPerson, NotFound, NothingToDo, Unbuilt, UsageError
from bot.models.attempt import Demand
from bot.models.beside import Beside
from bot.models.build import Build
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, made_of_ids, told_apart
from bot.models.likeness import are_alike
from bot.models.pending import Deployment, Pending, Wish
from bot.models.slack import utc_now
from bot.operations.beside import still_running
from bot.operations.hands import Hands
from bot.operations.in_the_way import clear
from bot.operations.requests import request, to_show
from bot.operations.seen import colour, seen_now
from bot.operations.standing import for_one, refuse_if_asked
from bot.policy import Decision, Word

_A_WORD = frozenset({Demand.SECOND_PERSON, Demand.PERSON})  # what a request in the channel asks for


def demanded(decision: Decision, wish: Wish, caller: Caller) -> tuple[Demand, ...]:
    """Return what a decision demands of an act, in the order in which it is asked for; only a deploy can be green.

    What an agent asks for a person lets happen, unless the policy lets it act alone.
    """
    wanted = {
        Demand.GREEN: decision.green and isinstance(wish, Deployment),
        Demand.TYPED: decision.typed,
        Demand.SECOND_PERSON: decision.second_person,
        Demand.PERSON: bool(caller.agent) and not (decision.alone or decision.second_person),
    }
    return tuple(demand for demand, is_wanted in wanted.items() if is_wanted)


async def settled(
    hands: Hands, caller: Caller, wish: Wish, decision: Decision, pending: Pending | None
) -> tuple[Wish, Pending | None]:
    """Return what to send once all that is demanded is met, with the act that waited for it, if it had to.

    Raises Waits with what is asked next.
    """
    wanted = demanded(decision, wish, caller)
    pending = pending or await hands.store.pending.get(caller.delivery_id)
    if pending is not None and pending.over:
        raise UsageError("This question is too old.")
    if wanted:
        await _may_look(hands, caller, wish)
    if pending is None and (wanted or _may_be_chosen(wish)):
        await refuse_unbuilt(hands, caller, wish)
    wish = await _with_definition(hands, caller, wish, pending)
    others = await still_running(hands, caller, wish, pending)
    wanted = (*([Demand.ALONE] if others else []), *wanted)
    if pending is None and not wanted:
        return wish, None
    pending = (pending or waiting(hands, caller, wish)).wishing(wish)
    await _refuse_other_red(hands, caller, pending, wanted)
    await _ask_all(hands, pending, wanted, others)
    return wish, pending.model_copy(update={"open": ()})


async def _ask_all(hands: Hands, pending: Pending, wanted: Sequence[Demand], others: tuple[Beside, ...] = ()) -> None:
    """Raise Waits with the first of what is wanted that is not met."""
    still = tuple(demand for demand in wanted if not pending.has_met(demand))
    if _A_WORD & {*still}:
        await clear(hands, pending)
        await refuse_if_asked(hands, pending)
    if _A_WORD & {*still[1:]}:
        # Nothing is asked before it is sure that all can be.
        await to_show(hands, pending.model_copy(update={"open": still}))
    for demand in still:
        pending = pending.model_copy(update={"open": still[still.index(demand) :]})
        await _ask(hands, pending, demand, others)


async def still_met(hands: Hands, caller: Caller, wish: Wish, decision: Decision, pending: Pending | None) -> None:
    """Ask once more what is demanded of what waited for its turn; raises Waits.

    Raises NothingToDo where somebody agreed to it and it is not what they saw any more.
    """
    if wanted := demanded(decision, wish, caller):
        asked = (pending or waiting(hands, caller, wish)).wishing(wish)
        await _refuse_other_red(hands, caller, asked, wanted)
        await _ask_all(hands, asked, wanted)
    if pending is not None and pending.agreed and not pending.seen.is_still(await seen_now(hands, wish)):
        raise NothingToDo("agreed_in_vain", what=pending.target)


async def _may_look(hands: Hands, caller: Caller, wish: Wish) -> None:
    """Raise NotAllowed for who may not look at what a question shows."""
    await hands.refuse_if_hidden(caller, wish.project_slug, wish.ref)


async def refuse_unbuilt(hands: Hands, caller: Caller, wish: Wish) -> None:
    """Raise Unbuilt for a branch that CircleCI never built, where it did build one that is spelled almost so.

    Else people would choose, type and agree before CircleCI says that there is none, and it may start what is red.
    """
    if not isinstance(wish, Deployment) or caller.unbuilt:
        return
    if near := await hands.finder.unless_built(wish.project_slug, wish.ref, caller):
        name, title = wish.ref.name, wish.project_title
        if caller.agent:
            raise ForAPerson("unbuilt", wish.target, wish.typed, among=near)
        raise Unbuilt(name, looked_in=title, alike=near, again=wish.typed, directly=caller.directly)


def may_be_a_slip(wish: Deployment, lately: Sequence[Pipeline]) -> bool:
    """Say whether what was built lately has a branch that is spelled almost so, and none of this name."""
    refs = [one.ref for one in lately if one.ref]
    is_there = any(wish.ref.means(ref) for ref in refs)
    return not is_there and any(are_alike(wish.ref.name, ref.name) for ref in refs if not ref.is_tag)


async def _with_definition(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> Wish:
    """Return a deployment with its pipeline definition, where the project needs one; raises Waits where it has many."""
    if not isinstance(wish, Deployment) or not _may_be_chosen(wish):
        return wish
    project_id = wish.project_id or (await hands.reads.project(wish.project_slug)).id
    definitions = await hands.reads.definitions(project_id)
    if not definitions:
        raise NotFound("pipeline definition", wish.project_title)
    if len(definitions) > 1:
        await _may_look(hands, caller, wish)
        if caller.agent:
            raise ForAPerson("definition", wish.target, wish.typed, among=tuple(told_apart(definitions).values()))
        asked = (pending or waiting(hands, caller, wish)).model_copy(
            update={"choices": tuple(one.id for one in definitions)}
        )
        asked = await for_one(hands, asked)
        raise Waits(WhichDefinition(pending=asked, definitions=definitions))
    return wish.model_copy(update={"definition_id": definitions[0].id})


def _may_be_chosen(wish: Wish) -> bool:
    """Say whether a project may have several pipeline definitions, of which none is named."""
    return isinstance(wish, Deployment) and not wish.definition_id and made_of_ids(wish.project_slug)


def waiting(hands: Hands, caller: Caller, wish: Wish) -> Pending:
    """Return an act that begins to wait, for as long as APPROVAL_MINUTES says."""
    now = utc_now()
    until = now + timedelta(minutes=hands.settings.approval_minutes)
    return Pending(id=caller.delivery_id, wish=wish, asker=caller, asked_at=now, expires_at=until)


async def _ask(hands: Hands, pending: Pending, demand: Demand, others: tuple[Beside, ...]) -> None:
    """Return where a demand is met already, raise Waits with the question otherwise."""
    match demand:
        case Demand.ALONE:
            if others:
                _refuse_agent(pending, demand, others)
                raise Waits(await still_runs(hands, pending, others))
        case Demand.GREEN:
            is_green, red = await colour(hands, pending.wish)
            if not is_green:
                _refuse_agent(pending, demand)
                named = pending.model_copy(update={"red": _commit(red)})
                raise Waits(await _over_red(hands, await for_one(hands, named), red))
        case Demand.TYPED:
            _refuse_agent(pending, demand)
            raise Waits(ToBeTyped(pending=await for_one(hands, pending)))
        case Demand.SECOND_PERSON | Demand.PERSON:
            raise Waits(SecondPerson(pending=await request(hands, pending)))


def _refuse_agent(pending: Pending, demand: Demand, others: tuple[Beside, ...] = ()) -> None:
    """Raise ForAPerson for what an agent asked for: nobody is asked what it would have to answer."""
    if pending.asker.agent:
        raise _for_a_person(demand, pending.wish, others)


def _for_a_person(demand: Demand, wish: Wish, others: tuple[Beside, ...]) -> ForAPerson:
    """Return why an agent cannot go on, with the first of those that are in its way."""
    error = ForAPerson(demand, wish.target, wish.typed)
    for one in others[:1]:
        error.number, error.by = one.asked.pipeline_number or 0, one.asked.asker_name
    return error


async def _over_red(hands: Hands, pending: Pending, red: Build | None) -> BranchIsRed:
    """Return the question whether to go on, with who may say so: it is offered to nobody else."""
    permissions, wish, asker = hands.permissions, pending.wish, pending.asker
    asked = await permissions.asked(asker, Word.APPROVE, wish.project_slug, wish.ref)
    may = (await permissions.decision(asker, asked)).allowed
    could = () if may else await permissions.could(asked)
    if not await hands.finder.may_read(asker, wish.project_slug, wish.ref):
        return BranchIsRed(pending=pending, build=None, is_hidden=True, may=may, could=could)
    return BranchIsRed(pending=pending, build=red, may=may, could=could)


def _commit(red: Build | None) -> str:
    return (red.pipeline.revision or red.pipeline.id) if red else ""


async def _refuse_other_red(hands: Hands, caller: Caller, pending: Pending, wanted: Sequence[Demand]) -> None:
    """Raise Waits where it was let go on over another red commit than is red by now: it counts for that one alone.

    What was sent is sent. Of somebody who agreed to it nothing is asked.
    """
    if Demand.GREEN not in wanted or not pending.has_met(Demand.GREEN):
        return
    sent = await hands.store.attempts.get(pending.id)
    if sent is not None and sent.sent_at is not None:
        return
    if (waits := await red_anew(hands, caller, pending)) is not None:
        raise waits


async def red_anew(hands: Hands, caller: Caller, pending: Pending) -> Waits | None:
    """Return that an act waits after all: another commit is red by now than what is gone over was said to be.

    It is another question, which ends the one before: no second press on that one answers it unread. Questions of an
    earlier version did not keep what they named.
    """
    if pending.red is None:
        return None
    is_green, red = await colour(hands, pending.wish)
    if is_green or _commit(red) == pending.red:
        return None
    asked = pending if pending.agreed else await for_one(hands, _anew(hands, caller, pending, red))
    question = await _over_red(hands, asked, red)
    return Waits(question.model_copy(update={"anew": True}))


def _anew(hands: Hands, caller: Caller, pending: Pending, red: Build | None) -> Pending:
    """Return the other question, which whoever let it go on before has not answered."""
    anew = waiting(hands, pending.asker.model_copy(update={"delivery_id": caller.delivery_id}), pending.wish)
    still, met = ([one for one in those if one is not Demand.GREEN] for those in (pending.open, pending.met))
    kept = {"open": (Demand.GREEN, *still), "met": tuple(met), "beside": pending.beside, "red": _commit(red)}
    return anew.model_copy(update=kept)


async def still_runs(hands: Hands, pending: Pending, others: tuple[Beside, ...]) -> StillRuns:
    """Return the question whether to deploy beside what others have asked for, which is kept as named."""
    named = dict.fromkeys((*pending.beside, *(one.asked.id for one in others)))
    asked = pending.model_copy(update={"beside": tuple(named)})
    return StillRuns(pending=await for_one(hands, asked), others=others)


async def beside(
    hands: Hands, caller: Caller, wish: Wish, pending: Pending | None, others: tuple[Beside, ...]
) -> Waits:
    """Return that an act waits after all: somebody else's deploy was begun while its demands were met.

    What was asked before is over, so that no press on it lets this go on beside what it did not name. Who agreed
    cannot say so for the asker: nothing is asked of them.
    """
    if caller.agent and pending is None:
        raise _for_a_person(Demand.ALONE, wish, others)
    if pending is None:
        asked = await hands.store.pending.get(caller.delivery_id) or waiting(hands, caller, wish)
        return Waits(await still_runs(hands, asked.model_copy(update={"open": (Demand.ALONE,)}), others))
    if pending.agreed is not None:
        return Waits(StillRuns(pending=pending, others=others))
    await hands.store.pending.change(pending.id, lambda one: one.ended)
    anew = waiting(hands, pending.asker.model_copy(update={"delivery_id": caller.delivery_id}), wish)
    met = tuple(one for one in pending.met if one is not Demand.ALONE)
    kept = {"open": (Demand.ALONE,), "met": met, "beside": pending.beside}
    return Waits(await still_runs(hands, anew.model_copy(update=kept), others))


async def refuse_if_more_is_demanded(hands: Hands, caller: Caller, decision: Decision, pending: Pending) -> None:
    """Raise NothingToDo where more is demanded of who lets an agent act than of the agent, which is asked for that.

    Else a press would be a way round what holds for them: a second person, or the name to be typed. Where a second
    person is demanded of both, whoever presses is that one: it is not the agent's owner.
    """
    wish, asker = pending.wish, pending.asker
    if not asker.agent:
        return
    asked = await hands.permissions.asked(asker, wish.kind, wish.project_slug, wish.ref)
    of_the_agent = demanded(await hands.permissions.decision(asker, asked), wish, asker)
    for demand in demanded(decision, wish, caller):
        if demand not in of_the_agent and not (demand is Demand.GREEN and (await colour(hands, wish))[0]):
            raise NothingToDo("more_of_you", what=wish.typed)
