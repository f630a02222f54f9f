"""The check-up in words: what was found, and for what is wrong the exact place to put it right."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bot.answers.ourselves import CheckUp
from bot.errors import BotError
from bot.models.checkup import Finding, Identity, Memory, Pulse, Verdict
from bot.models.pace import Pace, bounds
from bot.policy import Policy, warnings
from bot.settings import Problem, Projects, Settings
from formatters.blocks import Message, assemble, escape, fit, literal, section
from formatters.places import PLACES, place
from formatters.policy import contents
from formatters.words import count, duration

MARKS = {Verdict.OK: "✅ ok", Verdict.LOOK: "⚠️ look", Verdict.BROKEN: "❌ broken"}
# Slack refuses a signature after five minutes.
CLOCK_LOOK_SECONDS, CLOCK_BROKEN_SECONDS = 60, 240
LATE_INTERVALS = 8
SOONER = "let CircleCI tell me: /ci webhook; or leave CIRCLECI_REQUESTS_PER_SECOND out, or raise it"
EVICTING = ("allkeys", "volatile")


def settings(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield every setting that is missing or wrong."""
    for name, wrong in problems:
        yield Finding(what=name, verdict=Verdict.BROKEN, found=wrong, fix=place(name))
    if not problems:
        yield Finding(what="Settings", verdict=Verdict.OK, found="complete")


def version(number: str) -> Finding:
    """Return which version of the bot this is."""
    return Finding(what="Version", verdict=Verdict.OK, found=f"ci-chatops {number}")


def files(given: Settings, projects: Projects, *, is_open: bool) -> Iterator[Finding]:
    """Yield how the projects file stands, which other users may read where it `is_open`."""
    if given.projects_file and projects.tokens and is_open:
        found = f"other users of this machine may read {given.projects_file}, which has tokens in it"
        fix = f"chmod o-rwx {given.projects_file}"
        yield Finding(what="Projects file", verdict=Verdict.LOOK, found=found, fix=fix)
    elif given.projects_file:
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


def memory(given: Settings, kept: Memory | BotError | None) -> Iterator[Finding]:
    """Yield how Redis stands: what it forgets, the bot forgets."""
    if isinstance(kept, BotError):
        fix = PLACES["REDIS_URL"] if given.redis_url else f"set DATA_DIR to {PLACES['DATA_DIR']}"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=str(kept).removeprefix("Redis: "), fix=fix)
    elif kept is None:
        yield Finding(what="Redis", verdict=Verdict.OK, found=f"the embedded server, in {given.data_dir}")
    elif kept.is_too_old:
        found = f"version {kept.version}; 7.0 or newer is needed"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=found, fix="upgrade the server")
    elif kept.when_full.startswith(EVICTING):
        found = f"when it is full it throws keys away ({kept.when_full}), and with them builds under watch"
        yield Finding(what="Redis", verdict=Verdict.BROKEN, found=found, fix="set maxmemory-policy noeviction")
    elif not kept.append_only:
        found = f"version {kept.version}, but a restart may lose the newest builds, locks and lines of the record"
        yield Finding(what="Redis", verdict=Verdict.LOOK, found=found, fix="set appendonly yes")
    else:
        yield Finding(what="Redis", verdict=Verdict.OK, found=f"version {kept.version}, kept on disk")


def pulse(given: Settings, kept: Memory | BotError | None, tokens: Mapping[str, str]) -> Iterator[Finding]:
    """Yield how much there is to do, who asked to be left alone, and how late results are.

    `tokens` says whose a token of CircleCI is, by what stands behind the name in the list of pauses.
    """
    if not isinstance(kept, Memory):
        return
    pauses = sorted(kept.pulse.paused.items())
    paused = [f"{_far_side(name, tokens)} for {duration(left)}" for name, left in pauses]
    found = f"{count(kept.pulse.watching, 'pipeline')} followed, {_allowed(given, kept.pulse)}"
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


def _far_side(name: str, tokens: Mapping[str, str]) -> str:
    """Return what asked to be left alone, and with which token."""
    side, _, which = name.partition(":")
    return f"{literal(side)} with the token of {literal(tokens[which])}" if which in tokens else literal(name)


def _allowed(given: Settings, beat: Pulse) -> str:
    """Return how often CircleCI is asked, and why not oftener."""
    within = bounds(given.circleci_requests_per_second)
    if within is None:
        return "no limit"
    pace = beat.pace or Pace.first(within, beat.now)
    rate = f"{round(pace.at(beat.now, within), 2):g} requests a second"
    if pace.halvings:
        return f"{rate} for the moment: CircleCI asked me to slow down {count(pace.halvings, 'time')}"
    return rate if given.circleci_requests_per_second else f"{rate} for the moment: CircleCI has not asked for fewer"


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
    """Yield whether CircleCI's webhooks have a secret and an address."""
    if given.circleci_webhook_secret is None and given.public_url is not None and not given.agents:
        fix = "set CIRCLECI_WEBHOOK_SECRET to a random word (openssl rand -hex 32), or leave PUBLIC_URL out"
        yield Finding(what="Webhook", verdict=Verdict.LOOK, found="an address is set, but no secret", fix=fix)
    elif given.circleci_webhook_secret is None:
        yield Finding(what="Webhook", verdict=Verdict.OK, found="not set up: I look at builds by myself")
    elif given.public_url is None:
        fix = "set PUBLIC_URL to the https address that CircleCI reaches"
        yield Finding(what="Webhook", verdict=Verdict.LOOK, found="a secret is set, but no address", fix=fix)
    else:
        yield Finding(what="Webhook", verdict=Verdict.OK, found=f"taken at {given.public_url}/circleci/webhook")


def agents(given: Settings) -> Iterator[Finding]:
    """Yield where agents are let in, if they are."""
    if given.agents and given.public_url is None:
        fix = "set PUBLIC_URL to the https address that agents reach"
        yield Finding(what="Agents", verdict=Verdict.LOOK, found="let in from this machine alone, at /mcp", fix=fix)
    elif given.agents:
        found = f"let in at {given.public_url}/mcp, and at {given.public_url}/mcp/readonly to look alone"
        yield Finding(what="Agents", verdict=Verdict.OK, found=found)


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
