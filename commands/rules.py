"""What a channel wants to hear, read word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic import Field

from bot.errors import UsageError
from bot.grammar import Word, check_no_question, parse_parameters, parse_project, without_stop
from bot.models import patterns, spelling
from bot.models.circleci import ProjectSlug, Ref
from bot.models.globs import fits_nothing
from bot.models.rule_line import (
    BY,
    MENTION,
    NO_BRANCHES,
    OPTIONS,
    OURS,
    TAG,
    WORKFLOW,
    is_id,
    is_list,
    is_of_sentences,
    names_project,
    slip,
)
from bot.models.slugs import short
from bot.models.spelling import CLOSING
from bot.models.subscription import USUAL, USUAL_OF_TAGS, Event, Mode, Wish
from bot.policy import globs
from bot.requests import Request, Typed
from bot.settings import Projects

MOST_BRANCHES, MOST_WORKFLOWS, MOST_LEFT_OUT = 20, 5, 10
LONGEST_RULE = 700  # characters: a rule is one line of a list
ME = "me"
_ALL = {
    **dict.fromkeys(("all", "every", "everything", "branches"), "All branches are `*`."),
    **dict.fromkeys(("tag", "tags"), "All tags are `tag:*`."),
}
_MENTIONED = re.compile(
    r"<!subteam\^(S[A-Z0-9]{1,30})(?:\|([^<>]{0,200}))?>|<@([UW][A-Z0-9]{1,30})(?:\|([^<>]{0,200}))?>"
)
_SOMEBODY = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>")
_ONE_BY_ONE = "I read names one by one, with a blank between them"
_A_NAME_ALONE = (
    "This is a name alone, and I cannot tell who that is. Write the same to me as @ci, and choose them in the list "
    "that Slack shows behind the @"
)
_CROWDS = ("here", "channel", "everyone")
_OF_PROJECTS = re.compile(r"[A-Za-z0-9._*-]+(?:/[A-Za-z0-9._*-]+){1,2}")


class OfBranches(Request):
    """Which branches of a project, by globs, `!` before what is left out; and what of them. None of it is the usual.

    The `project` may be a pattern of projects, of which some are `left_out`. `by` is a name at the code host, somebody
    as Slack mentions them, or who asks (`me`).
    """

    project: Typed
    branches: tuple[Typed, ...] = Field((), max_length=MOST_BRANCHES)
    events: tuple[Event, ...] = ()
    mode: Mode = Mode.THREAD
    by: Typed = ""
    workflows: tuple[Typed, ...] = Field((), max_length=MOST_WORKFLOWS)
    left_out: tuple[Typed, ...] = Field((), max_length=MOST_LEFT_OUT)
    mention: Typed = ""
    mention_name: Typed = ""

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, and the branch or tag where one alone is named in full; of a pattern nothing."""
        if patterns.is_pattern(self.project):
            return None, None
        is_one = len(self.branches) == 1 and globs.is_plain(self.branches[0]) and self.branches[0][0] != "!"
        return parse_project(self.project, projects).slug, ref_of(self.branches[0]) if is_one else None

    def shown(self, projects: Projects) -> tuple[str, Ref | None]:
        """Return the same of what may be a pattern, and of what nobody is asked about."""
        slug, ref = OfBranches.about(self, projects)
        return slug.partition("/")[2] if slug else self.project, ref

    @property
    def wish(self) -> Wish:
        """What is to be told."""
        is_of_tags = bool(self.branches) and all(one.removeprefix("!").startswith(TAG) for one in self.branches)
        events = self.events or (USUAL_OF_TAGS if is_of_tags else USUAL)
        return Wish.model_validate({**self.model_dump(exclude={"project", "events"}), "events": events})

    @property
    def person(self) -> str:
        """Slack's id of whose builds are meant, where they are named so."""
        found = _SOMEBODY.fullmatch(self.by)
        return found[1] if found else ""


class OfRule(OfBranches):
    """What to hear no more: of a project that CircleCI may know no more, or who asks may not look at any more.

    So it is about nothing that could be asked before it is found.
    """

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:  # noqa: ARG002  # each takes them
        """Return nothing."""
        return None, None


def ref_of(name: str) -> Ref:
    """Return the branch, or with `tag:` before it the tag."""
    return Ref(name=name.removeprefix(TAG), kind="tag" if name.startswith(TAG) else "branch")


