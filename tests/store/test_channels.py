"""What a channel uses is kept by its id, for all processes, until it is ended; the last act of each person there."""

from datetime import UTC, datetime
from pathlib import Path

from bot.models.caller import Caller, Place
from bot.models.channel import LastAct, Used
from bot.models.circleci import ProjectSlug, Ref
from bot.store import Store
from tests.one_redis import redis_url
from tests.store.conftest import KEEP

ADA = Caller(person_id="U0ADA", place=Place(channel_id="C1"), delivery_id="1")
USED = Used(
    project_slug=ProjectSlug("gh/acme/frontend"),
    project_title="acme/frontend",
    ref=Ref(name="main"),
    by_id="U0ADA",
    since=datetime(2026, 11, 20, tzinfo=UTC),
)


async def test_what_a_channel_uses_is_there_for_another_process(store: Store, tmp_path: Path) -> None:
    await store.channels.use("C1", USED)
    other = Store(redis_url(tmp_path), retention=KEEP)
    assert await other.channels.used("C1") == USED
    assert await other.channels.used("C2") is None
    assert await other.channels.use_nothing("C1")
    assert not await store.channels.use_nothing("C1")
    assert await store.channels.used("C1") is None
    await other.close()


async def test_the_last_act_is_of_one_person_in_one_channel_and_holds_no_secret(store: Store) -> None:
    did = LastAct(line="deploy gh/acme/frontend main", title="acme/frontend", ref=Ref(name="main"))
    await store.channels.did(ADA, did)
    assert await store.channels.last_of(ADA) == did
    elsewhere = ADA.model_copy(update={"place": Place(channel_id="C2")})
    assert await store.channels.last_of(elsewhere) is None
    assert await store.channels.last_of(ADA.model_copy(update={"person_id": "U0GRACE"})) is None
    secret = did.model_copy(update={"line": f"deploy gh/acme/frontend main token=ghp_{'a1B2' * 9}"})
    await store.channels.did(ADA, secret)
    assert await store.channels.last_of(ADA) is None
