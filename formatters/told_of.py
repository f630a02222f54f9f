"""Why a channel was told of a build, or was not, in sentences."""

from collections.abc import Callable, Iterator, Sequence

from bot.answers.subscriptions import WhyTold
from bot.models import rule_line
from bot.models.subscription import Event, Subscription
from bot.models.told import Reason, Why
from formatters.again import command
from formatters.blocks import Message, assemble, code, context, fit, link, literal, moment, section
from formatters.links import Links
from formatters.subscriptions import paused_because, rule
from formatters.words import branch_words

_HAPPENED = {
    Event.BROKE: "broke",
    Event.FIXED: "was fixed",
    Event.STILL_RED: "stayed red",
    Event.FAILED: "had a build that failed",
    Event.PASSED: "had a build that passed",
}
MOST_SAID = 2800  # Slack takes 3000 characters
KEPT = "I keep what I decide for 14 days, of the newest 1,000 builds of a channel"


def why(found: WhyTold, links: Links) -> Message:
    """Say what was decided of it here, and by which rules; where nothing is kept, what would be decided now."""
    number = link(links.pipeline(found.project_slug, found.number), f"#{found.number}")
    of = f"of {literal(found.project_title)}{f' ({literal(str(found.ref), 120, name=True)})' if found.ref else ''}"
    said = " ".join(f"{one[:1].upper()}{one[1:]}." for one in _said(found))
    return assemble(f"#{found.number} {of}: {said}", section(f"*{number}* {of}\n{said}"), _by(found))


def _said(found: WhyTold) -> Iterator[str]:
    reason = found.here or (found.of_all if found.rules else None)
    if reason is not None:
        yield _SENTENCES[reason.why](reason, found)
    if reason is found.here and _is_looked_at(found):
        yield f"its end may change yet, and I look at it again {_when(found.of_all)}"
    if not found.rules:
        yield from _no_rule(found)
    elif reason is None:
        yield from _unknown(found)
    if found.root:
        yield f"its branch is red, as {link(found.root, 'its message')} says"
    for one in found.rules:
        if one.paused:
            yield f"a subscription to it is paused: {paused_because(one.paused)}"


def _when(reason: Reason | None) -> str:
    return moment(reason.again_at) if reason and reason.again_at else "later"


def _is_looked_at(found: WhyTold) -> bool:
    """Say whether a build of which the channel was told something is looked at again."""
    here, of_all = found.here, found.of_all
    return bool(here and of_all and of_all.why is Why.AWAITED and of_all.at > here.at)


def _no_rule(found: WhyTold) -> Iterator[str]:
    if found.is_hidden and found.here:
        return  # of what they may not read it says nothing
    branch = f"{literal(str(found.ref))} of " if found.nearest and found.ref else ""
    what = f"{branch}{literal(found.project_title)}"
    which = "that you may read " if found.is_hidden else ""
    yield f"no subscription of this channel {which}is about {what}{' now' if found.here else ''}"
    line = (
        f"subscribe {found.project_slug} {rule_line.branch(found.ref.name)}"
        if found.ref and not found.ref.is_tag
        else ""
    )
    if line and (shown := command(line)):
        yield f"{shown} subscribes to it"


def _unknown(found: WhyTold) -> Iterator[str]:
    if found.is_missed:
        yield "more builds came than I read back in the list of the project, as no process of mine ran: it was left out"
        return
    if found.would and found.would.why is Why.OTHER_WORKFLOWS:
        yield _SENTENCES[Why.OTHER_WORKFLOWS](found.would, found)
        return
    yield "why this channel was not told of it I do not know: nothing is kept of it"
    if found.is_earlier:
        yield "it was made before this channel subscribed"
    elif found.is_unread:
        failed = f", as CircleCI did not show it {found.list_failures} times in a row" if found.list_failures else ""
        yield f"I have not read the list of its project as far as that{failed}"
    else:
        yield KEPT
    if found.would and found.would.why is Why.AWAITED:
        yield "it has not ended yet"
    elif found.would:
        yield f"by what is known now, {_WOULD[found.would.why](found.would, found)}"


def _by(found: WhyTold) -> dict[str, object] | None:
    others = [one for one in found.rules if one not in found.told_by]
    parts = {"Told by": found.told_by, "Others that are about it": others}
    lists = {
        **(parts if found.told_by and others else {"Subscriptions that are about it": found.rules}),
        "What this channel hears of the project": found.nearest,
    }
    lines = [line for heard, rules in lists.items() for line in _listed_below(heard, rules)]
    return context(fit(lines, MOST_SAID)) if lines else None


def _listed_below(heard: str, rules: Sequence[Subscription]) -> list[str]:
    return [f"{heard}:", *(f"• I say {rule(one)}" for one in rules)] if rules else []


