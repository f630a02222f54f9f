"""What agents read: each answer as data within a budget, and as text that says the same. Pure.

Words of strangers, such as logs, commits and the names of branches and jobs, stand in fields whose names begin with
`quoted`, and in the arguments of calls; all else is ours.
"""

from collections.abc import Callable
from typing import Any

from bot.answers import Answer, File
from bot.answers.acts import Acted, NotSentYet
from bot.answers.branches import FlakyTests, WhyRed
from bot.answers.builds import (
    BuildMeant,
    BuildShown,
    BuildTriaged,
    Cancellable,
    CancellableJob,
    NewestBuilds,
    NothingFailed,
    OldBuild,
)
from bot.answers.jobs import Artifacts, ArtifactTooLarge, JobSteps, NoLog, StepLog, TestResults
from bot.answers.lists import FollowedProjects, RecentBuilds
from bot.answers.locks import Locks
from bot.answers.people import PolicyDecision
from bot.answers.questions import Question
from formatters.links import Links
from formatters.told import acts, branches, builds, jobs, lists, triage
from formatters.told.errors import Made as Made
from formatters.told.errors import people_of as people_of
from formatters.told.errors import told_error as told_error
from formatters.told.text import as_text as as_text

_TOLD: dict[type[Answer], Callable[[Any], dict[str, Any]]] = {
    TestResults: jobs.tests,
    Artifacts: jobs.artifacts,
    ArtifactTooLarge: jobs.too_large,
    File: jobs.file,
    FollowedProjects: lists.projects,
    RecentBuilds: lists.recent,
    Locks: lists.locks,
    PolicyDecision: lists.policy,
    BuildMeant: acts.build_meant,
    CancellableJob: acts.cancellable_job,
    NotSentYet: acts.not_sent_yet,
}
_WITH_LINKS: dict[type[Answer], Callable[[Any, Links], dict[str, Any]]] = {
    BuildShown: builds.shown,
    NewestBuilds: builds.newest,
    BuildTriaged: triage.triaged,
    JobSteps: jobs.steps,
    StepLog: jobs.log,
    NoLog: jobs.no_log,
    FlakyTests: branches.flaky,
    WhyRed: branches.why_red,
    Acted: acts.acted,
    NothingFailed: acts.nothing_failed,
    OldBuild: acts.old_build,
    Cancellable: acts.cancellable,
    Question: acts.question,
}


def told(answer: Answer, links: Links) -> dict[str, Any]:
    """Return an answer as data; raises LookupError for a kind that no tool answers with."""
    for kind in type(answer).__mro__:
        if kind in _TOLD:
            return _TOLD[kind](answer)
        if kind in _WITH_LINKS:
            return _WITH_LINKS[kind](answer, links)
    raise LookupError(type(answer).__name__)


def is_told(kind: type[Answer]) -> bool:
    """Say whether agents can read this kind."""
    return any(one in _TOLD or one in _WITH_LINKS for one in kind.__mro__)
