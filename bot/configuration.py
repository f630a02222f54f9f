"""Reads the settings, the projects file and the policy file, and says all that is wrong with them at once."""

import errno
import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr, ValidationError

from bot.policy import DEFAULT, BadPolicy, Policy, parse
from bot.settings import NO_WAY_IN, Problem, Projects, Settings

# By pydantic's name of what is wrong.
_WRONG = {
    "missing": "it is not set",
    "int_parsing": "it must be a whole number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a number",
    "bool_parsing": "it must be true or false",
    "greater_than": "it must be more than {gt:.15g}",
    "greater_than_equal": "it must be {ge:.15g} or more",
    "less_than_equal": "it must be {le:.15g} or less",
    "too_short": "it must have {min_length} characters or more",
    "string_too_short": "it must have {min_length} characters or more",
}


class BadSettings(Exception):
    """Settings that cannot work: `problems` holds each with its name and what is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{name}: {wrong}" for name, wrong in problems))
        self.problems = problems


def load() -> tuple[Settings, Projects]:
    """Return the settings and the projects file, or raise BadSettings with all that is wrong at once."""
    settings, projects, problems = examine()
    if problems:
        raise BadSettings(problems)
    return settings, projects


def examine() -> tuple[Settings, Projects, list[Problem]]:
    """Return the settings with defaults in place of what is wrong, the projects file, and all that is wrong."""
    problems: list[Problem] = []
    replaced: dict[str, object] = {}
    try:
        settings = Settings()
    except ValidationError as error:
        for item in error.errors():
            name = str(item["loc"][0])
            problems.append((name.upper(), in_words(item["type"], item["msg"], item.get("ctx", {}))))
            field = Settings.model_fields[name]
            replaced[name] = SecretStr("") if field.is_required() else field.default
        settings = Settings(**replaced)  # type: ignore[arg-type]  # by field name
    if not (settings.slack_app_token or settings.slack_signing_secret) and "slack_app_token" not in replaced:
        problems.append(("SLACK_APP_TOKEN", NO_WAY_IN))
    problems += _ways_out(settings)
    projects = Projects()
    try:
        projects = load_projects(settings.projects_file)
    except BadSettings as error:
        problems += error.problems
    try:
        load_policy(settings.policy_file)
    except BadSettings as error:
        problems += error.problems
    return settings, projects.read_beside(settings.circleci_url), problems


def _ways_out(settings: Settings) -> list[Problem]:
    """Return what is wrong with the proxies that would be used, and with the certificates: a library tells nobody."""
    from bot import outside  # noqa: PLC0415  # a fifth of a second of imports, for who runs the bot or asks the doctor

    urls = (settings.slack_api_url, settings.circleci_url)
    found = {outside.variable_for(url): wrong for url in urls if (wrong := outside.wrong_proxy(url))}
    file = os.environ.get("SSL_CERT_FILE", "")  # noqa: TID251  # this is where it is read
    if file and (wrong := outside.wrong_certificates(file)):
        found["SSL_CERT_FILE"] = f"{file}: {wrong}"
    return list(found.items())


def why_not_served(error: OSError, settings: Settings) -> BadSettings:
    """Return which setting keeps us from listening, and what is wrong with it."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return BadSettings([("HOST", f"{settings.host} is no address of this machine")])
    known = {errno.EADDRINUSE: "is taken by another process", errno.EACCES: "may not be used by this user"}
    wrong = known.get(error.errno or 0, f"cannot be listened on: {(error.strerror or '').lower()}")
    return BadSettings([("PORT", f"{settings.port} {wrong}")])


def empty_environment() -> None:
    """Take the secrets out of the environment: nobody but us is to read them there, no library and no child of ours.

    Bolt would find SLACK_BOT_TOKEN, and warn at each start that it is given a client already; where it finds
    SLACK_CLIENT_ID and SLACK_CLIENT_SECRET it keeps files for many workspaces. So nothing of Slack's stays.
    """
    secret = {name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    for name in [one for one in os.environ if one.upper() in secret or one.upper().startswith("SLACK_")]:  # noqa: TID251  # this is where it is read
        del os.environ[name]  # noqa: TID251  # as above


def load_projects(path: Path | None) -> Projects:
    """Return what the projects file says, or defaults without one."""
    if path is None:
        return Projects()
    try:
        return Projects.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        told = ((".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, ")) for item in error.errors())
        raise BadSettings([("PROJECTS_FILE", f"{path}: {'; '.join(f'{at}: {said}' for at, said in told)}")]) from None
    except (OSError, ValueError) as error:
        raise BadSettings([("PROJECTS_FILE", f"{path}: {_unread(error)}")]) from error


def load_policy(path: Path | None) -> Policy:
    """Return what the policy file says, the default without one; raises BadSettings."""
    if path is None:
        return DEFAULT
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (BadPolicy, OSError, ValueError) as error:
        raise BadSettings([("POLICY_FILE", f"{path}: {_unread(error)}")]) from error


def _unread(error: Exception) -> str:
    """Return in words why a file says nothing."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case OSError():
            return f"it cannot be read: {(error.strerror or '').lower()}"
        case UnicodeDecodeError():
            return "it is no text in UTF-8"
    return str(error)


def in_words(kind: str, message: str, limits: Mapping[str, object]) -> str:
    """Return in words what is wrong with a value: pydantic's kind of it and its message, and the limits it names."""
    return _WRONG[kind].format_map(limits) if kind in _WRONG else message.removeprefix("Value error, ")
