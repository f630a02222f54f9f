"""What an act waits for, in words: its target typed, a definition chosen, a red branch gone over; and its forms."""

from collections.abc import Sequence
from typing import Any

from bot.actions import ChooseDefinition, DeclineDeploy, DeployAnyway, DeployBeside, TypeTarget
from bot.answers.questions import BranchIsRed, Question, StillRuns, ToBeTyped, WhichDefinition
from bot.models.attempt import Attempt
from bot.models.beside import Beside
from bot.models.build import State
from bot.models.circleci import Definition, told_apart
from bot.models.pending import Approval, Deployment, Pending
from formatters.agreement import LONGEST, LONGEST_REASON, done, given, settings, wanted, whole, wished
from formatters.blocks import (
    MAX_LABEL,
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    link_button,
    literal,
    mention,
    moment,
    section,
)
from formatters.dialogs import asks
from formatters.forms import field, form
from formatters.links import Links
from formatters.lookalikes import careful
from formatters.parameters import parameter
from formatters.words import count, listed

MOST_CHOICES, IN_A_ROW, MOST_NAMED = 30, 15, 8
MOST_SHOWN = 5  # parameters of somebody else's deploy
MOST_BESIDE = 3  # deploys of others that are named


def question(asked: Question) -> Message:
    """Return what an act waits for, in words to who can answer."""
    match asked:
        case WhichDefinition():
            return which_definition(asked.pending, asked.definitions)
        case BranchIsRed():
            return red(asked)
        case ToBeTyped():
            return to_be_typed(asked.pending)
        case StillRuns():
            return _said(f"{_runs(asked)} To run another one beside it, ask for that again.")
    who = "Somebody else" if asked.pending.takes_two else "A person"
    return _said(f"{who} must agree to {literal(asked.pending.target)}: the request stands in the channel.")


def which_definition(pending: Pending, definitions: Sequence[Definition]) -> Message:
    """Ask which pipeline definition to run."""
    title = pending.wish.project_title
    ref = code(str(pending.wish.ref), LONGEST)
    text = f"{literal(title)} has {count(len(definitions), 'pipeline definition')}. Which one should I run with {ref}?"
    text = _with_care(text, pending, *(one.name for one in definitions))
    names = told_apart(definitions)
    buttons = [
        button(ChooseDefinition(invocation_id=pending.id, definition_id=one.id), _label(names[one.id], pending))
        for one in definitions[:MOST_CHOICES]
    ]
    rows = [actions(*buttons[start : start + IN_A_ROW]) for start in range(0, len(buttons), IN_A_ROW)]
    left_out = [one.name if names[one.id] == one.name else one.id for one in definitions[MOST_CHOICES:]]
    more = context(_to_be_typed(left_out)) if left_out else None
    return _asked(text, pending, section(text), *rows, more)


def _to_be_typed(names: Sequence[str]) -> str:
    """Say how a pipeline definition is chosen for which there is no button: that is typed behind the ref."""
    behind = "the same line with `definition:` and its name behind the branch or tag"
    return f"and {len(names)} more, which have no room here: {_in_a_line(names)}. To run one, type {behind}."


def _in_a_line(names: Sequence[str]) -> str:
    """Return foreign names in code spans, as many as leave the buttons their room."""
    shown = [code(name, 40) for name in names[:MOST_NAMED]]
    return " · ".join(shown) + " …" * (len(names) > MOST_NAMED)


def _label(name: str, pending: Pending) -> str:
    """Return which definition is run, and with which ref where there is room for it."""
    both = f"{name} on {pending.wish.ref}" if isinstance(pending.wish, Deployment) else name
    return both if len(both) <= MAX_LABEL else name


def red(asked: BranchIsRed) -> Message:
    """Say that the branch is red, and which jobs failed; or that no build of it says whether it is green.

    It is offered to who may say so; others read who that is.
    """
    pending = asked.pending
    who = f" ({listed(list(asked.could), 8)}) asks for the same and" if asked.could else ""
    text = (
        f"{'It is another commit by now than the one you were asked about. ' if asked.anew else ''}"
        f"{_why_not_green(asked)} "
        f"The policy lets nothing be deployed over that, unless somebody who may approve{who} says so."
    )
    text = _with_care(text, pending)
    sure = asks(
        "Deploy it all the same?",
        f"This deploys {pending.target}. {_why_not_green(asked, plainly=True)}",
        "Deploy it",
        "Not now",
        pending.target,
    )
    anyway = button(DeployAnyway(attempt_id=pending.id), "Deploy all the same", style="danger", confirm=sure)
    return _asked(text, pending, section(f"❌ {text}"), actions(anyway) if asked.may else None)


