"""The check-up: ask Slack, CircleCI and Redis, side by side, whether this installation can work."""

import asyncio
import stat
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot import embedded, manifest
from bot.circleci.keyring import Keyring
from bot.circleci.reads import Reads, circleci_reads
from bot.circleci.transport import Transport
from bot.configuration import BadSettings, load_policy
from bot.errors import BotError, CircleCIError, Rejected, SlackError, StoreError, Unavailable
from bot.masks import declare
from bot.messenger import Messenger
from bot.models.checkup import Finding, Memory
from bot.models.slack import utc_now
from bot.policy import Policy, written_out
from bot.settings import Problem, Projects, Settings
from bot.store import Store
from bot.version import VERSION
from formatters import checkup, far_sides

T = TypeVar("T")

PATIENCE_SECONDS = 8
MOST_NAMED = 20  # each is a request to Slack, or to CircleCI
UNKNOWN_TO_SLACK = ("user_not_found", "users_not_found", "no_such_subteam", "subteam_not_found")
_OUTSIDE = frozenset({"HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_FILE"})
_OF_SLACK = frozenset({"SLACK_BOT_TOKEN", "SLACK_API_URL"}) | _OUTSIDE
_OF_CIRCLECI = frozenset({"CIRCLECI_TOKEN", "CIRCLECI_URL"}) | _OUTSIDE
_OF_REDIS = frozenset({"REDIS_URL", "DATA_DIR"})
# The settings that each finding judges; it is left out where one of them is wrong, which is said already.
_JUDGED = {
    **dict.fromkeys(("Bot token", "Scopes", "Optional scopes", "Channels", "Clock"), _OF_SLACK),
    **dict.fromkeys(("CircleCI token", "Organisations"), _OF_CIRCLECI),
    **dict.fromkeys(("Redis", "Budgets", "News"), _OF_REDIS),
    "App token": _OUTSIDE | {"SLACK_APP_TOKEN", "SLACK_API_URL"},
    "Signing secret": frozenset({"SLACK_SIGNING_SECRET"}),
    "Operator": _OF_SLACK | {"OPERATOR_CHANNEL"},
    "Projects file": frozenset({"PROJECTS_FILE"}),
    "Policy file": frozenset({"POLICY_FILE"}),
    "Policy names": frozenset({"POLICY_FILE"}),
    "Policy rules": frozenset({"POLICY_FILE"}),
    "Webhook": frozenset({"PUBLIC_URL", "CIRCLECI_WEBHOOK_SECRET"}),
    "Agents": frozenset({"AGENTS", "PUBLIC_URL"}),
    "Metrics": frozenset({"METRICS_TOKEN", "PUBLIC_URL"}),
}


async def examine(
    settings: Settings,
    projects: Projects,
    messenger: Messenger,
    circleci: Reads,
    memory: Awaitable[Memory | None],
    problems: Sequence[Problem] = (),
) -> list[Finding]:
    """Return what was found, in the order of setting it up; nothing raises, and no secret is in it."""
    wrong = {name for name, _ in problems}
    policy = _policy(settings)
    named = _named(settings, policy)
    late_slack, late_circleci = SlackError("", TimeoutError.__name__), Unavailable("no answer in time")
    to_slack, to_circleci = not wrong & _OF_SLACK, not wrong & _OF_CIRCLECI
    (who, channels, app_token, unknown), owners, organizations, refused, kept = await asyncio.gather(
        asyncio.gather(
            _asked(messenger.identity, late_slack, may=to_slack),
            _asked(messenger.channels, late_slack, may=to_slack),
            _asked(partial(_app_token, settings, messenger), late_slack, may=not wrong & _judged_by("App token")),
            _asked(partial(_unknown, named, messenger), late_slack, may=to_slack),
        ),
        _asked(circleci.owners, late_circleci, may=to_circleci),
        _asked(circleci.collaborations, late_circleci, may=to_circleci),
        _asked(partial(_refused, policy, projects, circleci), late_circleci, may=to_circleci),
        _asked(lambda: memory, StoreError("no answer in time")),
    )
    found = [
        checkup.version(VERSION),
        *checkup.files(settings, projects, is_open=_is_open(settings.projects_file)),
        *(checkup.policy(settings.policy_file, policy, projects.projects) if settings.policy_file else ()),
        *far_sides.slack(settings, who, manifest.scopes(), manifest.optional_scopes()),
        *far_sides.unknown(unknown),
        *far_sides.way_in(settings, app_token),
        *far_sides.channels(settings, channels),
        *far_sides.circleci(settings, owners, organizations),
        *far_sides.refused(refused),
        *checkup.memory(settings, kept),
        *checkup.clock(who, utc_now()),
        *checkup.webhook(settings),
        *checkup.agents(settings),
        *checkup.figures(settings),
        *checkup.pulse(settings, kept, Keyring(settings.circleci_token, projects.tokens).marked),
    ]
    return [*checkup.settings(problems), *(one for one in found if not wrong & _judged_by(one.what))]


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


async def _refused(policy: Policy | str, projects: Projects, circleci: Reads) -> dict[str, str]:
    """Return the projects that rules write out and CircleCI refuses to show, and in what words; a few are asked for."""
    written = () if isinstance(policy, str) else sorted(name for name in written_out(policy) if "/" in name)
    names = written[:MOST_NAMED]
    said = await asyncio.gather(*(_refusal(name, projects.default_vcs, circleci) for name in names))
    return {name: why for name, why in zip(names, said, strict=True) if why}


async def _refusal(name: str, host: str, circleci: Reads) -> str:
    try:
        await circleci.project(name if name.count("/") > 1 else f"{host}/{name}")
    except Rejected as error:
        return "" if error.is_gone else error.message or f"status {error.status}"
    except CircleCIError:
        pass  # which is told of CircleCI itself
    return ""


def _judged_by(what: str) -> frozenset[str]:
    """Return the settings that a finding judges: of one that is wrong a default stands in its place."""
    return _JUDGED.get(what) or (_OF_CIRCLECI if what.startswith("Token of ") else frozenset())


def _is_open(file: Path | None) -> bool:
    """Say whether users who are neither its owner nor in its group may read a file."""
    try:
        return bool(file and file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


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


async def _asked(ask: Callable[[], Awaitable[T]], late: BotError, *, may: bool = True) -> T | BotError:
    """Return the answer, or what went wrong instead; `late` where it takes long, or may not be asked."""
    if not may:
        return late
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await ask()
    except TimeoutError:
        return late
    except BotError as error:
        return error
