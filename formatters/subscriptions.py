"""What a channel hears of a project's branches, as a sentence; said when it begins or ends, and listed."""

from collections.abc import Collection, Sequence

from bot.actions import EndSubscription, RunCommand
from bot.answers.subscriptions import Lately, Subscribed, Subscriptions, Unseen, WhichSubscription
from bot.models.circleci import Ref
from bot.models.subscription import BREAKS, Event, Mode, Subscription
from formatters.again import command
from formatters.blocks import (
    MAX_PAYLOAD,
    MAX_SECTION,
    Block,
    Message,
    actions,
    assemble,
    button,
    code,
    context,
    day,
    fitting,
    literal,
    mention,
    section,
    size,
)
from formatters.buttons import short
from formatters.dialogs import asks, asks_of_build
from formatters.lookalikes import careful
from formatters.words import count

_STANDS = {
    Event.BROKE: "breaks",
    Event.FIXED: "is fixed",
    Event.STILL_RED: "stays red",
    Event.DEPLOYED: "is deployed",
    Event.FLAKY: "has a test that is found to be flaky",
}
_BUILDS = {
    Event.FAILED: "fails",
    Event.PASSED: "passes",
    Event.WAITING: "waits for an approval",
    Event.SLOW: "takes long",
}
# No tag stays red, or is fixed by another build.
_OF_TAGS = {Event.BROKE: Event.FAILED, Event.FIXED: Event.PASSED}
_OF_ENDS = frozenset({Event.BROKE, Event.FIXED, Event.STILL_RED, Event.FAILED, Event.PASSED})
# What a thread about a red branch begins with, and what else is said of one while it is red.
_BEGINS = frozenset({Event.BROKE, Event.STILL_RED, Event.FAILED})
_WHILE_RED = _BEGINS | {Event.FIXED}
_APART = "each time by a message of its own"
_THREAD = "in one thread for each time that it is red"
# Why nothing can be told, by Slack's word for it; any other reason is in words.
_PAUSED = {
    "is_archived": "this channel is archived",
    **dict.fromkeys(
        ("not_in_channel", "channel_not_found", "user_not_in_channel"),
        "I am not in this channel any more: type `/invite @ci`",
    ),
}
# What happened, before the number of a build.
_WHAT = {
    Event.BROKE: "broke",
    Event.FIXED: "fixed",
    Event.STILL_RED: "still red",
    Event.FAILED: "failed",
    Event.PASSED: "passed",
}
MOST_NAMED, MOST_FITTING, MOST_POSTED, MOST_HEARD = 6, 5, 4, 3
PAGE, LONGEST_PAGE = 10, MAX_PAYLOAD - 1500  # subscriptions; characters, of which the rest of a message needs some
_A_TAG = Ref(name="v1.0", kind="tag")
NONE = "Nothing is subscribed here. After `/ci subscribe acme/frontend` I say here when its default branch breaks."
_END = "Its line, or its button, ends one."


def changed(done: Subscribed) -> Message:
    """Say in a channel what it hears from now on, or hears no more; who asked is named without a ping."""
    one, by = done.subscription, literal(done.entry.user_name or done.entry.user_id, 80)
    what = {
        "began": f"From now on I say here {rule(one)}. {by} subscribed.",
        "changed": f"I still say here {rule(one)}. {by} changed that{_from(done)}.",
        "already": f"I say here already {rule(one)}. {_maker(one)} subscribed.",
        "ended": f"I do not say here any more {rule(one)}. {by} ended it.",
    }[done.act]
    ends = _anew(one) if done.act == "ended" else _ends(one)
    how = (_heard(done.heard), _fitting(done.fitting, is_all=done.is_all), _lately(done.lately, one.scope), ends)
    said = (_unbuilt(done.unbuilt), _unseen(done.unseen), careful(*one.branches, *one.workflows))
    notes = " ".join(filter(None, said))
    return assemble(what, *_paragraphs(what, *how), context(notes) if notes else None)


def _paragraphs(*said: str) -> list[Block]:
    """Return pieces of a text, each within the limit, in one paragraph, or in as many as they need."""
    made = [""]
    for piece in said:
        if len(made[-1]) + len(piece) > MAX_SECTION:
            made.append(piece.lstrip())
        else:
            made[-1] += piece
    return [section(one) for one in made]


