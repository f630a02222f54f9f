"""What a person reads of an answer: each kind has one function, and this is the list of them."""

from collections.abc import Callable
from typing import Any

from bot.answers import Answer, Nothing
from bot.answers import acts as done
from bot.answers.agents import AgentMade, AgentOffer, Agents, AgentToRemove
from bot.answers.branches import FlakyTests, WhyRed
from bot.answers.builds import (
    BuildMeant,
    BuildShown,
    BuildTriaged,
    Cancellable,
    CancellableJob,
    Evidence,
    FollowedHere,
    NewestBuilds,
    NothingFailed,
    OldBuild,
    OnHold,
)
from bot.answers.channels import ChannelUses, HowToInvite
from bot.answers.jobs import Artifacts, ArtifactTooLarge, JobSteps, NoLog, StepLog, TestResults
from bot.answers.keeps import CheckoutKeys, Offer, Variables, WebhookState
from bot.answers.lines import LinesMeant
from bot.answers.lists import FollowedProjects, RecentBuilds
from bot.answers.locks import Locks, WhichLock, WillTell
from bot.answers.mine import MyBuilds
from bot.answers.notices import MyNotices
from bot.answers.ourselves import CheckUp, CommandPage, Greeting, HelpHere, Overview
from bot.answers.people import PolicyDecision, Record, TokenOwner
from bot.answers.questions import BranchIsRed, SecondPerson, StillRuns, ToBeTyped, WhichDefinition
from bot.answers.subscriptions import Snoozed, Subscribed, Subscriptions, WhichSubscription, WhyTold
from formatters import (
    acts,
    agents,
    answers,
    audit,
    builds,
    channels,
    checkup,
    choices,
    credentials,
    files,
    final,
    flakes,
    gate,
    help,  # noqa: A004  # it is the command's name,
    here,
    lists,
    locks,
    meant,
    mine,
    notices,
    policy,
    results,
    snoozes,
    steps,
    subscriptions,
    told_of,
    turning,
    unheard,
    unsent,
    webhooks,
    which_lock,
)
from formatters.again import MENTION, as_spoken
from formatters.blocks import Message
from formatters.links import Links

_SHOWN: dict[type[Answer], Callable[[Any], Message | None]] = {
    Nothing: lambda _: None,
    done.Acted: acts.acted,
    done.Answered: acts.answered,
    done.LockChanged: acts.lock_changed,
    done.KeyAdded: credentials.key_added,
    done.NotSentYet: unsent.not_sent_yet,
    WhichDefinition: gate.question,
    BranchIsRed: gate.question,
    ToBeTyped: gate.question,
    SecondPerson: lambda _: None,  # the request stands in the channel
    ChannelUses: channels.uses,
    HowToInvite: unheard.how_to_invite,
    Subscribed: subscriptions.subscribed,
    Snoozed: snoozes.snoozed,
    Subscriptions: subscriptions.listed,
    WhichSubscription: subscriptions.which,
    Locks: locks.all_locks,
    WhichLock: which_lock.which,
    WillTell: locks.will_tell,
    MyNotices: notices.told,
    LinesMeant: meant.lines,
    OnHold: choices.on_hold,
    BuildMeant: choices.build_meant,
    NothingFailed: choices.nothing_failed,
    OldBuild: choices.old_build,
    FollowedHere: choices.followed_here,
    Cancellable: choices.cancellable,
    CancellableJob: choices.cancellable_job,
    Evidence: answers.evidence,
    TestResults: results.summary,
    JobSteps: steps.job,
    StepLog: steps.log,
    NoLog: steps.no_log,
    Artifacts: files.artifacts,
    ArtifactTooLarge: files.too_large,
    Variables: credentials.variables,
    CheckoutKeys: credentials.keys,
    Offer: credentials.offer,
    WebhookState: webhooks.state,
    AgentOffer: agents.offer,
    AgentMade: agents.made,
    AgentToRemove: agents.to_remove,
    Agents: agents.listed_here,
    FollowedProjects: lists.projects,
    TokenOwner: lists.me,
    PolicyDecision: policy.why,
    Record: audit.audit,
    Greeting: help.hello,
    HelpHere: here.here,
    CheckUp: checkup.message,
}
# Some make addresses, and some name the bot as the person spoke to it.
_WITH_LINKS: dict[type[Answer], Callable[[Any, Links], Message]] = {
    BuildShown: builds.one,
    StillRuns: gate.still_runs,
    NewestBuilds: builds.newest,
    BuildTriaged: final.triaged,
    WhyRed: turning.why_red,
    FlakyTests: flakes.ranking,
    WhyTold: told_of.why,
    RecentBuilds: lists.recent,
    MyBuilds: mine.mine,
}
_WITH_COMMAND: dict[type[Answer], Callable[[Any, str], Message]] = {
    Overview: help.overview,
    CommandPage: help.page,
}


def show(answer: Answer, links: Links, *, command: str = "/ci") -> Message | None:
    """Return what to say; None where a thread or a message says it, or where there is nothing to say.

    `command` is what the person spoke to: the slash command or the bot's name.
    """
    kind = type(answer)
    if kind in _WITH_COMMAND:
        return _WITH_COMMAND[kind](answer, command)
    message = _WITH_LINKS[kind](answer, links) if kind in _WITH_LINKS else _SHOWN[kind](answer)
    return as_spoken(message, command) if message else None


def show_to_all(answer: Answer, links: Links, *, in_thread: bool) -> Message | None:
    """Return what to say in the thread where the bot was asked by its name; None where the channel is told.

    It may be one that stands already, or that of the question itself.
    """
    if isinstance(answer, done.LockChanged):
        message = locks.beside_news(answer, in_thread=in_thread)
        return as_spoken(message, MENTION) if message else None
    return show(answer, links, command=MENTION)


def is_shown(kind: type[Answer]) -> bool:
    """Say whether people can read this kind."""
    return kind in {**_SHOWN, **_WITH_LINKS, **_WITH_COMMAND}
