"""The check-up in words: what was found, and for what is wrong the exact place to put it right."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bot.answers.ourselves import CheckUp
from bot.errors import BotError, CircleCIError, NotFound, Rejected, SlackError, Unauthorized
from bot.models.checkup import Finding, Identity, Memory, Verdict
from bot.models.circleci import Collaboration, User
from bot.policy import Policy, warnings
from bot.settings import Problem, Projects, Settings
from formatters.blocks import Message, assemble, escape, fit, literal, section
from formatters.policy import contents
from formatters.words import count, duration

APP = "api.slack.com/apps, your app"
PLACES = {
    "SLACK_BOT_TOKEN": f"{APP}, OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
    "SLACK_APP_TOKEN": f"{APP}, Basic Information, App-Level Tokens, Generate, with the scope connections:write",
    "SLACK_SIGNING_SECRET": f"{APP}, Basic Information, App Credentials, Signing Secret",
    "CIRCLECI_TOKEN": "app.circleci.com as the machine user, User Settings, Personal API Tokens, Create New Token",
    "CIRCLECI_URL": "https://circleci.com, or the address of your Server",
    "MASK_VALUES": "your own secrets, comma-separated or as a JSON list; leave the short one out, or make it longer",
    "REDIS_URL": "redis://host:6379/0, rediss:// with TLS, unix:// for a socket; leave it out for the embedded server",
    "METRICS_TOKEN": "a random word of your own: openssl rand -hex 32",
    "ADMINS": "ids of people, comma-separated: click a person in Slack, ⋮, Copy member ID",
    "PROJECTS_FILE": "docs/setup.md, Projects file",
    "POLICY_FILE": "docs/policy.md; python -m bot policy check FILE says when it is right",
}
IDS = "click the person or the group in Slack, ⋮, Copy member ID or Copy group ID"
MARKS = {Verdict.OK: "✅ ok", Verdict.LOOK: "⚠️ look", Verdict.BROKEN: "❌ broken"}
# Slack refuses a signature after five minutes.
CLOCK_LOOK_SECONDS, CLOCK_BROKEN_SECONDS = 60, 240
LATE_INTERVALS = 8
SOONER = "let CircleCI tell me: /ci webhook; or raise CIRCLECI_REQUESTS_PER_SECOND"
EVICTING = ("allkeys", "volatile")


def settings(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield every setting that is missing or wrong."""
    for name, wrong in problems:
        yield Finding(what=name, verdict=Verdict.BROKEN, found=wrong, fix=place(name))
    if not problems:
        yield Finding(what="Settings", verdict=Verdict.OK, found="complete")


def place(name: str) -> str:
    """Return where the right value of a setting is found."""
    return PLACES.get(name, "docs/setup.md, Settings")