def _heard(found: Sequence[Subscription]) -> str:
    """Return what of it is said here already, and by whom that was asked for: the first few, as far as they fit."""
    said = list(dict.fromkeys(f"{', or '.join(_cases(one))}{_narrower(one)} ({_maker(one)})" for one in found))
    if not said:
        return ""
    kept = max(fitting(said[:MOST_HEARD], MAX_SECTION - 200), 1)
    left = len(said) - kept
    more = [f"in {count(left, 'more case')}"] if left > 0 else []
    return f" Of that I say here already when {_or([*said[:kept], *more], ', and ')}."


def left_behind(one: Subscription) -> Message:
    """Say in a channel that it is told nothing for now, as who subscribed may not look at it, and what helps."""
    text = f"For now I do not say here {rule(one)}: {_maker(one)} subscribed, and may not look at it here any more."
    line = command(f"subscribe {one.line}")
    how = f" Whoever may lets it go on in their own name: {line}." if line else ""
    return assemble(f"⏸️ {text}", *_paragraphs(f"⏸️ {text}", how))


def subscribed(done: Subscribed) -> Message | None:
    """Answer who asked; None where the channel was told."""
    return None if done.told else changed(done)


def rule(one: Subscription) -> str:
    """Return a subscription as the end of a sentence: when what is said."""
    said = f"when {', or '.join(_cases(one))}{_narrower(one)}, {_mode(one)}"
    return f"{said}, and {_mentioned(one)} is mentioned when {_called(one)}" if one.mention and _called(one) else said


def _mode(one: Subscription) -> str:
    """Return where it is said: a thread is about a branch that is red, and one that begins none may stand in one."""
    is_of_tags = bool(one.of(tags=True))
    if is_of_tags and not one.of(tags=False):
        return _APART if one.mode is Mode.CHANNEL else "each build by a message of its own"
    if one.mode is Mode.CHANNEL:
        return f"{_APART} where nothing else here asks for a thread"
    if _BEGINS.isdisjoint(one.events):
        return f"{_APART}, or in the thread about it where it is red here"
    is_all = _WHILE_RED.issuperset(one.events) and not is_of_tags
    return _THREAD if is_all else f"{_THREAD}, or else by a message of its own"


def _called(one: Subscription) -> str:
    """Return when whom it mentions is called."""
    breaks = [] if BREAKS.isdisjoint(one.events) else ["it breaks"]
    return _or([*breaks, *(["something waits for an approval"] if Event.WAITING in one.events else [])])


def _cases(one: Subscription) -> list[str]:
    """Return of which branches what is said, and of which tags; what is said of both, once."""
    branches, tags = one.of(tags=False), one.of(tags=True)
    if not tags:
        return [f"{_branches(one, branches)} {_happens(one.events)}"]
    tag, of_tags = _some("tag", tags, _project(one)), _of_tags(one)
    if not branches:
        return [f"{tag} {_happens(of_tags)}"]
    branch, of_both = _branches(one, branches), [event for event in one.events if event not in _OF_ENDS]
    ends = [(branch, one.events), (tag, of_tags)]
    cases = [f"{what} {_happens(_OF_ENDS.intersection(events))}" for what, events in ends if _OF_ENDS & {*events}]
    both = "any of these" if len(cases) > 1 else f"{branch} or {tag}"
    return [*cases, *([f"{both} {_happens(of_both)}"] if of_both else [])]


def _of_tags(one: Subscription) -> list[Event]:
    """Return what of a tag is to be told."""
    found = [_OF_TAGS.get(event, event) for event in one.events_of(_A_TAG)]
    return [event for event in found if event is not Event.STILL_RED]


def _happens(events: Collection[Event]) -> str:
    builds = [what for event, what in _BUILDS.items() if event in events]
    stands = [what for event, what in _STANDS.items() if event in events]
    return _or([*stands, *([f"has a build that {_or(builds)}"] if builds else [])])


def _branches(one: Subscription, branches: Sequence[str]) -> str:
    project = _project(one)
    if branches:
        return _some("branch", branches, project)
    now = "" if one.pattern else f" ({code(one.default_branch, 60)} now)"
    return f"the default branch of {project}{now}"


def _project(one: Subscription) -> str:
    if not one.pattern:
        return literal(one.project_title)
    left_out = f" (but not {_named(one.left_out)})" if one.left_out else ""
    return f"any project {code(one.pattern, 120)}{left_out}"


