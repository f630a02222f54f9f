"""Who may do what, in words: the rule that decides, what it demands, and who could."""

from collections.abc import Sequence

from bot.answers.people import PolicyDecision
from bot.models.lock import Lock
from bot.policy import KEEPERS, Policy, alone_rules, pull_request_rules, warnings
from formatters.blocks import Message, assemble, context, literal, mention, moment, section
from formatters.errors import DOING
from formatters.lookalikes import careful
from formatters.words import count, listed

_DEMANDS = {
    "second_person": "after somebody else who may do it agrees",
    "typed": "after the branch is typed once more",
    "green": "where the newest build of the branch is not red",
}


def why(decision: PolicyDecision) -> Message:
    """Return what the policy says to the one who asks, and why."""
    doing = "lock and unlock" if decision.to_lock else DOING[decision.word]
    what = doing + (f" ({literal(decision.about)})" if decision.about else "")
    rule = f"“{literal(decision.rule, 300)}”"
    if decision.allowed:
        demands = [words for name, words in _DEMANDS.items() if getattr(decision, name)]
        where = "" if decision.about else "on some branches "
        only = f", {where}only {' and '.join(demands)}" if demands else ""
        text = f"You may {what} here{only}: {rule}."
    else:
        text = f"You may not {what} here: {literal(decision.rule, 300)}."
    notes = [section(_lock(one)) for one in decision.locks]
    if decision.unbuilt:
        notes.append(section("CircleCI has built no branch of this name: check the spelling."))
    if careful_with := careful(*decision.about.rsplit(" ", 1)):
        notes.append(section(f"⚠️ {careful_with}"))
    return assemble(text, section(text), *notes, context(_who_could(decision)))


def who_may(decision: PolicyDecision) -> str:
    """Return the same in a line, below what a command does."""
    demands = [words for name, words in _DEMANDS.items() if getattr(decision, name)]
    only = f", on some branches only {' and '.join(demands)}" if demands else ""
    you = f"You may{only}." if decision.allowed else f"You may not: {literal(decision.rule, 300).rstrip('.')}."
    is_said = not decision.allowed and any(one in decision.rule for one in decision.could)
    return you if is_said else f"{you} {_who_could(decision)}"


def _who_could(decision: PolicyDecision) -> str:
    here = [listed(decision.could, 8)] if decision.could else []
    there = [f"{listed(one.roles, 8)}, from {_channels(one.channels)}" for one in decision.elsewhere[:5]]
    return f"Who could: {'; '.join([*here, *there])}." if here or there else "Nobody could."


def _channels(ids: Sequence[str]) -> str:
    return " or ".join(f"<#{one}>" for one in ids[:5]) + (f" or {len(ids) - 5} more" if len(ids) > 5 else "")


def _lock(lock: Lock) -> str:
    reason = f": {literal(lock.reason, 300).rstrip('.')}" if lock.reason else ""
    until = f", until {moment(lock.until)}" if lock.until else ""
    return f"🔒 But {mention(lock.holder_id)} locked {literal(lock.target)} ({moment(lock.since)}{until}){reason}."


def contents(policy: Policy) -> str:
    """Return what a policy file has of its own."""
    own = len(policy.rules) - 1 if KEEPERS in policy.rules else 0
    return f"{count(len(policy.roles), 'role')}, {count(own, 'rule') if own else 'no rules, so the default ones hold'}"


def checked(policy: Policy) -> str:
    """Return how a policy file that can be read stands, for a terminal, behind its name."""
    naming = pull_request_rules(policy)
    deployed = f"Pull requests are deployed by: {', '.join(naming)}." if naming else _NO_PULL_REQUESTS
    alone = alone_rules(policy)
    unpressed = [f"Agents act without a press by: {', '.join(alone)}."] if alone else []
    warned = warnings(policy)
    well = "can be read, but look below" if warned else "is well"
    return "\n".join(
        [f"{well}: {contents(policy)}.", deployed, *unpressed, *(f"Look: {warning}" for warning in warned)]
    )


_NO_PULL_REQUESTS = "Nobody deploys a pull request: no rule that allows it names pull_requests."
