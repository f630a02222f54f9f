"""Every environment variable the bot reads, with its unit and its default."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis.asyncio.connection import parse_url

from bot.masks import SHORTEST_DECLARED, is_too_short
from bot.models.addresses import reached_at, without_end
from bot.policy import an_id
from bot.projects import CLOUD, ProjectEntry, Projects, of_a_person

# Both files of an installation are read through here: the environment, and the projects file.
__all__ = ["CLOUD", "NO_WAY_IN", "Days", "Problem", "ProjectEntry", "Projects", "Seconds", "Settings"]

NO_WAY_IN = "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP): without one Slack cannot reach me"
Problem = tuple[str, str]
Seconds = Annotated[float, Field(gt=0, le=31_536_000)]  # a year: what is no time any more overflows later
Days = Annotated[float, Field(gt=0, le=36_500)]


class Settings(BaseSettings):
    """The public contract with whoever installs the bot; README.md lists the same names."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, allow_inf_nan=False)

    slack_bot_token: SecretStr = Field(description="Bot token, `xoxb-…` (Slack: OAuth & Permissions)")
    slack_signing_secret: SecretStr | None = Field(
        None, description="Signing secret, for HTTP mode (Slack: Basic Information)"
    )
    slack_app_token: SecretStr | None = Field(
        None, description="App-level token, `xapp-…`, for Socket Mode (Slack: Basic Information)"
    )
    slack_api_url: str = Field("https://slack.com", description="Where Slack's Web API lives; `/api/` is added")
    circleci_token: SecretStr = Field(description="Personal API token of a machine user (CircleCI: User Settings)")
    circleci_url: str = Field(CLOUD, description="CircleCI Cloud or the address of a Server")
    circleci_webhook_secret: SecretStr | None = Field(
        None, description="Secret of CircleCI's outbound webhooks; with it `/circleci/webhook` is served"
    )
    redis_url: SecretStr | None = Field(
        None, description="`redis://`, `rediss://` or `unix://`; an own embedded server when not set"
    )
    data_dir: Path = Field(Path("data"), description="Where the embedded server keeps its data")
    public_url: str | None = Field(None, description="Where CircleCI and agents reach me, `https://…`")
    host: str = Field("0.0.0.0", description="Address the HTTP server listens on")  # noqa: S104  # containers
    port: int = Field(3000, ge=0, le=65535, description="Port the HTTP server listens on")
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Asked for at `/metrics`, and for the reasons of `/readyz`: `Bearer …`. At least 16 characters",
    )
    admins: Annotated[tuple[Annotated[str, an_id("UW")], ...], NoDecode] = Field(
        (), description="Slack user ids of those who run it, comma-separated: `/ci doctor` is theirs"
    )
    operator_channel: Annotated[str, an_id("CGD")] | None = Field(
        None, description="Channel id where the operator is told of trouble"
    )
    policy_file: Path | None = Field(None, description="Who may do what: TOML, see docs/policy.md")
    projects_file: Path | None = Field(None, description="Aliases, default VCS, definitions: TOML")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    poll_interval_seconds: Seconds = Field(5, description="Pause between two looks at a young build")
    grace_seconds: Seconds | None = Field(None, description='Wait before "no workflow ran"; default 15 poll intervals')
    settle_seconds: Seconds | None = Field(None, description="Wait before the final word; default 2 poll intervals")
    automatic_rerun_seconds: Seconds | None = Field(
        None, description="Wait for CircleCI's own rerun before the final word; default 12 poll intervals"
    )
    on_hold_seconds: Seconds | None = Field(
        None, description="Pause between looks at a build on hold, longer each hour; default 12 poll intervals"
    )
    linger_seconds: Seconds | None = Field(
        None, description="How long a red build is looked at for a rerun (green: a quarter); default 720 poll intervals"
    )
    subscription_seconds: Seconds = Field(
        300, description="Pause between two looks at the builds of a project with subscribers; thrice with its webhooks"
    )
    lease_seconds: Seconds | None = Field(
        None, description="When another worker takes over from a dead one; default 3 poll intervals, at least 5 s"
    )
    artifact_max_megabytes: Seconds = Field(20, description="Largest artifact that `artifacts get` puts into Slack")
    retention_days: Days = Field(
        30, description="How long finished builds and their buttons are remembered, and waiting ones followed"
    )
    approval_minutes: Seconds = Field(60, description="How long a deploy waits for the second person of a policy")
    audit_retention_days: Days = Field(365, description="How long the record of who did what is kept")
    audit_log: bool = Field(False, description="Write each act to standard output as well, a JSON line each")
    mask_values: SecretStr | None = Field(
        None,
        description='Values that must never be shown, comma-separated or as a JSON list (`["a,b", "c"]`): masked in '
        "all that CircleCI says, also as base64, URL-encoded or escaped. At least 6 characters each",
    )
    slack_posts_per_second_per_channel: float = Field(
        1, ge=0, description="Budget for new messages in one channel; 0 for none"
    )
    slack_updates_per_minute: float = Field(
        50, ge=0, description="Budget for edits of messages in the workspace; 0 for none"
    )
    history_builds: int = Field(
        30, ge=0, le=100, description="How many earlier builds a failure is compared with; 0 for none"
    )
    circleci_requests_per_second: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Most requests a second to CircleCI, for each token; learned if not set; 0 for no limit",
    )

    agents: bool = Field(
        False,
        description="Let agents in at `/mcp`: see docs/agents.md; without `PUBLIC_URL` from the same machine alone",
    )
    agent_calls_per_minute: int = Field(30, ge=1, description="Most calls a minute of each agent")

    @field_validator("*", mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        if isinstance(value, str) and value != value.strip(" \t\r\n\"'"):
            raise ValueError("it has quotes or blanks around it: leave them out")
        return value

    @field_validator("slack_bot_token", "slack_app_token")
    @classmethod
    def _right_kind(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Refuse a token of another kind; an empty one stands for one that is missing."""
        kinds = {"slack_bot_token": ("xoxb-", "xoxe.xoxb-"), "slack_app_token": ("xapp-",)}[str(info.field_name)]
        if value and value.get_secret_value() and not value.get_secret_value().startswith(kinds):
            raise ValueError(f"this is a token of another kind: it must start with {kinds[0]}")
        return value

    @field_validator("circleci_token")
    @classmethod
    def _personal(cls, value: SecretStr) -> SecretStr:
        return of_a_person(value)

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        try:
            _with_password(value)
            is_one = value is None or _has_a_database(value.get_secret_value())
        except ValueError:  # its text would quote the address
            is_one = False
        if not is_one:
            raise ValueError("must be an address such as redis://user:password@host:6379/0")
        return value

    @field_validator("mask_values")
    @classmethod
    def _maskable(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what would be masked in half of all words, or not at all; the values are named by their places."""
        listed = _listed(value)
        short = [str(place) for place, one in enumerate(listed, start=1) if is_too_short(one)]
        if short:
            raise ValueError(
                f"of its {len(listed)} values number {', '.join(short)} is shorter than the {SHORTEST_DECLARED} "
                'characters that can be masked; if one has a comma in it, write all as a JSON list: ["a,b", "c"]'
            )
        return value

    @field_validator("admins", mode="before")
    @classmethod
    def _split_admins(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("circleci_url", "slack_api_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        return without_end(value).removesuffix("/api")

    @field_validator("public_url")
    @classmethod
    def _host_alone(cls, value: str | None) -> str | None:
        return reached_at(value, schemes=("https", "http")) if value else None

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be shown: the credentials, and those of MASK_VALUES."""
        others = ("mask_values", "redis_url")
        kept = [value for name, value in self if isinstance(value, SecretStr) and name not in others]
        known = [*(value.get_secret_value() for value in kept), *_with_password(self.redis_url)]
        known += _listed(self.mask_values)
        return tuple(value.strip() for value in known if value.strip())

    @property
    def poll_interval(self) -> timedelta:
        """The youngest pause between two looks at a build; the other waits default to multiples of it."""
        return timedelta(seconds=self.poll_interval_seconds)

    @property
    def pace(self) -> timedelta:
        """The shortest pause between two looks at a build, however often somebody asks for one."""
        return self.poll_interval / 2

    def _wait(self, chosen: float | None, times: int) -> timedelta:
        return timedelta(seconds=chosen) if chosen is not None else times * self.poll_interval

    @property
    def grace(self) -> timedelta:
        """How long a pipeline may stay without a workflow before that is said."""
        return self._wait(self.grace_seconds, 15)

    @property
    def settle(self) -> timedelta:
        """How long a build must look finished before the final word."""
        return self._wait(self.settle_seconds, 2)

    @property
    def automatic_rerun(self) -> timedelta:
        """How long a failed run with automatic reruns left is waited for."""
        return self._wait(self.automatic_rerun_seconds, 12)

    @property
    def on_hold(self) -> timedelta:
        """The pause between two looks at a build that waits for a person."""
        return self._wait(self.on_hold_seconds, 12)

    @property
    def linger(self) -> timedelta:
        """How long a build that ended red is looked at for reruns from elsewhere."""
        return self._wait(self.linger_seconds, 720)

    @property
    def subscription(self) -> timedelta:
        """The pause between two looks at the list of a project's builds."""
        return timedelta(seconds=self.subscription_seconds)

    @property
    def lease(self) -> timedelta:
        """After how long the work of a dead process is taken over."""
        return max(self._wait(self.lease_seconds, 3), timedelta(seconds=5))

    @property
    def back_off(self) -> timedelta:
        """The first pause before CircleCI is asked again what it did not answer; somebody may be waiting for it."""
        return min(self.poll_interval / 25, timedelta(seconds=0.2))

    @property
    def is_cloud(self) -> bool:
        """Say whether it is CircleCI Cloud, and no Server."""
        return self.circleci_url == CLOUD

    @property
    def web_url(self) -> str:
        """Where people look at CircleCI: Cloud has its own host for that, a Server has one for both."""
        return "https://app.circleci.com" if self.is_cloud else self.circleci_url


def _has_a_database(address: str) -> bool:
    """Say whether what is behind the host is a number or nothing; redis-py takes anything else for database 0."""
    url = urlsplit(address)
    return url.scheme == "unix" or url.path.strip("/").isdecimal() or not url.path.strip("/")


def _with_password(address: SecretStr | None) -> list[str]:
    """Return an address of Redis and its password, or nothing where it has none; raises ValueError for no address."""
    url = address.get_secret_value() if address else ""
    password = parse_url(url).get("password") if url else None
    return [url, password] if password else []


def _listed(values: SecretStr | None) -> list[str]:
    """Return the values of MASK_VALUES; raises ValueError for what begins and ends as a JSON list and is none."""
    text = values.get_secret_value() if values else ""
    if not (text.startswith("[") and text.endswith("]")):
        return [one.strip() for one in text.split(",") if one.strip()]
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise ValueError('it looks like a JSON list and is none of texts: write ["a,b", "c"], or a,b without brackets')
    return listed