def still_runs(asked: StillRuns, links: Links) -> Message:
    """Say what was asked for of the same, how it stood at the last look, and with what; and ask."""
    pending, many = asked.pending, len(asked.others) > 1
    beside = "them, if they have" if many else "it, if it has"
    is_own = {one.asked.asker_id for one in asked.others} == {_told(pending)}
    what = "Another one" if is_own else "Yours"
    text = _with_care(f"{_runs(asked)} {what} would run beside {beside} not ended by now.", pending)
    deploys = button(DeployBeside(attempt_id=pending.id), "Deploy it all the same", style="danger")
    numbered = [one.asked for one in asked.others[:MOST_BESIDE] if one.asked.pipeline_number]
    urls = [(one, links.pipeline(one.project_slug, one.pipeline_number or 0)) for one in numbered]
    opens = [link_button(url, f"Open #{one.pipeline_number}") for one, url in urls if url]
    return _asked(text, pending, section(f"🔵 {text}"), actions(deploys, *opens))


def _told(pending: Pending) -> str:
    """Return who is told this, where they alone are: once somebody has agreed, others read it too."""
    return pending.asker.person_id if pending.agreed is None else ""


def _runs(asked: StillRuns) -> str:
    """Return a sentence for each that may still run: when it was asked for, and how it stood at the last look."""
    target, you = literal(asked.pending.target, LONGEST), _told(asked.pending)
    lines = [f"{_asked_for(one, target, you)}, {_stood(one)}." for one in asked.others[:MOST_BESIDE]]
    if (more := len(asked.others) - MOST_BESIDE) > 0:
        lines.append(f"There {'is' if more == 1 else 'are'} {more} more.")
    return " ".join(lines)


def _asked_for(one: Beside, target: str, you: str) -> str:
    """Return who asked for what, and when; CircleCI may not have answered yet."""
    last, deployed, who = one.asked, one.deployed, _who(one.asked, you)
    if last.reran and deployed:
        by = "you" if who == _YOU else who
        return f"{_asked_for(Beside(asked=deployed), target, you)}, rerun by {by} ({moment(last.asked_at)})"
    if last.reran:
        return f"{who} reran {target} #{last.pipeline_number} ({moment(last.asked_at)})"
    given_to_it = _given(last)
    if not last.pipeline_number:
        return f"{who} asked for a deploy of {target}{given_to_it} ({moment(last.asked_at)})"
    return f"{who} deployed {target}{given_to_it} as #{last.pipeline_number} (asked for: {moment(last.asked_at)})"


def _stood(one: Beside) -> str:
    """Return how it stood at the last look; that may be a while ago."""
    match one.state:
        case None if not one.asked.pipeline_number:
            return "which CircleCI has not answered yet"
        case None if one.asked.reran:
            return "at which I have not looked since"
        case State.ON_HOLD if one.held_since is not None:
            return f"which at my last look waited for an approval since {moment(one.held_since)}"
        case None | State.WAITING:
            return "which has not begun as far as I know"
        case State.UNKNOWN:
            return "which had not ended at my last look"
    return "which was running at my last look"


_YOU = "You"


def _who(asked: Attempt, you: str) -> str:
    if you and asked.asker_id == you:
        return _YOU
    return f"@{clean(asked.asker_name, 80)}" if asked.asker_name else mention(asked.asker_id)


def _given(asked: Attempt) -> str:
    """Return the first parameters of a deploy, in words behind what it is of."""
    shown = [parameter(*one, 80) for one in list(asked.parameters.items())[:MOST_SHOWN]]
    return f" with {', '.join(shown)}" if shown else ""


def _asked(text: str, pending: Pending, first: Block, *answers: Block | None) -> Message:
    """Return a question with all that its answer starts; where that has no room nobody can answer it unread."""
    until = _until(pending)
    blocks = [one for one in (first, *settings(pending), *answers, until) if one]
    return whole(text, blocks) or assemble(f"{text} {_TOO_MUCH}", first, section(_TOO_MUCH), until)


