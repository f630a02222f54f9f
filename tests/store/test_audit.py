"""The record is read as far back as it takes, and nothing but its age pushes an act out of it."""

from datetime import timedelta

from bot.models.audit import Entry
from bot.models.slack import utc_now
from bot.store import Store
from bot.store.audit import PAGE

WEEK, YEAR = timedelta(days=7), timedelta(days=365)


def entry(about: str = "acme/frontend main", result: str = "") -> Entry:
    return Entry(
        at=utc_now(), user_id="U0ADA", channel_id="C0", word="deploy", what="deploy", about=about, result=result
    )


def everything(_: Entry) -> bool:
    return True


async def of_project(store: Store, title: str, most: int = 25) -> list[Entry]:
    return await store.audit.lately(WEEK, lambda one: one.about.startswith(title), most)


async def test_acts_and_refusals_are_read_as_one_newest_first(store: Store) -> None:
    for number in range(6):
        await store.audit.add(entry(result=str(number)), YEAR, refused=number % 2 == 1)
    found = await store.audit.lately(WEEK, everything, 4)
    assert [one.result for one in found] == ["5", "4", "3", "2"]


async def test_a_quiet_project_is_not_drowned_by_a_loud_one(store: Store) -> None:
    await store.audit.add(entry("acme/quiet main"), YEAR)
    for _ in range(2 * PAGE):
        await store.audit.add(entry("acme/loud main"), YEAR)
    assert len(await of_project(store, "acme/quiet")) == 1
    assert len(await of_project(store, "acme/loud")) == 25
    assert await of_project(store, "acme/none") == []


async def test_a_flood_of_refusals_pushes_nothing_out(store: Store) -> None:
    await store.audit.add(entry(result="done"), YEAR)
    for _ in range(PAGE + 1):
        await store.audit.add(entry(result="refused"), YEAR, refused=True)
    assert [one.result for one in await store.audit.lately(WEEK, lambda one: one.result == "done", 25)] == ["done"]
    assert await store._connection.redis.xlen("ci:audit") == 1


async def test_a_process_whose_clock_is_wrong_empties_nothing(store: Store) -> None:
    for _ in range(203):
        await store.audit.add(entry(), YEAR)
    ahead = entry().model_copy(update={"at": utc_now() + timedelta(days=366)})
    await store.audit.add(ahead, YEAR)
    await store.audit.add(ahead, YEAR, refused=True)
    assert len(await store.audit.lately(WEEK, everything, 1000)) == 205


async def test_what_is_too_old_is_dropped_and_not_shown(store: Store) -> None:
    redis = store._connection.redis
    for stream in ("ci:audit", "ci:audit:refused"):
        for second in range(1, 301):  # many: Redis drops whole blocks of a hundred
            await redis.xadd(stream, {"entry": entry().model_dump_json()}, id=f"{second}000-0")
    assert await store.audit.lately(WEEK, everything, 1000) == []
    for refused in (False, True):
        await store.audit.add(entry(), YEAR, refused=refused)
    assert len(await store.audit.lately(WEEK, everything, 1000)) == 2
    assert await redis.xlen("ci:audit") + await redis.xlen("ci:audit:refused") < 202
    assert 0 < await redis.ttl("ci:audit:refused") <= YEAR.total_seconds()


async def test_an_act_of_another_version_hides_no_other(store: Store) -> None:
    await store.audit.add(entry(), YEAR)
    await store._connection.redis.xadd("ci:audit", {"entry": '{"of": "the future"}'})
    await store.audit.add(entry(), YEAR)
    assert len(await store.audit.lately(WEEK, everything, 2)) == 2