def parse(words: Sequence[Word], projects: Projects) -> OfBranches:
    """Return what to hear; raises UsageError as well where nothing of it would mention whom it names."""
    found = _read(words, projects, "subscribe")
    named = [one for one in (found.wish.of(tags=False), found.wish.of(tags=True)) if one]
    if (named and all(map(fits_nothing, named))) or (found.workflows and fits_nothing(found.workflows)):
        problem = "Nothing would ever be told: what is left out by ! is all that is named."
        raise UsageError(problem, given=" ".join([*found.branches, *found.workflows]))
    if found.mention and not found.wish.calls_for_help:
        problem = "I mention somebody when a branch breaks (broke, failed) or when something waits for an approval"
        raise UsageError(f"{problem} (waiting), and none of these is asked for here.", given=f"mention={found.mention}")
    if found.branches and found.wish.events == (Event.STILL_RED,) and not found.wish.of(tags=False):
        raise UsageError("No tag stays red: each of its builds stands for itself.", given=Event.STILL_RED)
    return found


def _read(words: Sequence[Word], projects: Projects, verb: str) -> OfBranches:
    """Return the request: what is no word of ours is a branch, and one that is called so goes in quotes.

    Where a word may be meant for others, the error has the line with these in its place.
    """
    check_no_question(words)
    rest = without_stop(words)
    if not rest:
        raise UsageError("Which project?")
    project, branches = _project(rest[0], projects)
    owner, is_of_pattern = patterns.organization(project), patterns.is_pattern(project)
    said, options, left_out = list[str](), list[str](), list[str]()
    for word in rest[1:]:
        text = word.text.lower()
        if not word.quoted and text in OURS:
            said.append(text)
        elif not word.quoted and text.startswith(OPTIONS):
            options.append(word.text)
            if _is(word.text, WORKFLOW):
                with _repaired(verb, rest, word):
                    _value(word.text)
        elif is_of_pattern and not word.quoted and word.text[0] == "!" and names_project(word.text, owner):
            left_out.append(_of_projects(word.text[1:]))
        else:
            with _repaired(verb, rest, word):
                branches.append(_branch(word, owner))
    workflows = [_value(one) for one in options if _is(one, WORKFLOW)]
    return OfBranches(
        project=project,
        branches=_few(branches, workflows),
        events=tuple(event for event in Event if event in said),
        mode=Mode(_one([mode for mode in Mode if mode in said]) or Mode.THREAD),
        by=_by([one for one in options if _is(one, BY)]),
        workflows=_some(workflows, MOST_WORKFLOWS, "workflows"),
        left_out=_some(left_out, MOST_LEFT_OUT, "projects that are left out"),
        **_mention([one for one in options if _is(one, MENTION)]),
    )


def parse_rule(words: Sequence[Word], projects: Projects) -> OfRule:
    """Return the same of what is to end."""
    return OfRule.model_validate(_read(words, projects, "unsubscribe").model_dump())


@contextmanager
def _repaired(verb: str, words: Sequence[Word], wrong: Word) -> Iterator[None]:
    """Let an error within the block bear the line with what the word is surely meant for, where that is known."""
    try:
        yield
    except UsageError as error:
        if meant := _meant_by(wrong):
            said = [part for word in words for part in (meant if word is wrong else [_as_said(word)])]
            error.repaired = " ".join([verb, *said])
        raise


def _meant_by(wrong: Word) -> list[str]:
    """Return the words that one may be meant for: those of a list, the one of ours that it nearly is, or all."""
    name, is_option, value = wrong.text.rpartition("=")
    if is_list(value) and '"' not in value:
        return [f"{name}{is_option}{one}" for one in value.split(",") if one]
    if all_of_it := _ALL.get(wrong.text.lower()):
        return [all_of_it.split("`")[1]]
    near = slip(wrong.text)
    return [near] if near else []


def _as_said(word: Word) -> str:
    return spelling.quoted(word.text) if word.quoted else word.text


def _project(word: Word, projects: Projects) -> tuple[str, list[str]]:
    """Return the project, or the pattern of projects, and the branch or tag that is named with it."""
    text = word.text
    if patterns.is_pattern(text):
        return _of_projects(text), []
    target = parse_project(text, projects)
    if target.slug is None or target.names_a_build or target.commit or target.pull_request:
        raise UsageError("This is one build, and a channel hears of branches and tags.", given=text)
    if target.ref and not word.quoted:
        _check_one(str(target.ref))
    return target.slug, [str(target.ref)] if target.ref else []


def _of_projects(text: str) -> str:
    """Return a project, or a pattern of projects of one organisation; raises UsageError for what is neither."""
    if not _OF_PROJECTS.fullmatch(text) or not patterns.organization(text):
        problem = "I take all projects of one organisation, as acme/*, or some of them, as acme/web-* or gh/acme/web-*."
        raise UsageError(problem, given=text)
    return short(text)


