"""What somebody else must agree to: all that will ship or run."""

from collections.abc import Sequence

from bot.actions import AgreeDeploy, DeclineDeploy
from bot.masks import masked
from bot.models.build import Shipment
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, Ref
from bot.models.pending import Approval, Cancellation, Deployment, Pending, Rerun, Wish
from formatters.blocks import (
    MAX_SECTION,
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    fit,
    literal,
    moment,
    section,
)
from formatters.lookalikes import careful
from formatters.parameters import parameter
from formatters.words import count, listed

MOST_COMMITS = 6
LONGEST_REASON = 500
LONGEST_WHY = 300  # an agent's own words
LONGEST = 4 * MAX_SECTION  # of a name that must stand there whole: what is too long for a paragraph is seen to be
_HELD = "It stops then, and the jobs after that wait for another approval: "


def request(
    pending: Pending, shipment: Shipment, could: Sequence[str] = (), *, owner_may: bool = False
) -> Message | None:
    """Ask the channel for a second person: all that will ship or run, and the two buttons; None for what is too much.

    Of the commits the newest do; whatever else somebody agrees to stands there whole. `could` are those who may agree,
    and for what an agent asks its `owner_may`.
    """
    who, must = _who_wants(pending), _who_must(pending)
    text = f"{who} wants to {wanted(pending)} {clean(pending.target)}: {must[0].lower()}{must[1:]} must agree."
    what = f"{wanted(pending, LONGEST)} {literal(pending.target, LONGEST)}"
    kind = pending.wish.kind
    buttons = actions(
        button(
            AgreeDeploy(attempt_id=pending.id, word=kind, shown=pending.seen.mark),
            f"Agree and {kind} {which(pending.wish)}",
            style="primary",
        ),
        button(DeclineDeploy(attempt_id=pending.id, word=kind), "Decline", style="danger"),
    )
    until = f"Open until {moment(pending.expires_at)}. " if pending.expires_at else ""
    may = _who(could, kind) + _owner(pending, may=owner_may, alone=not could)
    blocks = [
        section(f"{'' if pending.asker.agent else '🙋 '}*{who} wants to {what}.* {must} must agree."),
        *([section(f"It says why: “{why}”")] if (why := _reason(pending.asker)) else []),
        *([section(f"⚠️ {note}")] if (note := careful(*_names(pending))) else []),
        *([section(f"It builds {_commit(shipment.built)}.")] if shipment.built else []),
        *_what_runs(pending),
        *([section(ships)] if (ships := _what_ships(pending.wish, shipment)) else []),
        *settings(pending),
        *([section(over_red(pending.over_red))] if pending.over_red else []),
        buttons,
        context(f"{may}{until}Nothing is {done(pending)} unless somebody agrees."),
    ]
    return whole(text, blocks)


def _who_wants(pending: Pending) -> str:
    asker = pending.asker
    if not asker.agent:
        return who_asks(pending)
    whose = "" if asker.own else f", for {literal(asker.name or asker.person_id, 60)},"
    return f"🤖 {literal(asker.agent, 40)}{whose}"


def _who_must(pending: Pending) -> str:
    """Return who must agree: for what an agent asks that may be its owner, where no second person is demanded."""
    if not pending.takes_two:
        return "A person"
    return f"Somebody else than {literal(pending.asker.name, 60)}" if pending.asker.agent else "Somebody else"


def said_why(asker: Caller) -> str:
    """Say, wherever its act stands, why an agent asked for it; empty text where it is none, or said nothing."""
    why = _reason(asker) if asker.agent else ""
    return f"🤖 {literal(asker.agent, 40)} said why: “{why}”" if why else ""


def _reason(asker: Caller) -> str:
    return literal(masked(asker.reason), LONGEST_WHY)


def _owner(pending: Pending, *, may: bool, alone: bool) -> str:
    asker = pending.asker
    whose = "who made it" if asker.own else "for whom it asks"
    who = literal(asker.name or asker.person_id, 60)
    if not may:
        return ""
    return f"{who}, {whose}, can agree. " if alone else f"So can {who}, {whose}. "


def done(pending: Pending) -> str:
    """Return what becomes of nothing without somebody's word."""
    return "cancelled" if isinstance(pending.wish, Cancellation) else "started"


def over_red(name: str) -> str:
    """Say to who is to agree, and in the root, who let it go on."""
    return f"⚠️ The branch was not green; {literal(name, 60)} let it be deployed all the same."


def _who(could: Sequence[str], kind: str) -> str:
    """Return who may agree: whoever may do it themselves."""
    return f"Who may {kind} it can agree: {listed(list(could), 8)}. " if could else ""


def _names(pending: Pending) -> tuple[str, ...]:
    """Return the names that somebody agrees to."""
    wish, runs = pending.wish, pending.seen.runs
    job = (wish.job_name,) if isinstance(wish, Approval) else ()
    behind = (*runs.first, *runs.behind, *runs.holds, *pending.seen.stops, pending.seen.definition)
    return (pending.target, *job, *behind, *given(pending))


def given(pending: Pending) -> tuple[str, ...]:
    """Return the names and the values of a deploy's parameters."""
    if not isinstance(pending.wish, Deployment):
        return ()
    return tuple(str(one) for pair in pending.wish.parameters.items() for one in pair)


