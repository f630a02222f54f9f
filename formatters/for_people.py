"""Why an agent cannot have what it asked for, and how a person asks for the same."""

from collections.abc import Callable

from bot.errors import ForAPerson
from formatters.again import command
from formatters.blocks import code, literal
from formatters.words import listed

MOST_NAMED = 8


def words(problem: ForAPerson) -> str:
    """Return what stands in the way, in words for the agent and for who pressed for it."""
    line = command(problem.line) if problem.line else ""
    how = f" A person can: {line} in Slack." if line else " A person can, in Slack."
    return f"{_WHY[problem.demand](problem)} Nothing was started.{how}"


def _named(problem: ForAPerson) -> str:
    return listed([code(name, 80) for name in problem.among], MOST_NAMED)


_WHY: dict[str, Callable[[ForAPerson], str]] = {
    "alone": lambda one: (
        f"Another deploy of {literal(one.what)} still runs, and no agent can say that a second one may run beside it."
    ),
    "green": lambda one: (
        f"{literal(one.what)} is not green, as a rule demands: the newest build that decides is red, or none does. No "
        "agent can go on over that."
    ),
    "typed": lambda one: (
        f"A rule demands that a person types the name before {literal(one.what)} goes on. An agent cannot do that, and "
        "nobody's press can stand for it."
    ),
    "definition": lambda one: (
        f"The project of {literal(one.what)} has several pipeline definitions, and I choose none for an agent: "
        f"{_named(one)}. It can ask again with the name of one."
    ),
    "unbuilt": lambda one: (
        f"CircleCI has built nothing of {literal(one.what)} so far, but of branches that are spelled almost so: "
        f"{_named(one)}. An agent cannot say that it means this one."
    ),
    "ssh": lambda one: f"To {literal(one.what, 200)} opens its jobs to people, and no agent can ask for that.",
    "act": lambda one: f"No agent can ask for this: {literal(one.what, 200)}.",
}
IN_SHORT = {
    "alone": "Another deploy of it still runs, and only a person can say that this one may run beside it.",
    "green": "Its branch is not green, as a rule demands, and only a person can go on over that.",
    "typed": "A rule demands that a person types its name first.",
    "definition": "The project has several pipeline definitions: name one as `definition`.",
    "unbuilt": "CircleCI never built such a branch, but some that are spelled almost so.",
    "ssh": "No agent can ask for a rerun with SSH.",
    "act": "No agent can ask for this.",
}
DEMANDS = frozenset(_WHY)
