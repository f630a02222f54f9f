"""So many questions of a person are open at a time, whoever counts them and whatever dies."""

from bot.store import Store


async def test_a_question_too_many_is_not_counted_until_another_is_answered(store: Store) -> None:
    assert [await store.questions.open("U0ADA", str(number), 3) for number in range(5)] == [True] * 3 + [False] * 2
    assert await store.questions.open("U0ADA", "1", 3), "a redelivery is the same question"
    assert await store.questions.open("U0GRACE", "9", 3), "hers are her own"
    await store.questions.close("U0ADA", "1")
    assert await store.questions.open("U0ADA", "5", 3)
    assert not await store.questions.open("U0ADA", "6", 3)


async def test_what_nobody_answered_is_forgotten_after_a_while(store: Store) -> None:
    redis = store._connection.redis
    for number in range(3):
        await store.questions.open("U0ADA", str(number), 3)
    assert 0 < await redis.ttl("ci:questions:U0ADA") <= 600
    now = int((await redis.time())[0])
    await redis.zadd("ci:questions:U0ADA", {"0": now - 1})
    assert await store.questions.open("U0ADA", "3", 3)
