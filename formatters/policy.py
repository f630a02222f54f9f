"""Who may do what, in words: the rule that decides, what it demands, and who could."""

from bot.answers.people import PolicyDecision
from formatters.blocks import Message, assemble, context, literal, section
from formatters.errors import DOING
from formatters.words import listed

_DEMANDS = {
    "second_person": "somebody else who may do it must agree first",
    "typed": "the branch must be typed once more",
    "green": "the newest build of the branch must not be red",
}


def why(decision: PolicyDecision) -> Message:
    """Return what the policy says to the one who asks, and why."""
    what = DOING[decision.word] + (f" ({literal(decision.about)})" if decision.about else "")
    rule = f"“{literal(decision.rule, 300)}”"
    if decision.allowed:
        demands = [words for name, words in _DEMANDS.items() if getattr(decision, name)]
        text = f"You may {what} here: {rule}." + (f" But {'; '.join(demands)}." if demands else "")
    else:
        text = f"You may not {what} here: {literal(decision.rule, 300)}."
    could = f"Who could: {listed(decision.could, 8)}." if decision.could else "Nobody could."
    return assemble(text, section(text), context(could))