def _some(kind: str, globs: Sequence[str], project: str) -> str:
    """Return the branches or the tags that are meant."""
    wanted = [name for name in globs if not name.startswith("!") and name != "*"]
    unwanted = [name[1:] for name in globs if name.startswith("!")]
    is_any = not wanted or "*" in globs
    named = f"any {kind}" if is_any else _named(wanted) if kind == "branch" else f"{kind} {_named(wanted)}"
    meant = f"{named} of {project}"
    return f"{meant} (but not {_named(unwanted)})" if unwanted else meant


def _narrower(one: Subscription) -> str:
    """Return which builds and which of their workflows count, where not all."""
    both = ", both" if len(_cases(one)) > 1 else ""
    by = f"{both} in builds by {code(one.by, 60)}" if one.by else ""
    if not one.workflows:
        return by
    wanted = [name for name in one.workflows if not name.startswith("!")]
    unwanted = [name[1:] for name in one.workflows if name.startswith("!")]
    its, counts = ("its workflow", "counts") if len(wanted) == 1 else ("its workflows", "count")
    only = [f"only {its} {_named(wanted)} {counts}"] if wanted else []
    return f"{by} ({', and '.join([*only, *([f'not its {_named(unwanted)}'] if unwanted else [])])})"


def _named(names: Sequence[str], last: str = " or ") -> str:
    """Return the first few of some branches, and how many more there are: the line that ends it has them all."""
    more = len(names) - MOST_NAMED
    return _or([*(code(name, 60) for name in names[:MOST_NAMED]), *([f"{more} more"] if more > 0 else [])], last)


def _or(words: Sequence[str], last: str = " or ") -> str:
    return last.join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _mentioned(one: Subscription) -> str:
    """Return who is mentioned, without a ping."""
    return literal(one.mention_name, 80) if one.mention_name else code(one.mention)


def _maker(one: Subscription) -> str:
    return literal(one.made_by_name, 80) or mention(one.made_by)


def _from(done: Subscribed) -> str:
    """Return what it was before: where, to whom and in whose name it was told, or that it could not be."""
    before, now = done.before, done.subscription
    if before is None:
        return ""
    was = [_mode(before)] if before.mode is not now.mode else []
    if before.mention != now.mention:
        was += [f"{_mentioned(before)} mentioned" if before.mention else "nobody mentioned"]
    if before.made_by != now.made_by:
        was += [f"in the name of {_maker(before)}, who may not look at it any more"]
    if before.paused:
        was += [f"paused, as {paused_because(before.paused)}"]
    return f": until now it was {', '.join(was)}" if was else ""


def paused_because(paused: str) -> str:
    """Return why one is paused, in words."""
    is_code = " " not in paused
    return _PAUSED.get(paused) or (f"Slack takes nothing here ({code(paused, 60)})" if is_code else literal(paused))


def _ends(one: Subscription) -> str:
    line = command(f"unsubscribe {one.line}")
    return f" {line} ends this." if line else ""


def _anew(one: Subscription) -> str:
    line = command(f"subscribe {one.line}")
    return f" {line} begins it anew." if line else ""


def _fitting(titles: Sequence[str], *, is_all: bool) -> str:
    if not titles:
        return ""
    few = [literal(one, 80) for one in titles[:MOST_FITTING]]
    more = len(titles) - len(few)
    named = _or([*few, *([f"{more} more"] if more > 0 else [])], " and ")
    fit = "It fits 1 project" if len(titles) == 1 else f"It fits {len(titles)} projects"
    later = "Those that come later are found within an hour."
    if not is_all:
        later = "CircleCI lists others by ids alone: some hours from now I know what all are called, and which fit."
    return f" {fit} now: {named}. {later}"


def _lately(found: Lately | None, scope: str) -> str:
    """Return what would have been told in the last week, so that everybody sees how much that is."""
    return "" if found is None else f"{_red(found.red, scope)}{_would_have(found)}"


def _red(names: Sequence[str], scope: str) -> str:
    """Return which branches are red already, by the builds that count: of that nothing is said before the next one."""
    seen_so = f" ({code(scope, 120)})" if scope else ""
    return f" {_named(names, ' and ')}{seen_so} {'is' if len(names) == 1 else 'are'} red now." if names else ""


