"""The check-up of Slack and CircleCI in words: whether they are reached, take the tokens, and what those may do."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from bot.errors import BotError, CircleCIError, NotFound, RateLimited, Rejected, SlackError, StoreError, Unauthorized
from bot.models.checkup import Finding, Identity, Verdict
from bot.models.circleci import Collaboration, User
from bot.models.refusals import is_of_the_network, passes
from bot.outside import OF_PROXIES, OF_THE_NETWORK, WHY, variable_for, why_unreached
from bot.settings import Settings
from formatters.blocks import clean
from formatters.places import APP, CHANNEL_ID, IDS, NAMES, PLACES

PROXIES = "docs/setup.md, Proxies"
CERTIFICATES = f"who signed it is unknown here: set SSL_CERT_FILE, {PROXIES}"
AGAIN = "ask again in a minute"


# What is less without an optional scope.
_LOST = {
    **dict.fromkeys(("channels:history", "groups:history"), "a crash may make me say one thing twice"),
    "reactions:write": "a message bears no eyes while I look at it",
    "usergroups:read": "a policy cannot name user groups",
    "users:read.email": "who pushed is known by the projects file alone",
}


def slack(
    given: Settings, who: Identity | BotError, wanted: frozenset[str], optional: frozenset[str]
) -> Iterator[Finding]:
    """Yield whose bot token it is, and the scopes it lacks."""
    if isinstance(who, BotError):
        yield _no_slack("Bot token", who, PLACES["SLACK_BOT_TOKEN"], given)
        return
    yield Finding(what="Bot token", verdict=Verdict.OK, found=f"{who.user} in the workspace {who.team}")
    fix = f"{APP}, OAuth & Permissions, Bot Token Scopes: add them, then Reinstall to Workspace"
    if missing := sorted(wanted - who.scopes):
        yield Finding(what="Scopes", verdict=Verdict.BROKEN, found=f"missing {', '.join(missing)}", fix=fix)
    else:
        yield Finding(what="Scopes", verdict=Verdict.OK, found=f"all {len(wanted)} of the manifest")
    if missing := sorted(optional - who.scopes):
        lost = dict.fromkeys(_LOST.get(scope, "") for scope in missing)
        found = f"without {', '.join(missing)}: {', '.join(filter(None, lost))}"
        yield Finding(what="Optional scopes", verdict=Verdict.LOOK, found=found, fix=fix)


def _no_slack(what: str, error: BotError, place: str, given: Settings) -> Finding:
    found, fix = no_slack(error, place, given)
    if passes(_code(error)):
        return Finding(what=what, verdict=Verdict.LOOK, found=f"not known: {found}", fix=fix)
    return Finding(what=what, verdict=Verdict.BROKEN, found=found, fix=fix)


def no_slack(error: BotError, place: str, given: Settings) -> tuple[str, str]:
    """Return what is wrong with Slack, and what to do: at `place` where it refuses the token itself."""
    code, url = _code(error), given.slack_api_url
    if is_of_the_network(code):
        why = why_unreached(code, url)
        return f"Slack does not answer at SLACK_API_URL ({why})", _route(why, url)
    if passes(code):
        limited = code in ("ratelimited", "rate_limited")
        return "Slack asks to slow down" if limited else f"Slack does not do it for the moment ({code})", AGAIN
    if code.startswith("http_5"):
        return f"Slack is in trouble ({code})", "wait for it: slack-status.com"
    if code.startswith("http_"):
        return f"SLACK_API_URL answers, but not as Slack does ({code})", PLACES["SLACK_API_URL"]
    return f"Slack refuses it: {code}", place


def _code(error: BotError) -> str:
    return error.code if isinstance(error, SlackError) else str(error)


def _route(why: str, url: str) -> str:
    """Return what to do where a far side is not reached."""
    variable = variable_for(url)
    if why in OF_PROXIES:
        return f"look at {variable}, and at what that proxy lets through: {PROXIES}"
    if why == WHY["ClientConnectorCertificateError"]:
        return CERTIFICATES
    return f"let this machine reach {urlsplit(url).hostname}; behind a proxy set {variable}: {PROXIES}"


def why_not_started(error: Exception, given: Settings) -> str:
    """Return why the bot cannot start, for the terminal of who starts it."""
    match error:
        case SlackError():
            found, fix = no_slack(error, "python -m bot doctor says more", given)
        case StoreError() if given.redis_url:
            found, fix = str(error), PLACES["REDIS_URL"]
        case _:
            return str(error)
    return f"{found}\n    -> {fix}"


def unknown(named: Mapping[str, str] | BotError) -> Iterator[Finding]:
    """Yield whom or what a setting names by an id that Slack does not know; nothing where it does not say."""
    for name, by in {} if isinstance(named, BotError) else named.items():
        what = {"S": "user group", "U": "person", "W": "person"}.get(name[:1])
        if what is None:
            found = f"Slack shows me no channel {name}, which {by} names: there is none, or it is private without me"
            yield Finding(what=by, verdict=Verdict.LOOK, found=found, fix=CHANNEL_ID)
            continue
        found = f"Slack knows no {what} {name}, which {by} names: it stands for nobody"
        yield Finding(what=by, verdict=Verdict.LOOK, found=found, fix=IDS)


def refused(named: Mapping[str, str] | BotError) -> Iterator[Finding]:
    """Yield what rules call a project that CircleCI does not show: nobody can tell which one that is by now."""
    for name, why in {} if isinstance(named, BotError) else named.items():
        said = clean(why, 120).rstrip(".")
        found = f"CircleCI does not show me {clean(name, 120)}, which POLICY_FILE names: it says {said}"
        yield Finding(what="Policy names", verdict=Verdict.LOOK, found=found, fix=NAMES)


def way_in(given: Settings, app_token: BotError | None) -> Iterator[Finding]:
    """Yield how Slack reaches the bot."""
    if given.slack_app_token is not None:
        if app_token is None:
            yield Finding(what="App token", verdict=Verdict.OK, found="good for Socket Mode")
        else:
            yield _no_slack("App token", app_token, PLACES["SLACK_APP_TOKEN"], given)
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
        found, fix = no_slack(joined, "see above", given)
        yield Finding(what="Channels", verdict=Verdict.LOOK, found=f"not known: {found}", fix=fix)
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
    given: Settings,
    owners: Mapping[str, User | CircleCIError] | BotError,
    organizations: Sequence[Collaboration] | BotError,
) -> Iterator[Finding]:
    """Yield whose each CircleCI token is, and what the default one can see."""
    if isinstance(owners, BotError):
        yield _no_circleci("CircleCI token", owners, PLACES["CIRCLECI_TOKEN"], given)
        return
    for name, owner in owners.items():
        what = f"Token of {name}" if name else "CircleCI token"
        if isinstance(owner, CircleCIError):
            own = "PROJECTS_FILE, [tokens]: a new personal token of the machine user"
            yield _no_circleci(what, owner, own if name else PLACES["CIRCLECI_TOKEN"], given)
        elif name:
            found = f"belongs to {owner.login or owner.name or 'somebody without a name'}"
            yield Finding(what=what, verdict=Verdict.OK, found=found)
        else:
            yield from _default_token(owner, organizations)


def _default_token(user: User, organizations: Sequence[Collaboration] | BotError) -> Iterator[Finding]:
    name = user.login or user.name or "somebody without a name"
    found = f"belongs to {name}; CircleCI sees all that anybody does here as done by that user"
    yield Finding(what="CircleCI token", verdict=Verdict.OK, found=found)
    if isinstance(organizations, BotError):
        found = f"not known: CircleCI does not say ({organizations})"
        yield Finding(what="Organisations", verdict=Verdict.LOOK, found=found, fix="ask again in a while")
    elif not organizations:
        fix = "add the machine user to your organisation, and log in to app.circleci.com once as that user"
        yield Finding(what="Organisations", verdict=Verdict.LOOK, found="it sees none", fix=fix)
    else:
        seen = [one.name for one in organizations]
        shown = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        yield Finding(what="Organisations", verdict=Verdict.OK, found=f"it sees {shown}")


def _no_circleci(what: str, error: BotError, place: str, given: Settings) -> Finding:
    verdict = Verdict.BROKEN
    match error:
        case Unauthorized():
            found, fix = "CircleCI does not accept it: wrong, expired, or a project token", place
        case NotFound() | Rejected():
            found, fix = f"CIRCLECI_URL answers, but not as CircleCI does ({error})", PLACES["CIRCLECI_URL"]
        case RateLimited():
            verdict, found, fix = Verdict.LOOK, "not known: CircleCI asks to slow down", AGAIN
        case _:
            found = f"CircleCI does not answer at CIRCLECI_URL ({error})"
            fix = f"wait for it: status.circleci.com; or look at CIRCLECI_URL: {PLACES['CIRCLECI_URL']}"
            fix = _route(str(error), given.circleci_url) if str(error) in OF_THE_NETWORK else fix
    return Finding(what=what, verdict=verdict, found=found, fix=fix)
