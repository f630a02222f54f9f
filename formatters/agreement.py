"""What somebody else must agree to: all that will ship or run, and how it ended."""

import json
from collections.abc import Sequence
from typing import assert_never

from bot.actions import AgreeDeploy, DeclineDeploy
from bot.masks import masked
from bot.models.attempt import ParameterValue
from bot.models.build import Shipment
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, Ref
from bot.models.pending import Approval, Cancellation, Deployment, End, Pending, Rerun, Wish
from formatters.again import act_button, asks_again, command
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
    escape,
    fit,
    link,
    literal,
    mention,
    moment,
    section,
)
from formatters.lookalikes import careful
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
            AgreeDeploy(attempt_id=pending.id, word=kind), f"Agree and {kind} {_which(pending.wish)}", style="primary"
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
        return _asker(pending)
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
            what = "the failed jobs of" if pending.wish.failed_only else "all of"
            return f"rerun {'with SSH ' if pending.wish.ssh else ''}{what}"
        case Approval():
            return f"approve {clean(pending.wish.job_name, longest)} of"
        case Cancellation():
            return "cancel"
        case _:
            return "deploy"


def wished(pending: Pending) -> str:
    """Return who wants what, in a sentence without its end."""
    return f"{_asker(pending)} wants to {_whole(pending)}"


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
    return named + _listing(
        "With ", [code(f"{name}={_value(value)}", LONGEST) for name, value in wish.parameters.items()], end=""
    )


def _value(value: ParameterValue) -> str:
    """Return a value so that nothing of it is unseen: what would not show as it is stands there in JSON's spelling."""
    is_plain = isinstance(value, str) and clean(value, LONGEST) == escape(value)
    # Of several blanks one would be shown.
    return str(value) if is_plain else json.dumps(value).replace("  ", r"\u0020\u0020")


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


def agreed(pending: Pending, name: str, page: str = "", number: int | None = None) -> End:
    """Say in the request's place that it goes on: with what, and where, if that is known."""
    is_named = not isinstance(pending.wish, Deployment) and pending.wish.pipeline_number == number
    build = f" It is {link(page, f'#{number}')}." if page and number is not None and not is_named else ""
    said = f"✅ {literal(name, 60)} agreed: {_goes_on(pending, page)}, as {_asker(pending)} asked.{build}"
    return End(shown=said, more=_given(pending))


def _goes_on(pending: Pending, page: str) -> str:
    """Return what happens now that somebody agreed."""
    wish, target = pending.wish, literal(pending.target)
    if page and not isinstance(wish, Deployment):
        number = f"#{wish.pipeline_number}"
        target = f"{literal(pending.target.removesuffix(number).strip())} {link(page, number)}"
    match wish:
        case Deployment():
            return f"{target} is on its way"
        case Rerun():
            jobs = f"the failed jobs of {target} run" if wish.failed_only else f"all of {target} runs"
            return f"{jobs} again{' with SSH' if wish.ssh else ''}"
        case Approval():
            return f"{literal(wish.job_name) or 'the job on hold'} of {target} is approved"
        case Cancellation():
            return f"{target} is being cancelled"
    assert_never(wish)


def agreed_in_vain(pending: Pending, name: str, why: str, *, is_sure: bool) -> Message:
    """Say in the request's place that nothing came of it, where that is sure, and why; `why` knows better else."""
    nothing = f", but nothing was {done(pending)}" if is_sure else ""
    return _said(f"❌ {literal(name, 60)} agreed to {_about(pending)}{nothing}. {why}")


def looked_for(pending: Pending, name: str) -> End:
    """Say in the request's place that it was sent, and that nobody knows yet what came of that."""
    said = (
        f"🔎 {literal(name, 60)} agreed to {_about(pending)}, as {_asker(pending)} asked. CircleCI's answer was lost: "
    )
    said += "I look what became of it, and say so here. I send nothing twice."
    return End(shown=said, more=_given(pending), in_vain=True, lost="looked for")


def not_found(pending: Pending, name: str, why: str, *, is_sure: bool = False) -> End:
    """Say in the request's place what was looked for in vain."""
    shown = agreed_in_vain(pending, name, why, is_sure=is_sure).text
    return End(shown=shown, more=_given(pending), in_vain=True, lost="not found")


def _given(pending: Pending) -> tuple[str, ...]:
    return tuple(block["text"]["text"] for block in settings(pending))