def files(given: Settings, projects: Projects, problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield how the settings files stand; a bad projects file is among the settings' problems already."""
    if given.projects_file and not any(name == "PROJECTS_FILE" for name, _ in problems):
        found = f"{given.projects_file} names {count(len(projects.projects), 'project')}"
        yield Finding(what="Projects file", verdict=Verdict.OK, found=found)


def policy(file: Path, read: Policy | str, aliases: Collection[str] = ()) -> Iterator[Finding]:
    """Yield how the policy file stands: what is in it and hardly meant, or each line that is wrong."""
    if isinstance(read, str):
        yield Finding(what="Policy file", verdict=Verdict.BROKEN, found=read, fix=PLACES["POLICY_FILE"])
    else:
        yield Finding(what="Policy file", verdict=Verdict.OK, found=f"{file} has {contents(read)}")
        for warning in warnings(read, aliases):
            yield Finding(what="Policy rules", verdict=Verdict.LOOK, found=warning, fix=PLACES["POLICY_FILE"])


def slack(who: Identity | BotError, wanted: frozenset[str], optional: frozenset[str]) -> Iterator[Finding]:
    """Yield whose bot token it is, and the scopes it lacks."""
    if isinstance(who, BotError):
        refused = f"Slack refuses it: {who.code}" if isinstance(who, SlackError) else str(who)
        yield Finding(what="Bot token", verdict=Verdict.BROKEN, found=refused, fix=PLACES["SLACK_BOT_TOKEN"])
        return
    yield Finding(what="Bot token", verdict=Verdict.OK, found=f"{who.user} in the workspace {who.team}")
    fix = f"{APP}, OAuth & Permissions, Bot Token Scopes: add them, then Reinstall to Workspace"
    if missing := sorted(wanted - who.scopes):
        yield Finding(what="Scopes", verdict=Verdict.BROKEN, found=f"missing {', '.join(missing)}", fix=fix)
    else:
        yield Finding(what="Scopes", verdict=Verdict.OK, found=f"all {len(wanted)} of the manifest")
    if missing := sorted(optional - who.scopes):
        found = (
            f"without {', '.join(missing)}: a crash may make me say one thing twice, a policy cannot name user groups"
        )
        yield Finding(what="Optional scopes", verdict=Verdict.LOOK, found=found, fix=fix)


def unknown(named: Mapping[str, str] | BotError) -> Iterator[Finding]:
    """Yield whom a setting names by an id that Slack does not know; nothing where it does not say."""
    for name, by in {} if isinstance(named, BotError) else named.items():
        what = "user group" if name.startswith("S") else "person"
        found = f"Slack knows no {what} {name}, which {by} names: it stands for nobody"
        yield Finding(what=by, verdict=Verdict.LOOK, found=found, fix=IDS)


def way_in(given: Settings, app_token: BotError | None) -> Iterator[Finding]:
    """Yield how Slack reaches the bot."""
    if given.slack_app_token is not None:
        refused = f"Slack refuses it: {app_token.code}" if isinstance(app_token, SlackError) else str(app_token)
        bad = app_token is not None
        yield Finding(
            what="App token",
            verdict=Verdict.BROKEN if bad else Verdict.OK,
            found=refused if bad else "good for Socket Mode",
            fix=PLACES["SLACK_APP_TOKEN"] if bad else "",
        )
    elif given.slack_signing_secret is not None:
        secret = given.slack_signing_secret.get_secret_value()
        looks_right = len(secret) == 32 and all(letter in "0123456789abcdef" for letter in secret)
        yield Finding(
            what="Signing secret",
            verdict=Verdict.OK if looks_right else Verdict.LOOK,
            found="set; whether Slack reaches /slack/events cannot be seen from here"
            if looks_right
            else "it does not look like one: 32 characters of 0-9 and a-f",
            fix="" if looks_right else PLACES["SLACK_SIGNING_SECRET"],
        )


def channels(given: Settings, joined: dict[str, str] | BotError) -> Iterator[Finding]:
    """Yield where the bot is a member, and whether the operator can be told."""
    invite = "say /invite @ci in it"
    if isinstance(joined, BotError):
        why = joined.code if isinstance(joined, SlackError) else str(joined)
        yield Finding(what="Channels", verdict=Verdict.LOOK, found=f"Slack does not say: {why}", fix="see above")
        return
    names = [f"#{name}" for name in sorted(joined.values())]
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        yield Finding(what="Channels", verdict=Verdict.OK, found=f"a member of {shown}")
    else:
        yield Finding(what="Channels", verdict=Verdict.LOOK, found="a member of none yet", fix=invite)
    if given.operator_channel is None:
        fix = "set OPERATOR_CHANNEL to a channel's id: click its name, About, the last line"
        yield Finding(what="Operator", verdict=Verdict.LOOK, found="nobody is told when a token expires", fix=fix)
    elif given.operator_channel in joined:
        yield Finding(what="Operator", verdict=Verdict.OK, found=f"told in #{joined[given.operator_channel]}")
    else:
        found = f"not a member of OPERATOR_CHANNEL {given.operator_channel}, or it is no channel's id"
        yield Finding(what="Operator", verdict=Verdict.BROKEN, found=found, fix=invite)


def circleci(
    owners: Mapping[str, User | CircleCIError] | BotError, organizations: Sequence[Collaboration] | BotError
) -> Iterator[Finding]:
    """Yield whose each CircleCI token is, and what the default one can see."""
    user = owners if isinstance(owners, BotError) else owners[""]
    if isinstance(user, BotError):
        yield _no_circleci(user)
    else:
        yield from _default_token(user, organizations)
    for name, owner in {} if isinstance(owners, BotError) else owners.items():
        if name:
            yield _token_of(name, owner)


def _token_of(name: str, owner: User | CircleCIError) -> Finding:
    if isinstance(owner, User):
        found = f"belongs to {owner.login or owner.name or 'somebody without a name'}"
        return Finding(what=f"Token of {name}", verdict=Verdict.OK, found=found)
    fix = "PROJECTS_FILE, [tokens]: a new personal token of the machine user"
    return Finding(
        what=f"Token of {name}", verdict=Verdict.BROKEN, found=f"CircleCI does not accept it: {owner}", fix=fix
    )


def _default_token(user: User, organizations: Sequence[Collaboration] | BotError) -> Iterator[Finding]:
    name = user.login or user.name or "somebody without a name"
    found = f"belongs to {name}; CircleCI sees all that anybody does here as done by that user"
    yield Finding(what="CircleCI token", verdict=Verdict.OK, found=found)
    if isinstance(organizations, BotError) or not organizations:
        fix = "add the machine user to your organisation, and log in to app.circleci.com once as that user"
        yield Finding(what="Organisations", verdict=Verdict.LOOK, found="it sees none", fix=fix)
    else:
        seen = [one.name for one in organizations]
        shown = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        yield Finding(what="Organisations", verdict=Verdict.OK, found=f"it sees {shown}")


def _no_circleci(error: BotError) -> Finding:
    if isinstance(error, Unauthorized):
        found, fix = "CircleCI does not accept it: wrong, expired, or a project token", PLACES["CIRCLECI_TOKEN"]
    elif isinstance(error, NotFound | Rejected):
        found, fix = f"CIRCLECI_URL answers, but not as CircleCI does ({error})", PLACES["CIRCLECI_URL"]
    else:
        found, fix = f"CircleCI does not answer at CIRCLECI_URL ({error})", PLACES["CIRCLECI_URL"]
    return Finding(what="CircleCI token", verdict=Verdict.BROKEN, found=found, fix=fix)


def memory(given: Settings, kept: Memory | BotError | None) -> Iterator[Finding]:
    """Yield how Redis stands: what it forgets, the bot forgets."""
    if isinstance(kept, BotError):
        fix = PLACES["REDIS_URL"] if given.redis_url else "set DATA_DIR to a folder of this user's own"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=str(kept), fix=fix)
    elif kept is None:
        yield Finding(what="Redis", verdict=Verdict.OK, found=f"the embedded server, in {given.data_dir}")
    elif kept.is_too_old:
        found = f"version {kept.version}; 7.0 or newer is needed"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=found, fix="upgrade the server")
    elif kept.when_full.startswith(EVICTING):
        found = f"when it is full it throws keys away ({kept.when_full}), and with them builds under watch"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=found, fix="set maxmemory-policy noeviction")
    elif not kept.append_only:
        found = f"version {kept.version}, but a restart may lose the newest builds"
        yield Finding(what="Redis", verdict=Verdict.LOOK, found=found, fix="set appendonly yes")
    else:
        yield Finding(what="Redis", verdict=Verdict.OK, found=f"version {kept.version}, kept on disk")


