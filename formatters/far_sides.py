"""The check-up of Slack and CircleCI in words: whether they are reached, take the tokens, and what those may do."""

from collections.abc import Iterator, Mapping, Sequence

from bot.errors import BotError, CircleCIError, NotFound, Rejected, SlackError, Unauthorized
from bot.models.checkup import Finding, Identity, Verdict
from bot.models.circleci import Collaboration, User
from bot.models.refusals import is_of_the_network
from bot.outside import WHY, why_unreached
from bot.settings import Settings
from formatters.places import APP, CHANNEL_ID, IDS, PLACES

ROUTE = "let this machine reach slack.com by https; behind a proxy set HTTPS_PROXY: docs/setup.md, Proxies"
CERTIFICATES = "who signed it is unknown here: set SSL_CERT_FILE, docs/setup.md, Proxies"
PROXY = "look at HTTPS_PROXY, and at what that proxy lets through: docs/setup.md, Proxies"
ROUTES = {
    WHY["ClientConnectorCertificateError"]: CERTIFICATES,
    WHY["ClientProxyConnectionError"]: PROXY,
    WHY["ClientHttpProxyError"]: PROXY,
}


def slack(who: Identity | BotError, wanted: frozenset[str], optional: frozenset[str]) -> Iterator[Finding]:
    """Yield whose bot token it is, and the scopes it lacks."""
    if isinstance(who, BotError):
        found, fix = no_slack(who, PLACES["SLACK_BOT_TOKEN"])
        yield Finding(what="Bot token", verdict=Verdict.BROKEN, found=found, fix=fix)
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


def no_slack(error: BotError, place: str) -> tuple[str, str]:
    """Return what is wrong with Slack, and what to do: at `place` where it refuses the token itself."""
    code = error.code if isinstance(error, SlackError) else str(error)
    if is_of_the_network(code):
        return f"Slack does not answer at SLACK_API_URL ({why_unreached(code)})", ROUTES.get(why_unreached(code), ROUTE)
    if code.startswith("http_5"):
        return f"Slack is in trouble ({code})", "wait for it: slack-status.com"
    if code.startswith("http_"):
        return f"SLACK_API_URL answers, but not as Slack does ({code})", PLACES["SLACK_API_URL"]
    return f"Slack refuses it: {code}", place


def why_not_started(error: Exception) -> str:
    """Return why the bot cannot start, for the terminal of who starts it."""
    if not isinstance(error, SlackError):
        return str(error)
    found, fix = no_slack(error, "python -m bot doctor says more")
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


def way_in(given: Settings, app_token: BotError | None) -> Iterator[Finding]:
    """Yield how Slack reaches the bot."""
    if given.slack_app_token is not None:
        if app_token is None:
            yield Finding(what="App token", verdict=Verdict.OK, found="good for Socket Mode")
        else:
            found, fix = no_slack(app_token, PLACES["SLACK_APP_TOKEN"])
            yield Finding(what="App token", verdict=Verdict.BROKEN, found=found, fix=fix)
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
        found, _ = no_slack(joined, "")
        yield Finding(what="Channels", verdict=Verdict.LOOK, found=f"not known: {found}", fix="see above")
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
    what, fix = f"Token of {name}", "PROJECTS_FILE, [tokens]: a new personal token of the machine user"
    if isinstance(owner, Unauthorized):
        return Finding(what=what, verdict=Verdict.BROKEN, found=f"CircleCI does not accept it: {owner}", fix=fix)
    return Finding(
        what=what, verdict=Verdict.BROKEN, found=f"CircleCI does not say whose it is: {owner}", fix="see above"
    )


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


def _no_circleci(error: BotError) -> Finding:
    if isinstance(error, Unauthorized):
        found, fix = "CircleCI does not accept it: wrong, expired, or a project token", PLACES["CIRCLECI_TOKEN"]
    elif isinstance(error, NotFound | Rejected):
        found, fix = f"CIRCLECI_URL answers, but not as CircleCI does ({error})", PLACES["CIRCLECI_URL"]
    else:
        found = f"CircleCI does not answer at CIRCLECI_URL ({error})"
        fix = ROUTES.get(str(error), PLACES["CIRCLECI_URL"])
    return Finding(what="CircleCI token", verdict=Verdict.BROKEN, found=found, fix=fix)
