"""Deploys that wait for their turn at CircleCI, to who asked for them: as long as they wait, they can be taken back."""

from collections.abc import Iterable, Iterator, Sequence

from bot.actions import TakeBack
from bot.answers.acts import NotSentYet
from bot.models.attempt import Attempt
from formatters.blocks import Block, Message, actions, assemble, button, context, literal, section
from formatters.buttons import that_fit
from formatters.dialogs import asks

MOST_SHOWN = 5


def not_sent_yet(answer: NotSentYet) -> Message:
    """Offer to take back what is no build yet."""
    number, shown = len(answer.deploys), answer.deploys[:MOST_SHOWN]
    whose = f"{number} deploys of yours wait" if number > 1 else "A deploy of yours waits"
    text = f"{whose} for a turn at CircleCI: nothing was sent yet, and without a press here it will be."
    lines = [*map(line, shown), *_more(number - len(shown))]
    rest = "I have not looked at builds that run: `/ci cancel &lt;project&gt; #&lt;number&gt;` cancels one."
    return assemble(text, section("\n".join([text, *lines])), context(rest), actions(*buttons(shown)))


def _more(number: int) -> list[str]:
    return [f"And {number} more: ask again when these are done."] if number else []


def line(one: Attempt) -> str:
    """Return what waits."""
    return f"⏳ *Waits for its turn at CircleCI* · your deploy of {literal(one.target, 200)}"


def buttons(deploys: Sequence[Attempt]) -> Iterable[Block]:
    """Return what takes each of them back; of several each says which."""
    return that_fit(_buttons(deploys))


def _buttons(deploys: Sequence[Attempt]) -> Iterator[Block]:
    for one in deploys:
        label = "Do not deploy it" if len(deploys) == 1 else f"Do not deploy {one.ref}"
        text = f"Your deploy of {one.target} waits for its turn at CircleCI. It is not sent then."
        if sure := asks("Take it back?", text, "Do not deploy", "Let it wait", one.target):
            yield button(TakeBack(attempt_id=one.id), label, confirm=sure)


def beside_a_lock(deploys: Sequence[Attempt]) -> str:
    """Say that a lock of one's own does not stop a deploy of one's own; empty text where there is none."""
    if not deploys:
        return ""
    what = f"{len(deploys)} deploys of your own wait" if len(deploys) > 1 else "Your own deploy waits"
    goes = "go" if len(deploys) > 1 else "goes"
    return f"{what} for a turn at CircleCI and {goes} out all the same: `/ci mine` has a button against that."