def pulse(given: Settings, kept: Memory | BotError | None) -> Iterator[Finding]:
    """Yield how much there is to do, who asked to be left alone, and how late results are."""
    if not isinstance(kept, Memory):
        return
    paused = [f"{literal(name)} for {duration(left)}" for name, left in sorted(kept.pulse.paused.items())]
    rate = given.circleci_requests_per_second
    found = f"{count(kept.pulse.watching, 'pipeline')} followed, " + (
        f"{rate:g} requests a second" if rate else "no limit"
    )
    if paused:
        found, fix = (
            f"asked to be left alone: {', '.join(paused[:5])}",
            "it passes; lower the budgets if it comes often",
        )
        yield Finding(what="Budgets", verdict=Verdict.LOOK, found=found, fix=fix)
    else:
        yield Finding(what="Budgets", verdict=Verdict.OK, found=found)
    if kept.pulse.lags:
        yield _news(given, sorted(kept.pulse.lags))


def _news(given: Settings, lags: Sequence[float]) -> Finding:
    """Return how late results were; a build is looked at every half a minute at the least, at the default interval."""
    usual, worst = lags[len(lags) // 2], lags[-1]
    found = f"the last {count(len(lags), 'result')} came after {usual:.1f} s as a rule, {worst:.1f} s at worst"
    if usual <= given.poll_interval_seconds * LATE_INTERVALS:
        return Finding(what="News", verdict=Verdict.OK, found=found)
    return Finding(what="News", verdict=Verdict.LOOK, found=found, fix=SOONER)


def clock(who: Identity | BotError, now: datetime) -> Iterator[Finding]:
    """Yield by how much this machine's clock differs from Slack's."""
    if isinstance(who, BotError) or who.date is None:
        return
    seconds = round(abs((now - who.date).total_seconds()))
    if seconds < CLOCK_LOOK_SECONDS:
        yield Finding(what="Clock", verdict=Verdict.OK, found="agrees with Slack's")
        return
    broken = seconds >= CLOCK_BROKEN_SECONDS
    yield Finding(
        what="Clock",
        verdict=Verdict.BROKEN if broken else Verdict.LOOK,
        found=f"{seconds} s off Slack's; after 300 s every request of Slack's is refused",
        fix="let this machine keep its time by NTP",
    )


def webhook(given: Settings) -> Iterator[Finding]:
    """Yield whether CircleCI's webhooks have a secret."""
    if given.circleci_webhook_secret is None:
        yield Finding(what="Webhook", verdict=Verdict.OK, found="not set up: I look at builds by myself")
    elif given.public_url is None:
        fix = "set PUBLIC_URL to the https address that CircleCI reaches"
        yield Finding(what="Webhook", verdict=Verdict.LOOK, found="a secret is set, but no address", fix=fix)
    else:
        yield Finding(what="Webhook", verdict=Verdict.OK, found=f"taken at {given.public_url}/circleci/webhook")


def figures(given: Settings) -> Iterator[Finding]:
    """Yield who may read the figures, where others than ourselves reach the port."""
    if given.metrics_token is not None:
        yield Finding(what="Metrics", verdict=Verdict.OK, found="for who shows METRICS_TOKEN")
    elif given.slack_signing_secret is not None or given.public_url is not None:
        found = "anybody who reaches PORT reads /metrics, and what is wrong at /readyz"
        fix = (
            "set METRICS_TOKEN to a random word (openssl rand -hex 32), or let your proxy pass on what is POSTed alone"
        )
        yield Finding(what="Metrics", verdict=Verdict.LOOK, found=found, fix=fix)


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Say whether nothing is broken."""
    return all(finding.verdict is not Verdict.BROKEN for finding in findings)


def terminal(findings: Sequence[Finding]) -> str:
    """Return the findings for a terminal, one line each and the fix below it."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for one in findings:
        lines.append(f"{MARKS[one.verdict]:<9} {one.what:<{width}}  {one.found}")
        if one.fix:
            lines.append(f"{'':<9} {'':<{width}}  -> {one.fix}")
    return "\n".join([*lines, "", _sum(findings)])


def bad_settings(problems: Sequence[Problem]) -> str:
    """Return what is wrong with the settings, for the terminal of who starts the bot."""
    lines = [f"{name}: {wrong}\n    -> {place(name)}" for name, wrong in problems]
    return "\n".join([*lines, "`python -m bot doctor` checks the rest."])


def message(found: CheckUp) -> Message:
    """Return the findings for Slack: what is wrong first, each with its fix."""
    findings = found.findings
    order = [Verdict.BROKEN, Verdict.LOOK, Verdict.OK]
    lines = [_line(one) for verdict in order for one in findings if one.verdict is verdict]
    return assemble(_sum(findings), section(f"*{escape(_sum(findings))}*"), section(fit(lines, 2900)))


def _line(one: Finding) -> str:
    fix = f"\n    → {literal(one.fix, 300)}" if one.fix else ""
    return f"{MARKS[one.verdict]} · *{literal(one.what, 60)}*: {literal(one.found, 300)}{fix}"


def _sum(findings: Sequence[Finding]) -> str:
    broken = sum(one.verdict is Verdict.BROKEN for one in findings)
    look = sum(one.verdict is Verdict.LOOK for one in findings)
    if broken:
        return f"{count(broken, 'thing')} {'is' if broken == 1 else 'are'} broken."
    return f"Nothing is broken; {count(look, 'thing')} to look at." if look else "All is well."