def _branch(reason: Reason, found: WhyTold) -> str:
    """Return the branch as the channel knows it: by some of its builds, or workflows, alone, if so."""
    name = branch_words(reason.branch) if reason.branch else found.ref.name if found.ref else "it"
    return literal(name, name=True)


def _happened(reason: Reason, found: WhyTold) -> str:
    happened = _HAPPENED.get(Event(reason.happened), reason.happened) if reason.happened else "ended"
    return f"{_branch(reason, found)} {happened}"


def _not_asked(reason: Reason, found: WhyTold) -> str:
    """Say what the channel wants to hear, and where that was another thing then, what it was."""
    then, now = reason.asked, found.events
    if not then or set(then) == set(now):
        return f"which this channel does not ask to hear: it asks for {_listed(now)}"
    by_now = f"; by now it asks for {_listed(now)}" if now else ""
    return f"which this channel did not ask to hear then: it asked for {_listed(then)}{by_now}"


def _listed(events: Sequence[Event]) -> str:
    return ", ".join(code(event) for event in events) or "nothing of it"


def _snoozed(reason: Reason, found: WhyTold) -> str:
    by = f" by {literal(reason.snoozed_by, 60)}" if reason.snoozed_by else ""
    until = f" until {moment(reason.snoozed_until)}" if reason.snoozed_until else ""
    return f"with it {_happened(reason, found)}, and that was snoozed here{by}{until}"


def _told(reason: Reason, found: WhyTold) -> str:
    if not reason.ts:
        return f"this channel was told of it {moment(reason.at)}"
    where = f"by {link(found.link, 'this message')}" if found.link else "by a message that Slack does not show any more"
    these = [
        f"{link(one, 'this one')}{_as_what(reason, ts)}"
        for ts, one in zip(reason.before, found.links_before, strict=True)
        if one
    ]
    before = f", and before that by {', '.join(these)}" if these else ""
    return f"this channel was told of it {moment(reason.at)}, {where}{_as_what(reason, reason.ts)}{before}"


def _as_what(reason: Reason, ts: str) -> str:
    return f" ({code(event)})" if (event := reason.said.get(ts)) else ""


def _awaited(reason: Reason, found: WhyTold) -> str:
    again = f": I look at it again {moment(reason.again_at)}" if reason.again_at else ""
    end = f"its end is not certain yet, as far as I have seen{again}"
    if not found.waits:
        return end
    unasked = (
        "" if Event.WAITING in found.events else f", which no subscription here asks to hear ({code(Event.WAITING)})"
    )
    return f"it waits for an approval{unasked}; {end}"


def _no_news(reason: Reason, _: WhyTold) -> str:
    how = {"canceled": "it was cancelled, or a newer one took its place", "superseded": "a newer one took its place"}
    return f"{how.get(reason.state, 'nothing of it ran')}, which says nothing of its branch, and is no news"


_SENTENCES: dict[Why, Callable[[Reason, WhyTold], str]] = {
    Why.TOLD: _told,
    Why.NOT_ASKED: lambda one, found: f"with it {_happened(one, found)}, {_not_asked(one, found)}",
    Why.SNOOZED: _snoozed,
    Why.OTHERWISE: lambda _, __: "a thread of this channel told its end, so that no subscription said it once more",
    Why.NO_NEWS: _no_news,
    Why.OLDER: lambda one, found: (
        f"when its end was certain, a newer build of {_branch(one, found)} was known here (#{one.newest}), and an "
        "older one changes nothing"
    ),
    Why.COUNTED: lambda _, __: "it is counted already in what this channel was told",
    Why.HIDDEN: lambda _, __: "who subscribed may not look at it in this channel, so it was not told",
    Why.UNSURE: lambda _, __: (
        "it is not told yet: whether who subscribed may look at it is not certain, and is asked once more"
    ),
    Why.REFUSED: lambda one, _: f"Slack did not take my message ({code(one.code, 60)}), and it was not told",
    Why.PUT_OFF: lambda one, _: f"Slack does not take my message for now ({code(one.code, 60)}), and I try again",
    Why.AWAITED: _awaited,
    Why.WAS_THERE: lambda _, __: "it was over when this channel subscribed, as far as I have seen, and is no news",
    Why.UNWANTED: lambda _, __: "when I looked at it, no subscription was about it",
    Why.OTHER_WORKFLOWS: lambda _, __: "none of the workflows runs in it that a subscription of this channel is about",
    Why.GIVEN_UP: lambda _, __: "I could not read it at CircleCI for so long that I have given it up",
}
_WOULD: dict[Why, Callable[[Reason, WhyTold], str]] = {
    **_SENTENCES,
    Why.TOLD: lambda one, found: f"this channel would be told that {_happened(one, found)}",
}
