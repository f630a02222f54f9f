"""What somebody can do here now: what there is news of, a few words filled with the project, and a button for each."""

from bot.actions import RunCommand
from bot.answers.lines import How
from bot.answers.ourselves import HelpHere, News, Row
from bot.models.build import State
from formatters.again import act_button, command
from formatters.blocks import Block, Message, actions, assemble, button, code, context, literal, moment, section
from formatters.buttons import short, that_fit
from formatters.mine import wait_line
from formatters.words import FINISHING, MARKS, branch_words, count, listed, ref_words

_DOES = {
    "deploy": "start a pipeline, and follow it",
    "status": "how the newest builds ended",
    "rerun": "run again what failed",
    "approve": "let a job go on that waits",
    "why-red": "which build broke it, and whose",
    "mine": "your own builds, and what waits for you",
    "use": "then nobody has to name the project here",
    "projects": "which there are, and how they stand",
}
_ACTS = ("deploy", "rerun")
_HOW_TO = {"deploy": "How to deploy", "status": "How to look", "use": "How to use a project"}
MOST_WAITING = 2
_LONGEST_NAME = 30  # in a label


def here(found: HelpHere) -> Message:
    """Return what can be done, the most urgent first."""
    waits = [wait_line(one) for one in found.waiting[:MOST_WAITING]]
    if (more := len(found.waiting) - len(waits)) > 0:
        waits.append(f"✋ And {count(more, 'more thing')} that {'waits' if more == 1 else 'wait'} for you.")
    news = [*waits, *(_news(row, found) for row in found.rows if row.news)]
    plain = [row for row in found.rows if not row.news]
    first_news = waits[0].replace("*", "") if waits else "".join(news[:1])  # a notification has no bold
    is_followed = found.how is How.IN_FULL or any(row.word != "mine" for row in plain)
    first = [button(RunCommand(text="mine"), "Show what waits for you", style="primary")] if waits else []
    rows = [row for row in found.rows if not (waits and row.word == "mine")]
    buttons = [*first, *(made for row in rows if (made := _button(row, found)))]
    text = f"Here you can say {_in_words([row.word for row in found.rows])}."
    return assemble(
        f"{first_news}. {text}" if news else text,
        section("\n".join(news)) if news else None,
        section("\n".join([f"{_known(found)}{':' if is_followed else '.'}", *map(_line, plain)])),
        actions(*that_fit(buttons), button(RunCommand(text="help all"), "More")),
        context("\n".join(filter(None, [_subscribed(found), _footer(found)]))),
    )


def _in_words(words: list[str]) -> str:
    words = list(dict.fromkeys(words))
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words) or "help"


def _known(found: HelpHere) -> str:
    """Say which project is meant, and why."""
    title, ref = literal(found.title), f" {code(str(found.ref))}" if found.ref else ""
    match found.how:
        case How.THREAD:
            return f"This thread is about {title}{ref}"
        case How.CHANNEL:
            return f"This channel uses {title}"
        case How.HEARD:
            return f"The subscriptions here are to {title}"
        case How.LAST:
            return f"{title}{ref} is what you did here last"
        case How.FOLLOWED:
            return f"{title}{ref} was followed here last"
        case _:
            return "I know of no project here yet. Name one, such as"


def _footer(found: HelpHere) -> str:
    is_seen = any(row.news and not row.news.red for row in found.rows)
    seen = "Builds are as they stood at my last look. " if is_seen else ""
    word = next((row.word for row in found.rows), "deploy")
    return f"{seen}`/ci help {word}` says more about one word."


def _subscribed(found: HelpHere) -> str:
    """Return how much the place hears of builds that nobody here asked for; where it hears nothing, how it would."""
    if found.subscriptions:
        number = count(found.subscriptions, "subscription")
        is_one = found.subscriptions == 1
        listed_by = f"`/ci subscriptions` lists {'it' if is_one else 'them'}."
        red = "" if found.is_red else " Nothing is red here, as far as I have told."
        return f"There {'is' if is_one else 'are'} {number} here: {listed_by}{red}"
    line = command(found.to_subscribe) if found.to_subscribe else ""
    return f"{line} lets this channel hear when its default branch breaks or is fixed." if line else ""


