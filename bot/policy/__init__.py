"""Who may do what, as data: a file of roles and rules, and the decision they make. Pure."""

from bot.policy.deciding import (
    alone_rules,
    decide,
    demanding,
    groups_of,
    minds_refs,
    named_in_rules,
    names_channel,
    names_projects,
    pull_request_rules,
    who_could,
    who_could_elsewhere,
    written_out,
)
from bot.policy.file import BadPolicy, parse
from bot.policy.rules import ADMINS, AGENTS, BUILT_IN, DEFAULT, EVERYONE, KEEPERS, Policy, Role, Rule, an_id
from bot.policy.warnings import warnings
from bot.policy.wishes import Asked, Decision, Elsewhere, Kind, Person
from bot.policy.words import ALL_WORDS, CARRIED_BY, Word

__all__ = [
    "ADMINS",
    "AGENTS",
    "ALL_WORDS",
    "BUILT_IN",
    "CARRIED_BY",
    "DEFAULT",
    "EVERYONE",
    "KEEPERS",
    "Asked",
    "BadPolicy",
    "Decision",
    "Elsewhere",
    "Kind",
    "Person",
    "Policy",
    "Role",
    "Rule",
    "Word",
    "alone_rules",
    "an_id",
    "decide",
    "demanding",
    "groups_of",
    "minds_refs",
    "named_in_rules",
    "names_channel",
    "names_projects",
    "parse",
    "pull_request_rules",
    "warnings",
    "who_could",
    "who_could_elsewhere",
    "written_out",
]
