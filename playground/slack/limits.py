"""How often Slack lets an app call a method: https://docs.slack.dev/apis/web-api/rate-limits ."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Per minute for the whole workspace; Slack tolerates short bursts.
_TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
_METHODS = {
    "apps.connections.open": 2,  # documented as tier 1, but apps reconnect more often than that unharmed
    "chat.update": 3,
    "chat.delete": 3,
    "reactions.add": 3,
    "reactions.remove": 3,
    "conversations.info": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.open": 3,
    "users.conversations": 3,
    "users.list": 2,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "team.info": 3,
    "auth.test": 4,
}
_POST = "chat.postMessage"


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class Limits:
    """Token buckets; a story may change any number."""

    posts_per_second_per_channel: float = 1
    posts_burst: float = 5
    updates_per_minute: float = 50
    burst_share: float = 0.3
    now: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def retry_after(self, method: str, channel_id: str) -> int:
        """Spend one call; returns 0, or the seconds to wait when there is none left."""
        per_second, burst, key = self._rate(method, channel_id)
        bucket = self._buckets.setdefault(key, _Bucket(burst, self.now()))
        now = self.now()
        bucket.tokens, bucket.at = min(burst, bucket.tokens + (now - bucket.at) * per_second), now
        if bucket.tokens < 1:
            return math.ceil((1 - bucket.tokens) / per_second)
        bucket.tokens -= 1
        return 0

    def _rate(self, method: str, channel_id: str) -> tuple[float, float, tuple[str, str]]:
        if method == _POST:
            return self.posts_per_second_per_channel, self.posts_burst, (method, channel_id)
        per_minute: float = _TIERS[_METHODS.get(method, 4)]
        if method == "chat.update":
            per_minute = self.updates_per_minute
        return per_minute / 60, max(per_minute * self.burst_share, 1), (method, "")