_TOO_MUCH = (
    "What it would be given is too much for one message, so nothing can be pressed here: deploy it with fewer or "
    "shorter parameters, or on CircleCI's own page."
)


def _why_not_green(asked: BranchIsRed, *, plainly: bool = False) -> str:
    """Return what keeps it from being deployed; `plainly` for a dialog, which has named it."""
    target, build = "it" if plainly else literal(asked.pending.target, LONGEST), asked.build
    if asked.is_hidden:
        return "It is not green." if plainly else f"{target} is not green."
    if build is None:
        return f"No build of {target} has lately passed or failed, so nothing says that it is green."
    jobs = [job.name for run in build.real_runs for job in run.failed_jobs]
    names = f": {listed(jobs, 5)}" if jobs and not plainly else ""
    sha = build.pipeline.revision[:7]
    at = f" at {sha if plainly else code(sha)}" if sha else ""
    return f"The newest build of {target} that passed or failed, #{build.pipeline.number}{at}, is red{names}."


def to_be_typed(pending: Pending) -> Message:
    """Ask for the target to be typed."""
    text = f"To {wanted(pending)} {literal(pending.target, LONGEST)}, type its {_typed_kind(pending)} once more."
    text = _with_care(text, pending, *([wish.job_name] if isinstance(wish := pending.wish, Approval) else []))
    types = button(TypeTarget(attempt_id=pending.id, word=pending.wish.kind), "Type it", style="primary")
    return _asked(text, pending, section(f"⌨️ {text}"), actions(types))


def _with_care(text: str, pending: Pending, *names: str) -> str:
    return f"{text} {careful(pending.target, *given(pending), *names)}".rstrip()


def _until(pending: Pending) -> Block | None:
    """Say how long it can be answered; an earlier version's questions do not know."""
    return context(f"Open until {moment(pending.expires_at)}.") if pending.expires_at else None


def to_type(pending: Pending) -> str:
    """Return what is to be typed: the branch or tag; of a build without one its number."""
    wish = pending.wish
    if wish.ref is not None:
        return wish.ref.name
    return f"#{wish.pipeline_number}" if not isinstance(wish, Deployment) else ""


def _typed_kind(pending: Pending) -> str:
    return "branch or tag" if pending.wish.ref is not None else "number"


def type_form(action: TypeTarget, value: str, action_id: str, pending: Pending) -> dict[str, Any]:
    """Return the window to type the target into; its button says what is done then. What is typed is not shown."""
    act, kind, wish = action.word.capitalize(), _typed_kind(pending), pending.wish
    number = f" #{wish.pipeline_number}" if wish.ref is not None and not isinstance(wish, Deployment) else ""
    what = f"{wanted(pending)} {'' if wish.ref is not None else 'a build of '}{literal(wish.project_title)}{number}"
    how = "exactly as it is spelled" if wish.ref is not None else "with the #"
    intro = f"To {what}, type its {kind}, {how}."
    return form(act, intro, [field("typed", kind.capitalize())], value=value, action_id=action_id, submit=act)


def decline_form(
    action: DeclineDeploy,  # noqa: ARG001  # as all forms
    value: str,
    action_id: str,
    pending: Pending | None,
) -> dict[str, Any]:
    """Return the window that asks for the reason; it names what is declined, where that is known."""
    nothing = f"Nothing is {done(pending)} if you decline." if pending else "Nothing is started then."
    intro = f"*{wished(pending)}.* {nothing}" if pending else nothing
    hint = "Who asked reads it in the thread."
    fields = [field("reason", "Why not?", hint=hint, multiline=True, most=LONGEST_REASON)]
    return form("Decline", intro, fields, value=value, action_id=action_id, submit="Decline")


def typed_right() -> Message:
    """Say that it goes on."""
    return _said("It goes on; the channel has the news.")


def taken_back_by_you() -> Message:
    """Say that it ends there, to who asked for it."""
    return _said("Taken back. Nothing is started.")


def declined_by_you() -> Message:
    """Say that it ends there."""
    return _said("Declined. Who asked has been told why.")


def _said(text: str) -> Message:
    return assemble(text, section(text))