def _would_have(found: Lately) -> str:
    when = f"Since {day(found.since)}" if found.since else "Last week"
    if not found.posted:
        return "" if found.is_least else f" {when} I would have said nothing."
    number, most = len(found.posted), MOST_POSTED
    least = "at least " if found.is_least else ""
    times = "once" if number == 1 else f"{number} times"
    newest = [f"{_WHAT[one.event]} #{one.number} {day(one.at)}" for one in found.posted[-most:]]
    last = f", the last {most} of them" if number > most else ""
    return f" {when} that would have been {least}{times}{last}: {', '.join(newest)}."


def _unbuilt(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"CircleCI has built nothing of {_named(names)} so far."


def _unseen(found: Unseen | None) -> str:
    if found is None:
        return ""
    near = f": did you mean {_named(found.near)}?" if found.near else "."
    return f"None of the newest builds there fits {_named(found.options)}{near}"


def pages(found: Sequence[Subscription]) -> list[tuple[Subscription, ...]]:
    """Return them in pages, each of which a message holds as a whole; none of none."""
    made, room = list[list[Subscription]](), 0
    for one in found:
        taken = size([_with_its_end(one)])
        room -= taken
        if not made or room < 0 or len(made[-1]) == PAGE:
            made.append([])
            room = LONGEST_PAGE - taken
        made[-1].append(one)
    return [tuple(page) for page in made]


def listed(found: Subscriptions) -> Message:
    """List what a channel hears, each with the line that ends it, and the line for the next page."""
    if not found.subscriptions:
        return assemble(NONE, section(NONE))
    text = f"{_are(found.total)} here."
    shown = [_with_its_end(one) for one in found.subscriptions]
    next_page = f"subscriptions {found.page + 1}" if found.page < found.pages else ""
    more = f" `/ci {next_page}` shows the next." if next_page else ""
    of = f"Page {found.page} of {found.pages}. " if found.pages > 1 else ""
    turn = actions(button(RunCommand(text=next_page), "Next")) if next_page else None
    return assemble(text, section(f"*{text}*"), *shown, context(f"{of}{_END}{more}"), turn)


def which(found: WhichSubscription) -> Message:
    """Ask which of several is meant, by the lines that end one each, and by buttons."""
    many, first = _are(len(found.subscriptions)), pages(found.subscriptions)[0]
    text = f"{many} to {literal(found.project_title)} here, and nothing has ended. Type the line of one, or press."
    if found.are_near:
        none = f"There is no such subscription to {literal(found.project_title)} here, and nothing has ended."
        text = f"{none} What I say of it here is said by {'this one' if len(first) == 1 else 'these'}:"
    more = len(found.subscriptions) - len(first)
    notes = [f"and {more} more: `/ci subscriptions` lists them all"] if more else []
    if found.are_near and any(one.pattern for one in first):
        notes += ["A project is left out of a pattern by `!` before its name, behind the pattern."]
    small = context(" · ".join(notes)) if notes else None
    return assemble(text, section(text), *map(_with_its_end, first), small)


def _are(number: int) -> str:
    many = count(number, "subscription")
    return f"There is {many}" if number == 1 else f"There are {many}"


def _with_its_end(one: Subscription) -> Block:
    """Return one with the button that ends it: it has no line where that would not stand there as it is typed."""
    names = (*one.branches, *one.workflows)
    whole, yes_or_no = f"This carries out: unsubscribe {one.line}", ("Unsubscribe", "Not now")
    sure = asks("Unsubscribe?", whole, *yes_or_no, *names)
    sure = sure or asks_of_build("Unsubscribe?", _what_ends(one), *yes_or_no, *names)
    return {**section(_line(one)), "accessory": button(EndSubscription(mark=one.mark), "Unsubscribe", confirm=sure)}


def _what_ends(one: Subscription) -> str:
    """Return what ends with one whose line has no room in a dialog, first what tells it from the one beside it."""
    scope = f" ({short(one.scope, 60)})" if one.scope else ""
    of, globs = short(one.pattern or one.project_title, 60), [*(f"!{name}" for name in one.left_out), *one.branches]
    which = f": {short(' '.join(globs), 60)}" if globs else ""
    return f"This ends what is said of {of} for {' '.join(one.events)}{scope}{which}"


def _line(one: Subscription) -> str:
    paused = f"\n⏸️ Paused: {paused_because(one.paused)}." if one.paused else ""
    line = command(f"unsubscribe {one.line}")
    said, ends = f"• I say {rule(one)} · by {_maker(one)}", f" · {line}" if line else ""
    whole = f"{said}{ends}{paused}"
    return whole if len(whole) <= MAX_SECTION else f"{said}{paused}"  # its button ends it
