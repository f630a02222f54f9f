"""Somebody's own builds: what waits for them first, then what runs, then what has ended."""

from collections.abc import Iterator

from bot.actions import RunCommand
from bot.answers.mine import MyBuild, MyBuilds, MyWait
from bot.models.build import OPEN_STATES, Run, State
from bot.models.circleci import Job
from formatters import unsent
from formatters.again import act_button, command
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    context,
    link,
    literal,
    moment,
    paragraphs,
    section,
)
from formatters.buttons import approve_button, short, that_fit
from formatters.links import Links
from formatters.words import MARKS, count, how_long, listed, ref_words

MOST_JOBS = 3
_ACTS = {"deploy": "deploy", "rerun": "rerun", "approve": "approval"}
NOT_MINE = "What you pushed is not among them: who you are on CircleCI I do not know."
HEARD_OF = "Of what you pushed I know the builds on branches that a channel has subscribed to, and those I tell you of."


def mine(answer: MyBuilds, links: Links) -> Message:
    """Return them, a line each, with a button for each job that waits for their approval."""
    waits = [*map(unsent.line, answer.unsent), *map(wait_line, answer.waiting)]
    lines = [*waits, *(_line(one, links) for one in answer.builds)]
    if not lines:
        return _nothing(answer)
    holds = [(job, run, one) for one in _held(answer) for run in one.build.runs for job in _open(run, one)]
    approvals = [approve_button(job, run, one.build, one.title, number=True) for job, run, one in holds]
    asks = [*unsent.buttons(answer.unsent), *(made for one in answer.waiting if (made := _ask_again(one)))]
    buttons = that_fit([*asks, *approvals])
    shown, taken = paragraphs(lines)
    return assemble(
        _sentence(answer),
        section("*Your builds*"),
        *shown,
        actions(*buttons) if buttons else None,
        context(" ".join([*_rest(answer, len(lines) - taken, len(holds) + len(asks) - len(buttons)), _from(answer)])),
    )


def _held(answer: MyBuilds) -> Iterator[MyBuild]:
    """Yield the builds of which something waits for their own approval."""
    held = (one for one in answer.builds if one.may_approve and one.build.state is State.ON_HOLD)
    yield from (one for one in held if any(_open(run, one) for run in one.build.runs))


def _open(run: Run, one: MyBuild) -> list[Job]:
    """Return the jobs that nobody has asked to approve yet."""
    return [job for job in run.holds if not {job.approval_request_id, job.id} & {*one.asked_for}]


def _ask_again(one: MyWait) -> Block | None:
    """Return the button that has a question asked again, which may stand in the whispers of another device."""
    if not one.line or not one.is_reached:
        return None
    press, label = RunCommand(text=one.line, channel_id=one.channel_id), f"Ask again: {short(one.target, 60)}"
    if one.kind == "approve":  # which lists what waits
        return button(press, label) if press.fits else None
    return act_button(one.line, label, f"What {one.target} waits for is asked again", action=press)


def _nothing(answer: MyBuilds) -> Message:
    text = f"I know of no build of yours to show: none that you asked me for in the last {_days(answer)}, or follow."
    if answer.unread:
        text = f"CircleCI does not say how your {count(answer.unread, 'build')} stand, and I have not seen them yet."
    hint = f"{_pushes(answer)} `/ci status &lt;project&gt; &lt;branch&gt;` shows the builds of a branch."
    return assemble(text, section(text), context(hint))


def _sentence(answer: MyBuilds) -> str:
    """Return what the notification says: how many wait for them, run and have ended."""
    turn = f"{count(len(answer.unsent), 'deploy')} not sent yet" if answer.unsent else ""
    for_me = sum(one.waits_for == "me" for one in answer.waiting) + len([*_held(answer)])
    running = sum(one.build.state in OPEN_STATES for one in answer.builds)
    ended = len(answer.builds) - running
    parts = [f"{count(running, 'build')} not over yet" if running else "", f"{ended} ended" if ended else ""]
    waits = f"{count(for_me, 'thing')} {'waits' if for_me == 1 else 'wait'} for you" if for_me else ""
    return f"Your builds: {', '.join(filter(None, [waits, turn, *parts])) or 'something waits for somebody else'}."


def wait_line(one: MyWait) -> str:
    """Return what waits as a line."""
    act = f"{_ACTS[one.kind]} of {f'{literal(one.job_name, 80)} in ' if one.job_name else ''}{literal(one.target, 200)}"
    until = f" · until {moment(one.until)}" if one.until else ""
    where = f" · {link(one.url, 'the request')}" if one.url else _where(one)
    if one.waits_for == "else":
        return f"⏳ *Waits for a second person* · your {act}{until}{where}"
    if one.asker_name:
        return f"✋ *Waits for you to agree* · the {act}, which {literal(one.asker_name, 100)} asked for{until}{where}"
    return f"✋ *Waits for your answer* · your {act}{until}{where}"


def _where(one: MyWait) -> str:
    """Return where a question was asked that no link leads to, and how it is asked again where no button does."""
    place = "our direct messages" if one.channel_id.startswith("D") else f"<#{one.channel_id}>"
    there = f" · in {place}" if one.channel_id else ""
    again = command(one.line) if one.line and not one.is_reached else ""
    return f"{there} · {again} there asks it again" if again else there


def _line(one: MyBuild, links: Links) -> str:
    build, pipeline = one.build, one.build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    parts = [f"*{MARKS[build.state]}*", literal(one.title), ref_words(pipeline.ref, build), number]
    parts += [*_holds(one), *([how_long(build)] if build.runs else [])]
    parts += [] if build.state is State.ON_HOLD else [moment(pipeline.created_at)]
    parts += [] if one.is_asked else ["you pushed it" if one.is_pushed else "you follow it"]
    parts += ["as I last saw it: CircleCI does not answer"] if one.is_silent else []
    return " · ".join([*parts, *([link(one.thread_url, "thread")] if one.thread_url else [])])


def _holds(one: MyBuild) -> Iterator[str]:
    if one.build.state is not State.ON_HOLD:
        return
    still = [job for run in one.build.runs for job in _open(run, one)]
    asked_for = [job for run in one.build.runs for job in run.holds if job not in still]
    for jobs, what in ((still, "your approval" if one.may_approve else "an approval"), (asked_for, "a second person")):
        if jobs:
            names = listed([job.name for job in jobs], MOST_JOBS)
            yield f"{names} {'waits' if len(jobs) == 1 else 'wait'} for {what}"


def _rest(answer: MyBuilds, cut: int, no_room: int) -> Iterator[str]:
    """Yield what is not shown, and how it is reached."""
    if more := answer.more + cut + answer.more_waiting:
        least = "at least " if answer.full else ""
        yield f"And {least}{more} more: `/ci status &lt;project&gt; &lt;branch&gt;` shows those of a branch."
    if answer.unread:
        yield f"CircleCI did not say how {count(answer.unread, 'more build')} stand{'s' if answer.unread == 1 else ''}."
    if no_room > 0:
        yield f"{count(no_room, 'more button')} did not fit: `/ci approve &lt;project&gt;` shows them."


def _from(answer: MyBuilds) -> str:
    pushed = ", pushed" if answer.knows_pushes else ""
    these = f"These are the builds that you asked me for{pushed}, ran again or follow, of the last {_days(answer)}."
    return f"{these} {_pushes(answer)}"


def _pushes(answer: MyBuilds) -> str:
    """Say whether what they pushed is among them."""
    return HEARD_OF if answer.knows_pushes else NOT_MINE


def _days(answer: MyBuilds) -> str:
    return "day" if answer.days == 1 else f"{answer.days:g} days"
