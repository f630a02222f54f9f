"""Projects, locks and what the policy says, as agents read them."""

from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.answers.locks import Locks
from bot.answers.people import PolicyDecision
from bot.models.circleci import made_of_ids
from bot.models.classic import BuildSummary
from bot.models.lock import Lock
from formatters.lists import FAILED
from formatters.told.words import LISTED, Data, call, fitted, known, listing, person, quoted, when

MOST, LONGEST_RULE = 30, 300
_DEMANDS = {
    "second_person": "somebody else who may do it agrees",
    "typed": "the branch is typed once more",
    "green": "the newest build of the branch is not red",
}
_ASKED_OF_PEOPLE = ("deploy", "rerun", "cancel")


def projects(answer: FollowedProjects) -> Data:
    """Return the followed projects with their newest result, those that failed first."""
    ordered = sorted(answer.projects, key=lambda one: one.status not in FAILED)

    def made(room: int) -> Data:
        shown = listing("projects", ordered, min(room, MOST), _project)
        narrower = [call("projects", "add `wanted`: a part of the name")] if shown.get("projects_left_out") else []
        note = "" if answer.of else "Nothing is followed at CircleCI that you may look at."
        return known(followed=answer.of, quoted_wanted=quoted(answer.wanted), **shown, note=note, next=narrower)

    return fitted(made, LISTED)


def _project(one: ProjectResult) -> Data:
    ids = {"project": one.project_slug} if made_of_ids(one.project_slug) else {}  # its title names it to nobody
    return known(
        quoted_project=quoted(one.project_title),
        arguments=ids,
        quoted_default_branch=quoted(one.default_branch, 60),
        newest_job=quoted(one.status, 40) or ("never built" if one.number is None else ""),
    )


def recent(answer: RecentBuilds) -> Data:
    """Return the newest jobs of all projects."""
    return fitted(lambda room: listing("jobs", answer.builds, min(room, MOST), _recent), LISTED)


def _recent(one: BuildSummary) -> Data:
    return known(
        quoted_project=quoted(one.title),
        quoted_ref=quoted(one.ref, 60),
        quoted_job=quoted(one.job_name, 60),
        job=one.build_num,
        status=quoted(one.status, 40),
        started=when(one.start_time),
    )


def locks(answer: Locks) -> Data:
    """Return every lock: who holds it, since when, until when, and why."""

    def made(room: int) -> Data:
        shown = listing("locks", answer.locks, min(room, MOST), _lock)
        narrower = [call("locks", "add `project`")] if shown.get("locks_left_out") and not answer.project_title else []
        return known(
            quoted_project=quoted(answer.project_title),
            **shown,
            locks_that_cannot_be_read=len(answer.unread) or None,
            of_other_projects=answer.elsewhere or None,
            next=narrower,
        )

    return fitted(made, LISTED)


def _lock(lock: Lock) -> Data:
    return known(
        quoted_target=quoted(lock.target),
        quoted_holder=quoted(lock.holder_name or lock.holder_id, 60),
        since=when(lock.since),
        until=when(lock.until),
        quoted_reason=quoted(lock.reason, 150),
    )


def _press(answer: PolicyDecision) -> str:
    """Return whether what an agent asks for waits for a person; of a word alone that is not known."""
    if answer.alone and not (answer.second_person or answer.typed):
        return "A rule lets you do this without a person's press."
    unless = "" if answer.about else ", unless a rule lets it act alone"
    return f"What an agent asks for waits for a person in Slack{unless}."


def policy(answer: PolicyDecision) -> Data:
    """Return whether it is allowed, by which rule, what is demanded, and who could."""
    demands = [words for name, words in _DEMANDS.items() if getattr(answer, name)]
    asked = answer.allowed and answer.word in _ASKED_OF_PEOPLE
    note = _press(answer) if asked else ""

    def made(room: int) -> Data:
        there = [
            {"quoted_roles": [quoted(role, 60) for role in one.roles[:5]], "channels": list(one.channels[:5])}
            for one in answer.elsewhere[: min(room, 5)]
        ]
        return known(
            word=quoted(answer.word, 40),
            quoted_about=quoted(answer.about, 200),
            allowed=answer.allowed,
            quoted_rule=quoted(answer.rule, LONGEST_RULE),
            only_if=demands if answer.allowed else [],
            note=note,
            **(listing("quoted_who_could", answer.could, min(room, 8), lambda one: quoted(one, 60))),
            elsewhere=there,
            branch_was_never_built=answer.unbuilt or None,
            **(listing("locks", answer.locks, min(room, 5), _lock) if answer.locks else {}),
            next=[person("unlocks it: /ci unlock, in Slack")] if answer.locks else [],
        )

    return fitted(made, LISTED)