def _line(row: Row) -> str:
    typed, does = command(row.typed), _DOES.get(row.word, row.word)
    return f"{typed} · {does}" if typed else does[0].upper() + does[1:]


def _news(row: Row, found: HelpHere) -> str:
    """Return how a build stands, as a line."""
    news = row.news or News(state=State.UNKNOWN)
    if news.red:
        return _red(row, news, found)
    title = literal(row.title) if row.title != found.title else ""
    jobs = listed(news.jobs, 2) if news.jobs else ""
    waits = f"{jobs} {'waits' if len(news.jobs) == 1 else 'wait'} for an approval" if jobs else ""
    what = waits if news.state is State.ON_HOLD else jobs
    since = f"since {moment(news.since)}" if news.since and not news.is_over else ""
    ended = moment(news.since) if news.since and news.is_over else ""
    at_least = "at least " if news.may_be_more else ""
    others = f"and {at_least}{news.others} more here" if news.others else ""
    parts = [_mark(news), title, f"#{row.number}", ref_words(row.ref) if row.ref else "", what, since or ended, others]
    return " · ".join(filter(None, parts))


def _red(row: Row, news: News, found: HelpHere) -> str:
    """Return since when a branch is red, and what people do about it."""
    title = literal(row.title) if row.title != found.title else ""
    since = f"since #{row.number}{' or before' if news.or_before else ''}" if row.number else ""
    looks = f"{literal(news.looking, 60)} looks at it" if news.looking else ""
    snoozed = f"snoozed until {moment(news.snoozed_until)}" if news.snoozed_until else ""
    others = f"and {news.others} more here" if news.others else ""
    parts = [f"❌ {literal(branch_words(news.red), 80)} is red", title, since, looks, snoozed, others]
    return " · ".join(filter(None, parts))


def _mark(news: News) -> str:
    is_ending = news.state in (State.FAILED, State.COULD_NOT_RUN) and not news.is_over
    return FINISHING if is_ending else MARKS[news.state]


def _button(row: Row, found: HelpHere) -> Block | None:
    """Return what does it: an act behind a dialog that names all of it, a look at once."""
    if not row.line:
        return button(RunCommand(text=f"help {row.word}"), _HOW_TO.get(row.word, f"How to {row.word}"))
    label = _label(row, found)
    if row.word in _ACTS:
        return act_button(row.line, label, _about(row))
    look = RunCommand(text=row.line)
    style = "primary" if row.news and row.word == "approve" else None
    return button(look, label, style=style) if look.fits else None


def _about(row: Row) -> str:
    ref = f", {row.ref.kind} {row.ref.name}" if row.ref else ""
    return f"Project {row.title}{ref}{f', #{row.number}' if row.number else ''}"


def _label(row: Row, found: HelpHere) -> str:
    """Return what a press does, and to what: the project is named where it is another than the one above."""
    project = "" if row.title == found.title else short(row.title, _LONGEST_NAME)
    of_build = f"{project} #{row.number}".strip()
    branch = f"{project} {short(str(row.ref), _LONGEST_NAME) if row.ref else ''}".strip() or short(
        row.title, _LONGEST_NAME
    )
    match row.word:
        case "approve":
            what = of_build if row.number else project
            return f"Show what waits: {what}" if what else "Show what waits"
        case "status":
            return f"Status of {of_build if row.number else branch}"
        case "rerun":
            return f"Rerun failed of {of_build}" if row.number else f"Rerun {branch}"
        case "triage":
            return f"What failed in {of_build}"
        case "why-red":
            return f"Why red: {branch}"
        case "mine":
            return "My builds"
        case "projects":
            return "List projects"
        case _:
            return f"{row.word.capitalize()} {branch}"
