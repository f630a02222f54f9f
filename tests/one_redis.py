"""One Redis for all the tests of this process: a start for each would cost more than most of them do themselves.

It is the server that runs beside a bot without a REDIS_URL. How a bot starts that one is for `tests/test_embedded.py`,
`tests/processes` and whatever gives `redis_url=None` to a team.
"""

import atexit
import shutil
import subprocess
import tempfile
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.retry import Retry

from bot.embedded import _binary, _die_with_parent
from bot.store import Store

DATABASES = 16  # what one test leaves running does not write to the next one's
_opened = count()


@cache
def redis_url(folder: Path) -> str:
    """Return the address of a database that nobody has written to; for the same folder the same one again."""
    url = f"unix://{_server()}?db={next(_opened) % DATABASES}"
    with Redis.from_url(url, retry=Retry(ConstantBackoff(0.01), 1000), retry_on_error=[NoConnection]) as client:
        client.flushdb()
    return url


def server_is(store: Store, ahead: timedelta) -> None:
    """Let a store read a server whose clock is so far ahead: as from a host whose own is that much behind."""

    def reads(response: Any, **_: Any) -> tuple[int, int]:
        return int(response[0]) + int(ahead.total_seconds()), int(response[1])

    store._connection.redis.set_response_callback("TIME", reads)


@cache
def _server() -> Path:
    """Start it; it ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="one-redis-"))
    options = ("--port", "0", "--unixsocket", "redis.sock", "--dir", str(folder), "--appendonly", "yes", "--save", "")
    process = subprocess.Popen(
        (str(_binary()), *options, "--databases", str(DATABASES)),
        stdout=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # no thread of the tests runs yet
    )
    atexit.register(shutil.rmtree, folder)
    atexit.register(process.wait)
    atexit.register(process.kill)
    return folder / "redis.sock"
