"""Lines that do not name their project in full: what was taken for it, or a button for each that may be meant."""

from bot.actions import RunCommand
from bot.answers.lines import How, LineMeant, LinesMeant
from bot.masks import masked
from formatters.again import act_button, command, verb_of
from formatters.blocks import MAX_BLOCKS, Block, Message, actions, assemble, button, code, context, literal, section
from formatters.buttons import short, that_fit
from formatters.lookalikes import careful

MOST = 5
_OF_ALL = ("lock", "unlock")
_TAKEN = {
    How.SHORT: "{} is the one project that I know by this name.",
    How.THREAD: "This thread is about {}.",
    How.CHANNEL: "This channel uses {}.",
    How.HEARD: "The subscriptions here are to {}.",
    How.FOLLOWED: "This channel follows a build of {} with this number.",
}
_BY_LINE = ("subscribe", "unsubscribe", "snooze")


def lines(found: LinesMeant) -> Message:
    """Ask which line is meant, or whether the one is; an act has a dialog that names all of it."""
    shown = found.lines[:MOST]
    if len(shown) == 1:
        text = f"{_asked(shown[0])} {'Nothing is done yet. ' if found.acts else ''}{taken(shown[0], found.typed)}"
    else:
        what = (
            "branches"
            if all(one.how is How.RED for one in found.lines)
            else "projects"
            if len({one.title for one in found.lines}) > 1
            else "builds"
        )
        by = f" by {code(masked(found.typed), 80)}" if found.typed else ""
        text = f"{len(found.lines)} {what} may be meant{by}{'. Nothing is done yet' if found.acts else ''}: which one?"
    made = [offer for one in shown if (offer := _button(one, found, several=len(shown) > 1))]
    typed = [] if len(made) == len(shown) else [typed for one in shown if one.line and (typed := command(one.line))]
    careful_with = careful(*(str(one.ref) for one in shown if one.ref))
    whole = "\n".join([f"{text} {careful_with}".rstrip(), *typed])
    return assemble(text, section(whole), actions(*that_fit(made)) if made else None)


def _asked(one: LineMeant) -> str:
    ref, more = [code(str(one.ref))] if one.ref else [], [code(word, 100) for word in one.more[:MOST]]
    more = more if " " not in verb_of(one.line) else []  # the verb says it
    return f"{' '.join([verb_of(one.line), literal(one.title), *ref, *_number(one), *more])}?"


def _number(one: LineMeant) -> list[str]:
    return [f"#{one.number}"] if one.number else [f"job {one.job}"] if one.job else []


def _button(one: LineMeant, found: LinesMeant, *, several: bool) -> Block | None:
    about = short(str(one.ref), 40) if one.ref and not one.number else " ".join(_number(one))
    project = one.title if several or not about or one.how is How.LIKE else ""
    label = " ".join(filter(None, [verb_of(one.line), project, about]))
    if found.acts:
        whole = "" if _number(one) else of_whole(one.line.partition(" ")[0], is_more=bool(one.more))
        ref = f", {one.ref.kind} {one.ref.name}" if one.ref else f", {whole}" if whole else ""
        names = f"Project {one.title}{ref}{f', {number}' if (number := ' '.join(_number(one))) else ''}"
        return act_button(one.line, label, names)
    look = RunCommand(text=one.line)
    return button(look, label) if one.line and look.fits else None


def of_whole(verb: str, *, is_more: bool) -> str:
    """Return what is locked where no branch is named for sure; what stands behind the project may name one.

    What a channel hears is said by the line alone, which stands beside it.
    """
    if verb in _BY_LINE:
        return "as the line says"
    if verb not in _OF_ALL:
        return ""
    return "all of it, or the branch that the line names" if is_more else "all of it"


def taken(one: LineMeant, typed: str = "") -> str:
    """Say why a project was taken that was not named in full."""
    title = literal(one.title)
    match one.how:
        case How.RED:
            return f"{code(str(one.ref), 80)} of {title} is red here."
        case How.LIKE:
            return f"I know no project called {code(masked(typed), 80)}; {title} is spelled almost so."
        case How.PART:
            return f"This is about all workflows. The thread is about {code(one.more[0], 200)} alone."
        case How.LAST:
            return "It is what you did here last."
        case _:
            return _TAKEN.get(one.how, "I read it as {}.").format(title)


def noted(message: Message, note: LineMeant) -> Message:
    """Return an answer with what was taken for its project above it."""
    if len(message.blocks) >= MAX_BLOCKS:
        return message
    return Message(text=message.text, blocks=(context(taken(note)), *message.blocks))