def whole(text: str, blocks: Sequence[Block]) -> Message | None:
    """Return the message of these blocks; None where something of them has no room."""
    message = assemble(text, *blocks)
    return message if len(message.blocks) == len(blocks) and all(map(_is_whole, blocks)) else None


def _is_whole(block: Block) -> bool:
    return block["type"] != "section" or len(block["text"]["text"]) <= MAX_SECTION


def wanted(pending: Pending, longest: int = 100) -> str:
    """Return what somebody wants to do, in front of what it is done to."""
    match pending.wish:
        case Rerun():
            of = f" in {clean(', '.join(pending.wish.workflows), longest)}" if pending.wish.workflows else ""
            what = f"the failed jobs{of} of" if pending.wish.failed_only else "all of"
            return f"rerun {'with SSH ' if pending.wish.ssh else ''}{what}"
        case Approval():
            return f"approve {clean(pending.wish.job_name, longest)} of"
        case Cancellation():
            return "cancel"
        case _:
            return "deploy"


def wished(pending: Pending) -> str:
    """Return who wants what, in a sentence without its end."""
    return f"{who_asks(pending)} wants to {in_full(pending)}"


def _what_runs(pending: Pending) -> list[Block]:
    """Return all jobs that would run, in as many paragraphs as it takes."""
    wish, runs = pending.wish, pending.seen.runs
    if isinstance(wish, Deployment):
        return []
    if isinstance(wish, Cancellation):
        return _listing("What it stops: ", _jobs(pending.seen.stops)) or [section("Nothing of it runs at this moment.")]
    if isinstance(wish, Approval):
        return _listing("It would start: ", _jobs(runs.behind)) + _listing(_HELD, _jobs(runs.holds))
    if not runs.first:
        return [section("Nothing of it could run again at this moment.")]
    behind = _listing("Behind them, as far as they pass: ", _jobs(runs.behind))
    return _listing("What runs again: ", _jobs(runs.first)) + behind + _listing(_HELD, _jobs(runs.holds))


def _jobs(names: Sequence[str]) -> list[str]:
    return [literal(name, LONGEST) for name in names]


def settings(pending: Pending) -> list[Block]:
    """Return what a deploy is given: the pipeline definition and each parameter whole."""
    wish = pending.wish
    if not isinstance(wish, Deployment):
        return []
    definition = literal(pending.seen.definition, LONGEST)
    named = [section(f"Pipeline definition: {definition}.")] if definition else []
    return named + _listing("With ", [parameter(*one, LONGEST) for one in wish.parameters.items()], end="")


def _listing(lead: str, names: Sequence[str], end: str = ".") -> list[Block]:
    """Return all of them with commas, in as many paragraphs as it takes; nothing for none."""
    paragraphs, text = list[str](), lead
    for number, name in enumerate(names):
        behind = ", " if number < len(names) - 1 else end
        if len(text) + len(name) + len(behind) > MAX_SECTION:
            paragraphs, text = [*paragraphs, text], ""
        text += f"{name}{behind}"
    return [section(one.strip()) for one in [*paragraphs, text]] if names else []


def _what_ships(wish: Wish, shipment: Shipment) -> str:
    if not shipment.commits and isinstance(wish, Deployment):
        return f"What will ship: {_unbuilt(wish.ref, shipment)}."
    if not shipment.commits:
        # What runs is the commit of that build, whatever the branch's head is.
        return f"CircleCI has built nothing there since the green #{shipment.green.number}." if shipment.green else ""
    since = f"since the last green build, #{shipment.green.number}" if shipment.green else "of those it remembers"
    lines = [_commit(one) for one in shipment.commits[:MOST_COMMITS]]
    left = len(shipment.commits) - MOST_COMMITS
    more = [f"and {left} more"] if left > 0 else []
    return f"{_counted(shipment.commits)} that CircleCI built {since}:\n" + fit([*lines, *more], 2400)


def _counted(built: Sequence[Pipeline]) -> str:
    """Return how many commits were built; one may have been several times."""
    commits = {one.revision or one.id for one in built}
    times = f", in {count(len(built), 'build')}," if len(commits) < len(built) else ""
    return f"{count(len(commits), 'commit')}{times}"


def _unbuilt(ref: Ref, shipment: Shipment) -> str:
    """Return what ships where CircleCI has built nothing that is not green."""
    if ref.is_tag:
        return "the commit that the tag points to"
    known = (
        f"CircleCI has built none since the green #{shipment.green.number}{_at(shipment.green)}"
        if shipment.green
        else "CircleCI has built none"
    )
    return f"the newest commit of the branch; {known}"


def _at(pipeline: Pipeline) -> str:
    return f" at {code(pipeline.revision[:7])}" if pipeline.revision else ""


def _commit(pipeline: Pipeline) -> str:
    by = f" · {literal(pipeline.actor, 60)}" if pipeline.actor else ""
    return f"{code(pipeline.revision[:7] or '?')} {literal(pipeline.subject, 120)}{by} · #{pipeline.number}"


def which(wish: Wish) -> str:
    """Return the branch or the tag, or the number of the build."""
    return wish.ref.said if isinstance(wish, Deployment) else f"#{wish.pipeline_number}"


def who_asks(pending: Pending) -> str:
    """Return who asks: a person, or an agent for one."""
    return literal(pending.asker.called, 100)


def in_full(pending: Pending) -> str:
    """Return what is wanted, and of what."""
    return f"{wanted(pending)} {literal(pending.target)}"
