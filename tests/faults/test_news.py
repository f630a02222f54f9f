"""Builds that nobody typed, while a worker that tells of them is killed again and again (`tests/bench/news.py`)."""

from pathlib import Path

from tests.bench.hour import Size
from tests.bench.news import subscriptions


async def test_three_kills_cost_no_channel_a_word_and_tell_it_none_twice(tmp_path: Path) -> None:
    size = Size(projects=16, rules=12, channels=5, builds=120, minutes=12, times=30)
    told, *_ = await subscriptions(tmp_path, size=size, seed=7, kills=3)
    assert told.met, told