def interrupted() -> str:
    """Return why nobody can tell what came of it."""
    return "I was interrupted over it, and cannot tell what came of it: look at CircleCI before you ask again."


def as_ended(end: End) -> Message:
    """Say in the request's place how it ended."""
    return assemble(end.shown, *(section(text) for text in (end.shown, *end.more)))


def as_told(pending: Pending, end: End) -> Message:
    """Tell the asker in the thread how it ended, and how the same is asked for again."""
    wish = pending.wish
    label = f"Ask again: {wish.kind} {_which(wish)}"
    again = act_button(end.again, label, f"This is about {wish.target}", "Ask again") if end.again else None
    return assemble(end.told, section(end.told), actions(again) if again else None)


def _which(wish: Wish) -> str:
    """Return the branch or the tag, or the number of the build."""
    return wish.ref.said if isinstance(wish, Deployment) else f"#{wish.pipeline_number}"


def declined(pending: Pending, name: str, reason: str) -> Message:
    """Say in the request's place who declined, and why, where that is known."""
    why = f": {_sentence(reason)}" if reason else "."
    return _said(f"🚫 {literal(name, 60)} declined {_about(pending)}{why}")


def taken_back(pending: Pending, reason: str) -> Message:
    """Say in the request's place that the asker wants it no more, and why, where that is known."""
    why = f": {_sentence(reason)}" if reason else "."
    who = literal(pending.asker.name or pending.asker.person_id, 60)  # a person, whoever spoke for them
    return _said(f"🚫 {who} took back the wish to {_whole(pending)}{why} Nothing was {done(pending)}.")


def declined_to_asker(pending: Pending, name: str, reason: str) -> Message:
    """Tell the asker in the thread."""
    why = f": {_sentence(reason)}" if reason else "."
    again = f"Nothing was {done(pending)}. {_again(pending)}"
    return _said(f"{mention(pending.asker.person_id)}, {literal(name, 60)} declined it{why} {again}")


def _again(pending: Pending) -> str:
    """Say how it is asked for again: what an agent asked for, a person does by themselves, and is asked nothing."""
    if not pending.asker.agent:
        return asks_again(pending.wish.typed)
    shown = command(pending.wish.typed)
    return "The agent can ask again" + (f", and {shown} asks in your own name." if shown else ".")


def expired(pending: Pending) -> Message:
    """Say in the request's place that nobody decided."""
    return _said(f"⌛ Nobody decided on {_about(pending)} in time. Nothing was {done(pending)}.")


def expired_to_asker(pending: Pending) -> Message:
    """Tell the asker in the thread."""
    again = _again(pending)
    return _said(f"{mention(pending.asker.person_id)}, nobody agreed in time, so nothing was {done(pending)}. {again}")


def overtaken(pending: Pending, name: str) -> Message:
    """Say in the request's place that somebody did the same without it."""
    return _said(
        f"↪️ {literal(name, 60)} did the same meanwhile ({_whole(pending)}), so this is over and starts nothing."
    )


def asked_anew(pending: Pending, before: Pending) -> End:
    """Return how the question `before` ends, which its asker alone can read: the same was asked again since."""
    there, place = pending.asker.place, before.asker.place
    where = f" in <#{there.channel_id}>" if there and place and there.channel_id != place.channel_id else ""
    return End(shown=_said(f"This was asked for again{where} since: the newer question counts.").text)


def overtaken_to_asker(pending: Pending, name: str) -> Message:
    """Tell the asker in the thread."""
    return _said(
        f"{mention(pending.asker.person_id)}, {literal(name, 60)} did the same meanwhile, so nobody needs to agree."
    )


def _whole(pending: Pending) -> str:
    return f"{wanted(pending)} {literal(pending.target)}"


def _about(pending: Pending) -> str:
    """Return what is decided on: of one build several jobs may wait, each with a request of its own."""
    job = literal(pending.wish.job_name) if isinstance(pending.wish, Approval) else ""
    return f"{job} of {literal(pending.target)}" if job else literal(pending.target)


def _sentence(text: str) -> str:
    return literal(text, 5 * LONGEST_REASON).rstrip(". ") + "."  # an `&` is five characters to Slack


def _asker(pending: Pending) -> str:
    return literal(pending.asker.called, 100)


def _said(text: str) -> Message:
    return assemble(text, section(text))
