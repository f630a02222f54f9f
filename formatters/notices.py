"""What one person reads of their own builds in direct messages, and what they are told of that when they ask."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from bot.actions import RerunFailed, ShowLog
from bot.answers.mine import MyWait
from bot.answers.notices import MyNotices
from bot.models.build import OPEN_STATES, Build, Report, Run, State
from bot.models.circleci import Job
from bot.models.notices import About, Held, Notice
from bot.models.pending import Pending
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    link,
    literal,
    paragraphs,
    section,
)
from formatters.buttons import approve_button, rerun_failed_button, that_fit
from formatters.final import what_failed
from formatters.links import Links
from formatters.mine import wait_line
from formatters.red import names, tests_of
from formatters.stopped import details, why
from formatters.words import MARKS, count, duration, listed, ref_words, took

MOST_JOBS, MOST_HELD, MOST_RERUN = 3, 20, 3
_WHEN = {
    About.FAILED: "when a build of yours fails",
    About.ENDED: "when a build of yours ends",
    About.WAITING: "when something waits for your approval",
}
_NOTHING = "I tell you nothing of your builds by myself."
_BEGIN = "`/ci notify me failed` begins it; `ended` and `waiting` are others, and `quiet 22:00-7:00` keeps the night."
_END = "`/ci notify me nothing` ends this."
_WHERE = (
    "I hear of those of projects that a channel has subscribed to, whose webhooks reach me, or that I start myself."
)
_NOBODY = (
    " Who you are at the code host I do not know: what you push I know by the address of its commit, where CircleCI "
    "says that and Slack has it. Whoever runs me can name you in the projects file."
)


class Mine(NamedTuple):
    """A build as its person is told of it: they asked for it or pushed it, and may approve these jobs of its runs.

    There is a `report` where it failed.
    """

    build: Build
    title: str
    links: Links
    is_asked: bool
    waits: Sequence[tuple[Job, Run]] = ()
    report: Report | None = None


def told(answer: MyNotices) -> Message:
    """Say what somebody is told of their own builds, from now on or as it is."""
    notice = answer.notice
    if notice is None:
        ended = f"{_NOTHING[:-1]} any more: until now it was {_when(answer.before)}." if answer.before else _NOTHING
        return assemble(ended, section(f"{ended} {_BEGIN}"))
    since = "I tell you" if answer.shown else "From now on I tell you"
    text = f"{since} in direct messages {_when(notice)}."
    was = f" Until now it was {_when(answer.before)}{_hours(answer.before)}." if _is_other(answer) else ""
    return assemble(text, section(f"{text}{_quiet(notice)}{was}"), context(f"{_yours(answer)} {_END}"))


def _when(notice: Notice | None) -> str:
    words = [_WHEN[one] for one in About if notice and one in notice.about]
    return ", and ".join(words)


def _is_other(answer: MyNotices) -> bool:
    before, now = answer.before, answer.notice
    return bool(before and now and (before.about, before.quiet) != (now.about, now.quiet))


def _hours(notice: Notice | None) -> str:
    return f", but for {notice.quiet}" if notice and notice.quiet else ""


def _quiet(notice: Notice) -> str:
    if notice.quiet is None:
        return ""
    zone = literal(notice.zone) or "UTC, as Slack does not say yours"
    ends = f" What ends from {' to '.join(str(notice.quiet).split('-'))} ({zone}) I tell after that in one message."
    waits = " What waits for you I tell at once: Slack itself keeps quiet when you say so there."
    return ends + (waits if About.WAITING in notice.about else "")


def _yours(answer: MyNotices) -> str:
    pushed = (
        f"that you asked me for, or that {code(answer.login, 60)} pushed" if answer.login else "that you asked me for"
    )
    return f"Yours are those {pushed}. {_WHERE}{'' if answer.login else _NOBODY}"


def root(mine: Mine) -> Message:
    """Return the one message about a build, which is written anew as that goes on."""
    build = mine.build
    made = list(that_fit(_buttons(mine)))
    return assemble(
        _plain(mine),
        section(_head(mine)),
        section("\n".join(filter(None, [_what(mine), _commit(build)]))) if _what(mine) or _commit(build) else None,
        *(details(build) if build.outcome is State.COULD_NOT_RUN and not _is_open(build) else ()),
        actions(*made) if made else None,
        context(f"{'You asked for it' if mine.is_asked else 'You pushed it'}. `/ci notify me` says what I tell you."),
    )


def reply(mine: Mine) -> Message:
    """Say below that message what is new, so that it is noticed."""
    return assemble(_plain(mine), section("\n".join(filter(None, [_head(mine), _what(mine)]))))


def held(ends: Sequence[Held], links: Links, *, forgotten: int = 0) -> Message:
    """Tell in one message what ended in the quiet hours: of too many that were held some were forgotten."""
    many = len(ends) + forgotten
    text = f"{count(many, 'build')} of yours ended while you wanted quiet."
    shown, taken = paragraphs([_held(one, links) for one in ends[:MOST_HELD]])
    more = context(f"and {many - taken} more: `/ci mine` shows your newest builds") if many > taken else None
    made = list(that_fit(_buttons_of_held(ends[:taken])))
    return assemble(text, section(f"*{text}*"), *shown, actions(*made) if made else None, more)


def _buttons_of_held(ends: Sequence[Held]) -> Iterator[Block]:
    """Yield what to press for the newest of those that failed; of which build, where there are several."""
    failed = [one for one in ends if one.build][-MOST_RERUN:]
    for one in failed:
        if one.build:
            of = "" if len(ends) == 1 else f" of #{one.number}"
            again = RerunFailed(pipeline_id=one.pipeline_id, attempt=one.build.mark)
            yield rerun_failed_button(one.build, one.title, again, label=f"Rerun failed{of}")
            yield button(ShowLog(pipeline_id=one.pipeline_id, attempt=one.build.mark), f"Show log{of}")


def request(wait: MyWait) -> Message:
    """Tell somebody what waits for their word."""
    line = wait_line(wait)
    what = f"{'approval' if wait.kind == 'approve' else wait.kind} of {clean(wait.target)}"
    return assemble(f"A {what} waits for you to agree.", section(line))


def waits_no_more(pending: Pending) -> Message:
    """Return what is left of that when it waits for nobody any more."""
    kind = pending.wish.kind
    text = f"The {'approval' if kind == 'approve' else kind} of {literal(pending.target)} waits for nobody any more."
    return assemble(text, section(f"✔️ {text}"))


def refused(notice: Notice, code_of_slack: str) -> Message:
    """Tell whoever runs the bot that somebody is told nothing any more, since nothing reaches them."""
    who = clean(notice.name or notice.person_id, 60)
    text = (
        f"I do not tell {who} of their builds any more: Slack takes no direct message for them (it says "
        f"{clean(code_of_slack, 60)}). `/ci notify me failed` of theirs begins it anew."
    )
    return assemble(text, section(f"⚠️ {text}"))


def state_of(build: Build) -> State:
    """Return how a build stands for its person: it has failed, whatever becomes of what is on hold beside that."""
    return State.FAILED if build.has_failed_on_hold else build.state


def _is_open(build: Build) -> bool:
    return state_of(build) in OPEN_STATES


def _head(mine: Mine) -> str:
    """Return the state first, then which build it is."""
    build, pipeline = mine.build, mine.build.pipeline
    number = link(mine.links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    time = "" if _is_open(build) or not build.runs else f" after {took(build)}"
    return f"*{MARKS[state_of(build)]}*{time} · {literal(mine.title)} · {ref_words(pipeline.ref, build)} · {number}"


def _what(mine: Mine) -> str:
    build, said = mine.build, list[str]()
    if state_of(build) is State.FAILED:
        tests = names(tests_of(mine.report))
        said.append(f"{what_failed(build, mine.report)}{tests or ' failed.'}")
    elif build.state is State.COULD_NOT_RUN:
        said.append(f"{why(build)}.")
    if mine.waits:
        said.append(f"✋ {_waiting(mine)}")
    return "\n".join(said)


def _waiting(mine: Mine) -> str:
    names = listed([job.name for job, _ in mine.waits], MOST_JOBS)
    return f"{names} {'waits' if len(mine.waits) == 1 else 'wait'} for your approval."


def _commit(build: Build) -> str:
    pipeline = build.pipeline
    parts = [code(pipeline.revision[:7]), literal(pipeline.subject, 150)]
    return " ".join(filter(None, parts))


def _plain(mine: Mine) -> str:
    build = mine.build
    what = f"{clean(mine.title)} {ref_words(build.pipeline.ref, build)} #{build.pipeline.number}"
    state = MARKS[state_of(build)].partition(" ")[2].lower()
    return f"{what}: {_waiting(mine) if mine.waits else f'{state}.'}"


def _buttons(mine: Mine) -> Iterator[Block]:
    build = mine.build
    for job, run in mine.waits:
        yield approve_button(job, run, build, mine.title)
    if state_of(build) is State.FAILED:
        failed = RerunFailed(pipeline_id=build.pipeline.id, attempt=build.mark)
        yield rerun_failed_button(build, mine.title, failed)
        yield button(ShowLog(pipeline_id=build.pipeline.id, attempt=build.mark), "Show log")


def _held(one: Held, links: Links) -> str:
    number = link(links.pipeline(one.project_slug, one.number), f"#{one.number}")
    ref = f"tag {literal(one.ref.name)}" if one.ref and one.ref.is_tag else literal(one.ref.name if one.ref else "")
    time = f" after {duration(one.took)}" if one.took > timedelta(0) else ""
    failed = f": {listed(one.failed, MOST_JOBS)}" if one.failed else ""
    tests = f" · {_tests(one)}" if one.tests else ""
    mentioned = f" · you were mentioned in <#{one.mentioned_in}>" if one.mentioned_in else ""
    mentioned = " · told here already" if one.mentioned_in.startswith("D") else mentioned
    what = " · ".join(filter(None, [f"*{MARKS[one.state]}*{time}", literal(one.title), ref, number]))
    return f"• {what}{failed}{tests}{mentioned}"


def _tests(one: Held) -> str:
    more = f" and {one.tests_failed - len(one.tests)} more" if one.tests_failed > len(one.tests) else ""
    return f"{count(one.tests_failed, 'test')} ({listed(one.tests, MOST_JOBS)}{more})"
