"""How what a channel subscribes to is typed: each word so that it is read as itself. Pure."""

import re
from collections.abc import Sequence

from bot.models import spelling
from bot.models.events import Event, Mode
from bot.models.likeness import is_slip
from bot.models.slugs import VCS

MENTION, BY, WORKFLOW = "mention", "by", "workflow"
OPTIONS = tuple(f"{name}=" for name in (MENTION, BY, WORKFLOW))
OURS = (*Event, *Mode)
TAG = "tag:"  # no branch has a colon
# What a branch that is typed without quotes does not begin with: it may be meant for somebody, or for a build.
NO_BRANCHES = (*spelling.MENTIONS, "@", "#")
_ID = re.compile(r"[SUW](?:0[A-Z0-9]{3,30}|[A-Z0-9]{8,30})")
# What stands in a sentence about branches: without quotes none of it is one, or a rule would wait for it for ever.
OF_SENTENCES = frozenset(
    (
        *("us", "me", "we", "to", "of", "on", "at", "in", "for", "from", "the", "and", "or", "about", "if", "when"),
        *("breaks", "fails", "passes", "is", "red", "green", "not", "no", "never", "except", "but", "without", "only"),
        *("all", "any", "every", "everything", "branch", "branches", "builds", "please", "tomorrow", "today", "until"),
        *("whenever", "tag", "tags", "project", "projects", "workflow", "workflows"),
    )
)


def branch(name: str, organization: str = "") -> str:
    """Return a branch, a tag or a glob as it is typed: in quotes where it would be read as anything else.

    What begins with the `organization` of its project would be read as another one.
    """
    text = name.lower()
    is_ours = text in OURS or is_of_sentences(name) or slip(text) is not None or name.startswith(NO_BRANCHES)
    if is_ours or names_project(name, organization):
        return spelling.quoted(name)
    return spelling.as_typed(name)


def names_project(word: str, organization: str) -> bool:
    """Say whether a word behind a project, or a pattern of such, looks like another one of that organisation."""
    host, _, behind = word.removeprefix("!").lower().partition("/")
    owner = behind.partition("/")[0] if host in VCS and "/" in behind else host
    return bool(behind and organization) and owner == organization.lower()


def options(mention: str, by: str, workflows: Sequence[str]) -> list[str]:
    """Return what stands behind the events."""
    said = [_option(BY, by)] if by else []
    said += [_option(WORKFLOW, one) for one in workflows]
    return [*said, *([f"{MENTION}={_mentioned(mention)}"] if mention else [])]


def is_of_sentences(word: str) -> bool:
    """Say whether a word stands in a sentence, and in no rule."""
    return word.lower() in OF_SENTENCES or is_list(word)


def is_list(text: str) -> bool:
    """Say whether something is rather several names with commas between them than one that has such."""
    return "," in text


def slip(word: str) -> str | None:
    """Return the word of ours in which another may be a slip."""
    return next((one for one in OURS if is_slip(word.lower(), one)), None)


def is_id(text: str) -> bool:
    """Say whether it is Slack's id of a group or a person, and surely no name in capitals."""
    return bool(_ID.fullmatch(text)) and any(map(str.isdecimal, text))


def _option(name: str, value: str) -> str:
    return f"{name}={spelling.quoted(value)}" if is_list(value) else spelling.parameter(name, value)


def _mentioned(person_or_group: str) -> str:
    """Return whom to mention as it is typed, and by Slack's own sign for them where the id may be a name."""
    if is_id(person_or_group):
        return person_or_group
    return f"<!subteam^{person_or_group}>" if person_or_group.startswith("S") else f"<@{person_or_group}>"
