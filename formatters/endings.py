"""How what somebody had to agree to ended: in the request's place, and for who asked."""

from typing import assert_never

from bot.models.pending import Approval, Cancellation, Deployment, End, Pending, Rerun
from formatters.again import act_button, asks_again, command
from formatters.agreement import LONGEST_REASON, done, in_full, settings, which, who_asks
from formatters.blocks import (
    Message,
    actions,
    assemble,
    link,
    literal,
    mention,
    section,
)


def agreed(pending: Pending, name: str, page: str = "", number: int | None = None) -> End:
    """Say in the request's place that it goes on: with what, and where, if that is known."""
    is_named = not isinstance(pending.wish, Deployment) and pending.wish.pipeline_number == number
    build = f" It is {link(page, f'#{number}')}." if page and number is not None and not is_named else ""
    said = f"✅ {literal(name, 60)} agreed: {_goes_on(pending, page)}, as {who_asks(pending)} asked.{build}"
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
            of = f" in {literal(', '.join(wish.workflows), 100)}" if wish.workflows else ""
            jobs = f"the failed jobs{of} of {target} run" if wish.failed_only else f"all of {target} runs"
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
    said = f"🔎 {literal(name, 60)} agreed to {_about(pending)}, as {who_asks(pending)} asked. "
    said += "CircleCI's answer was lost: I look what became of it, and say so here. I send nothing twice."
    return End(shown=said, more=_given(pending), in_vain=True, lost="looked for")


def not_found(pending: Pending, name: str, why: str) -> End:
    """Say in the request's place what was looked for in vain: it may have been done all the same."""
    shown = agreed_in_vain(pending, name, why, is_sure=False).text
    return End(shown=shown, more=_given(pending), in_vain=True, lost="not found")


def in_part(pending: Pending, name: str, which: str) -> End:
    """Say in the request's place what of it was done, and what was not."""
    return not_found(pending, name, which).model_copy(update={"lost": "in part"})


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
    label = f"Ask again: {wish.kind} {which(wish)}"
    again = act_button(end.again, label, f"This is about {wish.target}", "Ask again") if end.again else None
    return assemble(end.told, section(end.told), actions(again) if again else None)


def declined(pending: Pending, name: str, reason: str) -> Message:
    """Say in the request's place who declined, and why, where that is known."""
    why = f": {_sentence(reason)}" if reason else "."
    return _said(f"🚫 {literal(name, 60)} declined {_about(pending)}{why}")


def taken_back(pending: Pending, reason: str) -> Message:
    """Say in the request's place that the asker wants it no more, and why, where that is known."""
    why = f": {_sentence(reason)}" if reason else "."
    who = literal(pending.asker.name or pending.asker.person_id, 60)  # a person, whoever spoke for them
    return _said(f"🚫 {who} took back the wish to {in_full(pending)}{why} Nothing was {done(pending)}.")


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


def no_more(pending: Pending, why: str) -> End:
    """Say in the request's place that who asked may not do it any more, so that nobody can let it happen."""
    return End(shown=f"⌛ Nobody can agree to {_about(pending)} any more. {why}")


def never_asked(pending: Pending) -> End:
    """Return how that ends over which a run died before it was put to anybody."""
    shown = f"⌛ I was interrupted before anybody was asked to agree to {_about(pending)}."
    return End(shown=f"{shown} Nothing was {done(pending)}.")


def overtaken(pending: Pending, name: str) -> Message:
    """Say in the request's place that somebody did the same without it."""
    return _said(
        f"↪️ {literal(name, 60)} did the same meanwhile ({in_full(pending)}), so this is over and starts nothing."
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


def _about(pending: Pending) -> str:
    """Return what is decided on: of one build several jobs may wait, each with a request of its own."""
    job = literal(pending.wish.job_name) if isinstance(pending.wish, Approval) else ""
    return f"{job} of {literal(pending.target)}" if job else literal(pending.target)


def _sentence(text: str) -> str:
    return literal(text, 5 * LONGEST_REASON).rstrip(". ") + "."  # an `&` is five characters to Slack


def _said(text: str) -> Message:
    return assemble(text, section(text))