def _branch(word: Word, owner: str) -> str:
    """Return a branch, a tag or a glob; raises UsageError for what is none, or may be meant for something else.

    It would wait for ever for a branch that nobody has. Projects of this `owner` may be meant.
    """
    text = word.text
    if not word.quoted and (text.startswith(NO_BRANCHES) or "=" in text):
        problem = "I expected branches, tags (tag:v*), events, thread or channel, or by=, workflow= or mention=."
        raise UsageError(f"{problem} A branch that is called so goes in quotes.", given=text)
    if not word.quoted:
        _check_one(text)
    if not word.quoted and names_project(text, owner):
        problem = "I take one project at a time, or all that a pattern fits, as acme/*."
        raise UsageError(f"{problem} A branch that is called so goes in quotes.", given=text)
    if not word.quoted and (all_of_it := _ALL.get(text.lower())):
        raise UsageError(f"{all_of_it} A branch that is called so goes in quotes.", given=text)
    if not word.quoted and is_of_sentences(text):
        raise UsageError("I take a project and its branches, and no sentence. A branch goes in quotes.", given=text)
    if not word.quoted and text.isdecimal():
        raise UsageError("This is a number, and no branch. A branch that is called so goes in quotes.", given=text)
    if not word.quoted and (near := slip(text)):
        raise UsageError(f"Is it {near}? A branch that is called so goes in quotes.", given=text)
    is_tag = text.removeprefix("!").startswith(TAG)
    try:
        globs.ref(text.replace(TAG, "", 1) if is_tag else text)
    except ValueError as error:
        raise UsageError(f"This is no {'tag' if is_tag else 'branch'}: {error}.", given=text) from None
    return text


def _check_one(branch: str) -> None:
    if is_list(branch):
        raise UsageError(f"{_ONE_BY_ONE}: main release/*. A branch with a comma goes in quotes.", given=branch)


def _few(branches: Sequence[str], workflows: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(branches))
    length = sum(map(len, (*found, *workflows)))
    if len(found) > MOST_BRANCHES or length > LONGEST_RULE:
        problem = f"I take at most {MOST_BRANCHES} branches at a time, of {LONGEST_RULE} characters in all."
        raise UsageError(problem, given=f"{len(found)} branches, {length} characters")
    return found


def _some(found: Sequence[str], most: int, what: str) -> tuple[str, ...]:
    once = tuple(dict.fromkeys(found))
    if len(once) > most:
        raise UsageError(f"I take at most {most} {what} at a time.", given=f"{len(once)}")
    return once


def _one(found: Sequence[str]) -> str:
    """Return what was said once, or empty text."""
    if len(set(found)) > 1:
        raise UsageError("Only one of these can be meant.", given=" ".join(found))
    return found[0] if found else ""


def _is(option: str, name: str) -> bool:
    return option.lower().startswith(f"{name}=")


def _value(option: str) -> str:
    """Return what stands behind the sign of an option, without the quotes that hold it together."""
    name, _, value = option.partition("=")
    if is_list(value) and value[0] not in CLOSING and not _SOMEBODY.fullmatch(value):
        problem = f"{_ONE_BY_ONE}: workflow=deploy workflow=build, and for each by= a line of its own."
        raise UsageError(f"{problem} A name with a comma goes in quotes.", given=option)
    ((_, found),) = parse_parameters([Word(f"{name}={value}")]).items()
    text = str(found).lower() if isinstance(found, bool) else str(found)
    if any(character < " " or character == "\x7f" for character in text):
        raise UsageError("This holds a line break, a tab or another sign that no name has.", given=name)
    if not text.strip("! "):
        raise UsageError("Nothing stands behind this.", given=option)
    return text


def _by(said: Sequence[str]) -> str:
    """Return whose builds are meant, as `OfBranches` takes it."""
    if not said:
        return ""
    text = _value(_one(said))
    if text.lower() == ME or _SOMEBODY.fullmatch(text):
        return text.lower() if text.lower() == ME else text
    if is_id(text) and text[0] != "S":
        return f"<@{text}>"
    if text.startswith(("@", "<")) or is_id(text) or not text.isprintable() or " " in text:
        problem = f"{_A_NAME_ALONE}, or write the name at the code host, as in by=octo-ada."
        raise UsageError(problem, given=text)
    return text


def _mention(said: Sequence[str]) -> dict[str, str]:
    """Return whom to mention, and by what name; Slack gives its id where somebody is mentioned in a message to us."""
    if not said:
        return {}
    text = _one(said)[len(f"{MENTION}=") :]
    if found := _MENTIONED.fullmatch(text):
        return {"mention": found[1] or found[3], "mention_name": found[2] or found[4] or ""}
    if is_id(text):
        return {"mention": text}
    if text.strip("<!@>").partition("|")[0].lower() in _CROWDS:
        problem = "I mention a user group or a person, and never all of a channel."
        raise UsageError(problem, given=f"@{text.strip('<!@>').partition('|')[0]}")
    problem = f"{_A_NAME_ALONE}, or give Slack's id of the group, as in mention=S0ONCALL."
    raise UsageError(problem, given=text)
