"""The check-up: ask Slack, CircleCI and Redis, side by side, whether this installation can work."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypeVar

from bot import embedded, manifest
from bot.circleci.reads import Reads, circleci_reads
from bot.circleci.transport import Transport
from bot.configuration import BadSettings, load_policy
from bot.errors import BotError, SlackError, StoreError, Unavailable
from bot.masks import declare
from bot.messenger import Messenger
from bot.models.checkup import Finding, Memory
from bot.models.slack import utc_now
from bot.policy import Policy
from bot.settings import Problem, Projects, Settings
from bot.store import Store
from bot.version import VERSION
from formatters import checkup, far_sides

T = TypeVar("T")

PATIENCE_SECONDS = 8
MOST_NAMED = 20  # each is a request to Slack
UNKNOWN_TO_SLACK = ("user_not_found", "users_not_found", "no_such_subteam", "subteam_not_found")


async def examine(
    settings: Settings,
    projects: Projects,
    messenger: Messenger,
    circleci: Reads,
    memory: Awaitable[Memory | None],
    problems: Sequence[Problem] = (),
) -> list[Finding]:
    """Return what was found, in the order of setting it up; nothing raises, and no secret is in it."""
    policy = _policy(settings)
    named = _named(settings, policy)
    late_slack, late_circleci = SlackError("", TimeoutError.__name__), Unavailable("no answer in time")
    (who, channels, app_token, unknown), owners, organizations, kept = await asyncio.gather(
        asyncio.gather(
            _asked(messenger.identity(), late_slack),
            _asked(messenger.channels(), late_slack),
            _asked(_app_token(settings, messenger), late_slack),
            _asked(_unknown(named, messenger), late_slack),
        ),
        _asked(circleci.owners(), late_circleci),
        _asked(circleci.collaborations(), late_circleci),
        _asked(memory, StoreError("no answer in time")),
    )
    return [
        *checkup.settings(problems),
        checkup.version(VERSION),
        *checkup.files(settings, projects, problems),
        *(
            checkup.policy(settings.policy_file, policy, projects.projects)
            if settings.policy_file and not _is_told(problems)
            else ()
        ),
        *(far_sides.slack(who, manifest.scopes(), manifest.optional_scopes()) if settings.slack_bot_token else ()),
        *far_sides.unknown(unknown),
        *far_sides.way_in(settings, app_token),
        *far_sides.channels(settings, channels),
        *(far_sides.circleci(owners, organizations) if settings.circleci_token else ()),
        *checkup.memory(settings, kept),
        *checkup.clock(who, utc_now()),
        *checkup.webhook(settings),
        *checkup.figures(settings),
        *checkup.pulse(settings, kept),
    ]


async def examine_alone(settings: Settings, projects: Projects, problems: Sequence[Problem]) -> list[Finding]:
    """Return the same without a running bot, also where some settings are missing."""
    declare((*settings.secrets, *(token.get_secret_value() for token in projects.tokens.values())))
    async with AsyncExitStack() as stack:
        messenger = Messenger(token=settings.slack_bot_token, api_url=settings.slack_api_url)
        await stack.enter_async_context(messenger)
        transport = Transport(
            settings.circleci_url,
            settings.circleci_token,
            timeout_seconds=PATIENCE_SECONDS / 2,
            back_off=settings.back_off,
            auth_header=projects.auth_header,
            tokens=projects.tokens,
        )
        circleci = circleci_reads(await stack.enter_async_context(transport))
        return await examine(settings, projects, messenger, circleci, _memory(settings, stack), problems)


def _policy(settings: Settings) -> Policy | str:
    """Read the policy file anew: what a running bot would read at its next start, or in words why it would not."""
    try:
        return load_policy(settings.policy_file)
    except BadSettings as error:
        return "; ".join(wrong for _, wrong in error.problems)


def _named(settings: Settings, policy: Policy | str) -> dict[str, str]:
    """Return the people, user groups and channels that are named by id, a few of them, and by what."""
    roles, rules = ([], []) if isinstance(policy, str) else (list(policy.roles.values()), policy.rules)
    ids = {name: "POLICY_FILE" for rule in rules for name in rule.channels}
    ids |= {name: "POLICY_FILE" for role in roles for name in (*role.users, *role.groups, *role.channels)}
    ids |= dict.fromkeys(settings.admins, "ADMINS")
    return dict(list(ids.items())[-MOST_NAMED:])


async def _unknown(named: Mapping[str, str], messenger: Messenger) -> dict[str, str]:
    """Return those that Slack does not know."""
    known = await asyncio.gather(*(_is_known(name, messenger) for name in named))
    return {name: by for (name, by), is_known in zip(named.items(), known, strict=True) if not is_known}


async def _is_known(name: str, messenger: Messenger) -> bool:
    try:
        match name[:1]:
            case "S":
                await messenger.members_of(name)
            case "U" | "W":
                await messenger.kind_of(name)
            case _:
                return await messenger.knows_channel(name)
    except SlackError as error:
        return error.code not in UNKNOWN_TO_SLACK
    return True


def _is_told(problems: Sequence[Problem]) -> bool:
    return any(name == "POLICY_FILE" for name, _ in problems)


async def _memory(settings: Settings, stack: AsyncExitStack) -> Memory | None:
    """Ask the server of REDIS_URL; the embedded one is not started, a bot may be running on it."""
    if settings.redis_url is None:
        embedded.check(settings.data_dir)
        return None
    store = Store(settings.redis_url.get_secret_value(), retention=timedelta(days=settings.retention_days))
    stack.push_async_callback(store.close)
    return await store.pulse.condition()


async def _app_token(settings: Settings, messenger: Messenger) -> None:
    if settings.slack_app_token is not None:
        await messenger.try_app_token(settings.slack_app_token)


async def _asked(answer: Awaitable[T], late: BotError) -> T | BotError:
    """Return the answer, or what went wrong instead."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await answer
    except TimeoutError:
        return late
    except BotError as error:
        return error
