"""A branch that broke, though nobody typed: one message as long as it is red, what is said below it, and its end."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from bot.actions import EndSnooze, LookAt, RerunFailed, ShowLog, SnoozeForm
from bot.models.build import Build, Report, State
from bot.models.caller import Place
from bot.models.circleci import TestResult
from bot.models.red import Branch
from bot.models.subscription import Event, Subscription
from bot.triage.keeping import key
from formatters import snoozes
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    context,
    link,
    link_button,
    literal,
    mention,
    section,
)
from formatters.buttons import rerun_failed_button
from formatters.errors import invite
from formatters.final import what_failed
from formatters.links import Links
from formatters.report import failed_tests
from formatters.stopped import details, why
from formatters.words import branch_words, count, duration, listed, took

MOST_NAMED = 5  # tests
NO_RULE = "No subscription of this channel is about it any more"
TWICE = "Another message here is about it by now"
GROUP = "S"  # what Slack's id of a user group begins with
# Why a rule is paused, where it is not Slack that takes nothing; the list of a channel's rules shows it as it is.
HIDDEN = "who subscribed may not look at it in this channel any more"
UNKNOWN = "CircleCI does not know the project any more, or my token may not see it"


class Seen(NamedTuple):
    """The build that is told of, the evidence where it failed, and what its project is called."""

    build: Build
    report: Report | None
    title: str
    links: Links


def root(state: Branch, seen: Seen, mentioned: Sequence[str] = (), *, is_snoozed: bool = False) -> Message:
    """Return the message about a red branch, by the newest build that failed; it is written anew as that changes."""
    build, name = seen.build, literal(branch_words(state.branch), name=True)
    before = " or before" if state.or_before else ""
    since = f"since {_number(state.red_since, seen)}{before}"
    pings = " ".join(["", *filter(None, map(_mention, mentioned))])
    many = f"{_ordinal(state.builds)} red build" if state.builds > 1 else ""
    what, whole = _what(seen), _what(seen, names(tests_of(seen.report)))
    return assemble(
        f"{_plain(state)} of {clean(seen.title)} is red since #{state.red_since}{before}: {what}.",
        section(f"❌ *{name} is red* · {literal(seen.title)} · {since}{pings}"),
        section("\n".join(filter(None, [about(seen, many), whole]))),
        *_refused(build),
        _by_people(state, is_snoozed=is_snoozed),
        actions(*_buttons(state, seen, is_snoozed=is_snoozed)),
    )


def repaired_root(before: Branch, seen: Seen) -> Message:
    """Return what is left of the message once its branch is green again."""
    name = literal(branch_words(before.branch), name=True)
    was = f"Red since {_number(before.red_since, seen)}{' or before' if before.or_before else ''}"
    return assemble(
        f"{_plain(before)} of {clean(seen.title)} is green again.",
        section(f"✅ *{name} is green again* · {literal(seen.title)} · {_fixed(before, seen)}"),
        context(f"{was}, {count(before.builds, 'red build')}.") if before.is_red else None,
    )


def still_red(before: Branch, state: Branch, seen: Seen, *, is_apart: bool) -> Message:
    """Say that a later build failed too, or the same one when it ran again; `is_apart` where no thread says of what."""
    again = seen.build.pipeline.number == before.number
    which = "still red, run again" if again else f"still red, {_ordinal(state.builds)} build"
    how = _compared(before, seen)
    where = f"{_where(state, seen)} · " if is_apart else ""
    plain = f"{_plain(state)} of {clean(seen.title)} is {which}: {how}."
    return assemble(plain, section(f"❌ {where}*{which[:1].upper()}{which[1:]}*: {how}."), context(about(seen)))


def fixed(before: Branch, seen: Seen, *, is_apart: bool) -> Message:
    """Say what repaired it."""
    where = f"{_where(before, seen)} · " if is_apart else ""
    text = _fixed(before, seen)
    plain = f"{_plain(before)} of {clean(seen.title)} is green again."
    return assemble(plain, section(f"✅ {where}*{text[:1].upper()}{text[1:]}*."), context(about(seen)))


def passed(state: Branch, seen: Seen) -> Message:
    """Say that a build of a branch passed that was not red."""
    took_it = took(seen.build)
    plain = f"{_plain(state)} of {clean(seen.title)} passed in {took_it}."
    return assemble(plain, section(f"✅ {_where(state, seen)} · *Passed* in {took_it}."), context(about(seen)))


def looked_at(state: Branch, title: str, name: str, is_apart: bool) -> Message:
    """Say who looks at it: a name, as that is no reason for a ping."""
    plain, what = ("it", "it") if not is_apart else (f"{_plain(state)} of {clean(title)}", named(state, title))
    return assemble(f"{clean(name, 60)} looks at {plain}.", section(f"👀 {literal(name, 60)} looks at {what}."))


def named(state: Branch, title: str) -> str:
    """Return a branch and its project in a sentence."""
    return f"*{literal(branch_words(state.branch), name=True)}* of {literal(title)}"


def forsaken(state: Branch, title: str, links: Links, reason: str = NO_RULE) -> Message:
    """Return what is left of the message once nothing is told of the branch any more, for that reason."""
    since = link(links.pipeline(state.project_slug, state.red_since), f"#{state.red_since}")
    why = f"{reason}, so I do not say how it stands now."
    return assemble(
        f"{_plain(state)} of {clean(title)} was red since #{state.red_since}. {why}",
        section(f"🔕 *{literal(branch_words(state.branch), name=True)} was red* · {literal(title)} · since {since}"),
        context(why),
    )


def paused(rule: Subscription, why: str) -> Message:
    """Tell whoever runs the bot, and who made a rule, that its channel is not told for now, and how it will be."""
    is_direct = Place(channel_id=rule.channel_id).is_direct
    who = f"{clean(rule.made_by_name or 'Somebody', 60)}, in direct messages," if is_direct else f"<#{rule.channel_id}>"
    what = f"{who} is not told what was subscribed to of {clean(rule.project_title)}"
    said = f"I cannot write there (Slack says {clean(why, 60)}). To have me there: {invite(why)}."
    if why in (HIDDEN, UNKNOWN):
        said = f"{why}."
    text = f"{what}: {said} The subscription is kept, and goes on with the first news after that has changed."
    return assemble(text, section(f"⏸️ {text}"))


def late(state: Branch, seen: Seen, *, is_apart: bool) -> Message:
    """Say how a build ended that is older than the one that the channel knows: of the branch it says nothing."""
    has_passed, where = seen.build.state is State.PASSED, f"{_where(state, seen)} · " if is_apart else ""
    what = f"passed in {took(seen.build)}" if has_passed else f"failed: {_what(seen)}"
    mark, plain = (
        "✅" if has_passed else "❌",
        f"#{seen.build.pipeline.number} of {_plain(state)} of {clean(seen.title)}",
    )
    said = section(f"{mark} {where}*An older build* {what}.")
    return assemble(f"{plain}, an older build, {what}.", said, context(about(seen)))


def of_tag(name: str, seen: Seen, happened: Event, mentioned: Sequence[str] = ()) -> Message:
    """Say how a build of a tag ended: it broke where it failed, and is fixed where it passed in a rerun."""
    head = _named(name, seen)
    if happened is not Event.BROKE:
        how = "passed when it ran again, in" if happened is Event.FIXED else "passed in"
        text = f"{how} {took(seen.build)}"
        plain = f"{clean(name, name=True)} of {clean(seen.title)} {text}."
        return assemble(plain, section(f"✅ {head} · *{text[:1].upper()}{text[1:]}*."), context(about(seen)))
    pings, whole = " ".join(["", *filter(None, map(_mention, mentioned))]), _what(seen, names(tests_of(seen.report)))
    return assemble(
        f"{clean(name, name=True)} of {clean(seen.title)} failed: {_what(seen)}.",
        section(f"❌ {head} · *Failed*{pings}"),
        section(f"{about(seen)}\n{whole}"),
        *_refused(seen.build),
        actions(*_of_build(seen)),
    )


def tag_again(name: str, seen: Seen, happened: Event) -> Message:
    """Say below the message about a build of a tag how that ended when it ran again."""
    has_passed, where = happened is not Event.BROKE, f"{clean(name, name=True)} of {clean(seen.title)}"
    plain = f"passed when it ran again, in {took(seen.build)}" if has_passed else f"failed again: {_what(seen)}"
    failed = f"*Failed again*: {_what(seen, names(tests_of(seen.report)))}"
    said = f"✅ *{plain[:1].upper()}{plain[1:]}*" if has_passed else f"❌ {failed}"
    return assemble(f"{where} {plain}.", section(f"{said}."), context(about(seen)))


def tag_repaired(name: str, seen: Seen) -> Message:
    """Return what is left of the message about a tag that failed, once it has passed in a rerun."""
    return assemble(
        f"{clean(name, name=True)} of {clean(seen.title)} had failed, and passed when it ran again.",
        section(f"✅ {_named(name, seen)} · *Had failed, and passed in a rerun*."),
        context(about(seen)),
    )


def message(  # all that it may be about
    happened: Event, before: Branch, state: Branch, seen: Seen, *, is_apart: bool, is_late: bool = False
) -> Message:
    """Return what is said of what happened, where a message about the branch stands or none is needed."""
    if is_late:
        return late(state, seen, is_apart=is_apart)
    match happened:
        case Event.FIXED:
            return fixed(before, seen, is_apart=is_apart)
        case Event.PASSED:
            return passed(state, seen)
        case _:
            return still_red(before, state, seen, is_apart=is_apart)


def failing(report: Report | None) -> frozenset[str]:
    """Return the keys of the tests that failed; none where not all of them were read."""
    if report is None or report.jobs_left_out or any(one.tests_failed > len(one.failed_tests) for one in report.jobs):
        return frozenset()
    return frozenset(map(key, failed_tests(report)))


def _compared(before: Branch, seen: Seen) -> str:
    """Return what failed, beside what had failed in the red build before it."""
    now = failing(seen.report)
    if not now or not before.failing:
        is_same = bool(seen.report and before.failure and seen.report.signature == before.failure)
        return f"the same failure, {_what(seen)}" if is_same else _what(seen)
    new = [test for test in tests_of(seen.report) if key(test) not in before.failing]
    old = len(now & before.failing)
    if not new:
        had_failed = f"{old} of the {len(before.failing)} tests that had failed"
        return f"the same {_number_of(now)}" if now == before.failing else had_failed
    kind = "new" if old else "other"
    also = f", and {old} as before" if old else ""
    return f"{len(new)} {kind} {'test' if len(new) == 1 else 'tests'}{names(new)}{also}"


def _number_of(keys: Collection[str]) -> str:
    return "test" if len(keys) == 1 else f"{len(keys)} tests"


def tests_of(report: Report | None) -> list[TestResult]:
    """Return the tests that failed, each once, whatever jobs it failed in."""
    return [*{key(test): test for test in (failed_tests(report) if report else ())}.values()]


def names(tests: Sequence[TestResult]) -> str:
    """Return the first few by their names, behind what is said of them."""
    return f" ({listed([test.name or test.classname for test in tests], MOST_NAMED)})" if tests else ""


def _what(seen: Seen, tests: str = "") -> str:
    """Return what failed, with `tests` behind the jobs in which they did, and what is on hold beside that."""
    if seen.build.state is State.COULD_NOT_RUN:
        return f"could not run: {why(seen.build)}"
    waits = [run.workflow.name for run in seen.build.real_runs if run.workflow.status == State.ON_HOLD]
    beside = f" · {listed(waits)} {'is' if len(waits) == 1 else 'are'} on hold" if waits else ""
    return what_failed(seen.build, seen.report) + tests + beside


def _refused(build: Build) -> Iterator[Block]:
    if build.state is State.COULD_NOT_RUN:
        yield from details(build)


def _fixed(before: Branch, seen: Seen) -> str:
    """Return what repaired it, who pushed that, and after how long."""
    build, number = seen.build, seen.build.pipeline.number
    ended = build.stopped_at or build.read_at
    after = f" after {duration(ended - before.red_at)}" if before.red_at and ended > before.red_at else ""
    after += ", and waits for an approval" if build.state is State.ON_HOLD else ""
    if number == before.number:
        return f"fixed by running {_number(number, seen)} again{after}"
    by = f" ({literal(build.pipeline.actor, 60)})" if build.pipeline.actor else ""
    return f"fixed by {_number(number, seen)}{by}{after}"


def about(seen: Seen, more: str = "") -> str:
    """Return which build it is: its number, by whom, and the first line of its commit."""
    pipeline = seen.build.pipeline
    by = f" by {literal(pipeline.actor, 60)}" if pipeline.actor else ""
    subject = f": {literal(pipeline.subject, 150)}" if pipeline.subject else ""
    return f"{_number(pipeline.number, seen)}{by}{subject}" + (f" · {more}" if more else "")


def _where(state: Branch, seen: Seen) -> str:
    return _named(state.branch, seen)


def _named(name: str, seen: Seen) -> str:
    return f"*{literal(branch_words(name), name=True)}* · {literal(seen.title)}"


def _plain(state: Branch) -> str:
    return clean(branch_words(state.branch), name=True)


def _number(number: int, seen: Seen) -> str:
    return link(seen.links.pipeline(seen.build.pipeline.project_slug, number), f"#{number}")


def _by_people(state: Branch, *, is_snoozed: bool) -> Block | None:
    looks = f"👀 {literal(state.looking, 60)} looks at it." if state.looking else ""
    said = " · ".join(filter(None, [looks, snoozes.note(state, is_snoozed=is_snoozed)]))
    return context(said) if said else None


def _buttons(state: Branch, seen: Seen, *, is_snoozed: bool) -> Iterator[Block]:
    names = {"project_slug": state.project_slug, "branch": state.branch, "since": state.red_since}
    look, snooze, wake = LookAt(**names), SnoozeForm(**names), EndSnooze(**names)
    if not state.looking and look.fits:
        yield button(look, "I look at it")
    if wake.fits:
        yield button(wake, "End the snooze") if is_snoozed else button(snooze, "Snooze")
    yield from _of_build(seen)


def _of_build(seen: Seen) -> Iterator[Block]:
    build, pipeline = seen.build, seen.build.pipeline
    if build.state in (State.FAILED, State.ON_HOLD):
        # Of a part, what failed of that alone: the message says nothing of the rest.
        names = build.failed_workflows if build.part_of else ()
        failed = RerunFailed(pipeline_id=pipeline.id, attempt=build.part(names).mark, workflows=names)
        if failed.fits:
            yield rerun_failed_button(build, seen.title, failed)
        log = ShowLog(pipeline_id=pipeline.id, attempt=build.part_of or build.mark, workflows=names)
        if log.fits:
            yield button(log, "Show log")
    if url := seen.links.commit(pipeline):
        yield link_button(url, "Open the commit")


def pings(mentioned: Sequence[str]) -> str:
    """Return what stands behind a line to mention people and user groups."""
    return " ".join(["", *filter(None, map(_mention, mentioned))])


def _mention(person_or_group: str) -> str:
    """Return a mention of a person or of a user group, which notifies; nothing for what is no id."""
    person = mention(person_or_group)
    return f"<!subteam^{person_or_group}>" if person and person_or_group.startswith(GROUP) else person


def _ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `11th`."""
    last = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"
