"""When a lock is to end, as people say it: each row is what is typed behind the project, and what is read of it."""

from datetime import UTC, datetime

import pytest

from bot import ends
from bot.errors import UsageError
from bot.grammar import split

# A Sunday: 17:30 in Berlin, 16:30 by UTC, 11:30 in New York.
NOW = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def read(text: str, zone: str = BERLIN, now: datetime = NOW, *, branch: bool = True) -> tuple[str, str, str]:
    """Return the end in UTC, what is noted of it, and the reason that is left."""
    said, reason = ends.find(split(text), behind_a_branch=branch)
    left = " ".join(word.text for word in reason)
    if not said:
        return "", "", left
    end = ends.read(said, now, zone)
    return f"{end.at:%Y-%m-%d %H:%M}", " ".join(end.notes), left


@pytest.mark.parametrize(
    ("text", "at", "notes", "reason"),
    [
        # The time of the clock, before the reason and behind it.
        ("migration until 18:00", "2026-11-29 17:00", "", "migration"),
        ("until 18:00 migration", "2026-11-29 17:00", "", "migration"),
        ("until 18:00, migration", "2026-11-29 17:00", "", "migration"),
        ("main until 18:00 migration", "2026-11-29 17:00", "", "main migration"),
        ("main: migration, until 18.00.", "2026-11-29 17:00", "", "main: migration,"),
        ("Till 9pm", "2026-11-29 20:00", "", ""),
        ("til 9:15 PM migration", "2026-11-29 20:15", "", "migration"),
        ("until midnight", "2026-11-29 23:00", "", ""),
        ("until 24:00", "2026-11-29 23:00", "", ""),
        ("until 17:30 UTC migration", "2026-11-29 17:30", "", "migration"),
        ("until 12am", "2026-11-29 23:00", "tomorrow", ""),
        ("until 12pm", "2026-11-30 11:00", "tomorrow", ""),
        # What has passed today is tomorrow's, and that is said.
        ("until 17:00", "2026-11-30 16:00", "tomorrow", ""),
        ("until 17:30", "2026-11-30 16:30", "tomorrow", ""),
        ("until 17:31", "2026-11-29 16:31", "", ""),
        ("until noon deploys", "2026-11-30 11:00", "tomorrow", "deploys"),
        # Another day.
        ("till tomorrow 9:00", "2026-11-30 08:00", "", ""),
        ("until 9:00 tomorrow, freeze", "2026-11-30 08:00", "", "freeze"),
        ("until tomorrow at 9am freeze", "2026-11-30 08:00", "", "freeze"),
        ("until today 18:00", "2026-11-29 17:00", "", ""),
        ("until Monday 9:00", "2026-11-30 08:00", "", ""),
        ("until wed at 9:00 freeze", "2026-12-02 08:00", "", "freeze"),
        ("until sunday 17:00", "2026-12-06 16:00", "next_week", ""),
        ("until on friday 9:00", "2026-12-04 08:00", "", ""),
        ("until 2026-12-01 09:00", "2026-12-01 08:00", "", ""),
        ("until 2026-12-01T09:00 freeze", "2026-12-01 08:00", "", "freeze"),
        ("freeze until 9:00 2026-12-01", "2026-12-01 08:00", "", "freeze"),
        # A day with its month.
        ("until 17:00 Dec 3", "2026-12-03 16:00", "", ""),
        ("until Dec 3 17:00 freeze", "2026-12-03 16:00", "", "freeze"),
        ("until 3 December at 17:00", "2026-12-03 16:00", "", ""),
        ("until 17:00 on 3rd of December, freeze", "2026-12-03 16:00", "", "freeze"),
        ("until December 3rd, 2026 5pm", "2026-12-03 16:00", "", ""),
        ("until 5 pm 3 dec 2026 freeze", "2026-12-03 16:00", "", "freeze"),
        ("freeze by Dec 3 17:00", "2026-12-03 16:00", "", "freeze"),
        ("until 17:00 may release", "2026-11-30 16:00", "tomorrow", "may release"),
        ("until 17:00 3 bugs are left", "2026-11-30 16:00", "tomorrow", "3 bugs are left"),
        ("until 17:00 3.12 is out", "2026-11-30 16:00", "tomorrow", "3.12 is out"),
        # A length of time.
        ("2h", "2026-11-29 18:30", "", ""),
        ("2h migration", "2026-11-29 18:30", "", "migration"),
        ("migration 2h", "2026-11-29 18:30", "", "migration"),
        ("main 2h migration", "2026-11-29 18:30", "", "main migration"),
        ("for 90m", "2026-11-29 18:00", "", ""),
        ("for 90 minutes migration", "2026-11-29 18:00", "", "migration"),
        ("migration for 1h30m.", "2026-11-29 18:00", "", "migration"),
        ("for 3d", "2026-12-02 16:30", "", ""),
        ("90 minutes", "2026-11-29 18:00", "", ""),
        ("main 2 hours migration", "2026-11-29 18:30", "", "main migration"),
        ("migration 2 hrs", "2026-11-29 18:30", "", "migration"),
        ("migration 1 h.", "2026-11-29 17:30", "", "migration"),
        ("1.5h migration", "2026-11-29 18:00", "", "migration"),
        ("main 1,5 hours", "2026-11-29 18:00", "", "main"),
        ("migration 2h30", "2026-11-29 19:00", "", "migration"),
        ("2 hours and 30 minutes, migration", "2026-11-29 19:00", "", "migration"),
        ("an hour and a half", "2026-11-29 18:00", "", ""),
        ("migration for an hour", "2026-11-29 17:30", "", "migration"),
        ("for two hours migration", "2026-11-29 18:30", "", "migration"),
        ("main half an hour", "2026-11-29 17:00", "", "main"),
        ("migration half an hour", "2026-11-29 17:00", "", "migration"),
        ("for the next 2 hours migration", "2026-11-29 18:30", "", "migration"),
        ("for about an hour", "2026-11-29 17:30", "", ""),
        ("for a day", "2026-11-30 16:30", "", ""),
        ("migration for one week", "2026-12-06 16:30", "", "migration"),
        ("main two and a half hours", "2026-11-29 19:00", "", "main"),
        ("for 3 and a half days migration", "2026-12-03 04:30", "", "migration"),
        ("for one and half hours", "2026-11-29 18:00", "", ""),
        ("for a half hour", "2026-11-29 17:00", "", ""),
        ("for 2 days and a half hour", "2026-12-01 17:00", "", ""),
        ("main twenty four hours", "2026-11-30 16:30", "", "main"),
        ("for thirty-five minutes", "2026-11-29 17:05", "", ""),
        ("for an hour and twenty five minutes", "2026-11-29 17:55", "", ""),
        ("for seventeen days", "2026-12-16 16:30", "", ""),
        ("2.0 2h", "2026-11-29 18:30", "", "2.0"),
        ("for 2 hours and 3 bugs are left", "2026-11-29 18:30", "", "and 3 bugs are left"),
        ("main by 23:00 migration", "2026-11-29 22:00", "", "main migration"),
        ("by 23:00", "2026-11-29 22:00", "", ""),
        ("migration by tomorrow 9:00", "2026-11-30 08:00", "", "migration"),
        ("for 2h, monday is the release", "2026-11-29 18:30", "", "monday is the release"),
        ("2.10 2h", "2026-11-29 18:30", "", "2.10"),
        ('"tomorrow is the day" 2h', "2026-11-29 18:30", "", "tomorrow is the day"),
        ("monday is the release 2h", "2026-11-29 18:30", "", "monday is the release"),
        # A reason, and no end.
        ("fix it by grace", "", "", "fix it by grace"),
        ("we want by 23:00 to be done", "", "", "we want by 23:00 to be done"),
        ("must be done by friday", "", "", "must be done by friday"),
        ("back in 2 hours", "", "", "back in 2 hours"),
        ("2 hours of delay", "", "", "2 hours of delay"),
        ("broken two and a half hours ago", "", "", "broken two and a half hours ago"),
        ("broken 3 hours ago", "", "", "broken 3 hours ago"),
        ("wait a minute", "", "", "wait a minute"),
        ("one day we mend it", "", "", "one day we mend it"),
        ("500s everywhere", "", "", "500s everywhere"),
        ("for a while", "", "", "for a while"),
        ('slow "2 hours"', "", "", "slow 2 hours"),
        ("", "", "", ""),
        ("for release", "", "", "for release"),
        ("red since 2h", "", "", "red since 2h"),
        ("users see 30m of delay", "", "", "users see 30m of delay"),
        ('"until the migration is done"', "", "", "until the migration is done"),
        ('freeze "until 17:00"', "", "", "freeze until 17:00"),
    ],
)
def test_an_end_is_read_in_the_zone_of_who_says_it(text: str, at: str, notes: str, reason: str) -> None:
    assert read(text) == (at, notes, reason)


def test_the_second_word_is_a_length_of_time_only_where_the_first_may_be_a_branch() -> None:
    assert read("waited 2h already", branch=False) == ("", "", "waited 2h already")


@pytest.mark.parametrize(
    ("zone", "at", "notes"),
    [
        (NEW_YORK, "2026-11-29 23:00", ""),
        ("Asia/Tokyo", "2026-11-30 09:00", ""),
        ("Etc/UTC", "2026-11-29 18:00", ""),
        ("", "2026-11-29 18:00", "utc"),
        ("Mars/Olympus", "2026-11-29 18:00", "utc"),
        ("../etc/passwd", "2026-11-29 18:00", "utc"),
    ],
)
def test_each_zone_has_its_own(zone: str, at: str, notes: str) -> None:
    assert read("until 18:00", zone)[:2] == (at, notes)


@pytest.mark.parametrize(
    ("zone", "now", "text", "at", "notes"),
    [
        # Clocks are put forward from 2:00 to 3:00, or back from 3:00 to 2:00.
        (BERLIN, datetime(2026, 3, 28, 20, tzinfo=UTC), "until 2:30", "2026-03-29 01:30", "tomorrow skipped"),
        (BERLIN, datetime(2026, 3, 28, 20, tzinfo=UTC), "until tomorrow 4:00", "2026-03-29 02:00", ""),
        (BERLIN, datetime(2026, 10, 24, 20, tzinfo=UTC), "until tomorrow 2:30", "2026-10-25 01:30", "twice"),
        (BERLIN, datetime(2026, 10, 25, 0, 40, tzinfo=UTC), "until 2:30", "2026-10-25 01:30", "twice"),
        (BERLIN, datetime(2026, 10, 24, 20, tzinfo=UTC), "until tomorrow 9:00", "2026-10-25 08:00", ""),
        (BERLIN, datetime(2026, 10, 24, 20, tzinfo=UTC), "for 1d", "2026-10-25 20:00", ""),
        (NEW_YORK, datetime(2026, 3, 8, 0, tzinfo=UTC), "until tomorrow 2:30", "2026-03-08 07:30", "skipped"),
    ],
)
def test_clocks_that_are_put_forward_or_back(zone: str, now: datetime, text: str, at: str, notes: str) -> None:
    assert read(text, zone, now)[:2] == (at, notes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("until", "I cannot tell when that is. Write `until 17:00`"),
        ("until the migration is done", "I cannot tell when that is"),
        ("migration until further notice", "I cannot tell when that is"),
        ("until 5", "I cannot tell when that is"),
        ("until 25:00", "I cannot tell when that is"),
        ("until 12:60", "I cannot tell when that is"),
        ("until 13pm", "I cannot tell when that is"),
        ("until 17:00:30", "I cannot tell when that is"),
        ('until "17:00"', "I cannot tell when that is"),
        ("until tomorrow", "At what time of that day?"),
        ("until friday migration", "At what time of that day?"),
        ("until 17:00 CET", "I read times in your own zone"),
        ("until today 9:00", "That has passed already"),
        ("until 2026-11-29 17:30", "That has passed already"),
        ("until 2025-12-01 09:00", "That has passed already"),
        ("until 2026-02-30 09:00", "There is no such day"),
        ("until 2026-12-31 09:00", "That is more than 30 days away"),
        ("until 9999-12-31 23:59", "That is more than 30 days away"),
        ("until Nov 28 17:00", "That has passed already"),
        ("until 29 Nov 9:00", "That has passed already"),
        ("until Feb 30 9:00", "There is no such day"),
        ("until Jan 5 9:00", "That is more than 30 days away"),
        ("until Dec 3", "At what time of that day?"),
        ("until 17:00 Fri Dec 4", "I cannot tell which day that is"),
        ("until Dec 4 17:00 Dec 5", "I cannot tell which day that is"),
        ("until 17:00 12/3", "I cannot tell which day that is"),
        ("until 17:00 3.12.", "I cannot tell which day that is"),
        ("until 17:00 on 12/3", "I cannot tell which day that is"),
        ("until 17:00 (Dec 3)", "I cannot tell which day that is"),
        ("until 17:00 on the 3rd", "I cannot tell which day that is"),
        ("until 17:00 next friday", "I cannot tell which day that is"),
        ("until 3.12. 17:00", "I cannot tell which day that is"),
        ("until 03.12.2026 17:00", "I cannot tell which day that is"),
        ("for 31d", "That is more than 30 days away"),
        ("for 999d9999h99999m", "That is more than 30 days away"),
        ("for 0m", "That has passed already"),
        ("-2h", "I cannot tell when that is"),
        ("main -2h", "I cannot tell when that is"),
        ("migration 2-3 hours", "I cannot tell when that is"),
        ("migration ~90m", "I cannot tell when that is"),
        ("for -2h", "I cannot tell when that is"),
        ("for a few hours", "I cannot tell when that is"),
        ("migration for a couple of hours", "I cannot tell when that is"),
        ("for 0.5 minutes until 18:00", "Two ends are named"),
        ("for 40 days", "That is more than 30 days away"),
        ("by 23:00 CET", "I read times in your own zone"),
        ("2h until 18:00", "Two ends are named"),
        # When it is to begin, and what an end goes on with.
        ("tomorrow for 2h", "It begins at once and has one end"),
        ("main on thursday 90m", "It begins at once and has one end"),
        ("from monday for 3 days", "It begins at once and has one end"),
        ("migration starting at 18:00 for 2h", "It begins at once and has one end"),
        ("main 18:00 until 19:00", "It begins at once and has one end"),
        ("for 2 hours tomorrow", "It begins at once and has one end"),
        ("main for 2h on friday", "It begins at once and has one end"),
        ("until 18:00 of the day behind", "It begins at once and has one end"),
        ("until monday 9:00 or tuesday", "It begins at once and has one end"),
        ("main beginning tuesday", "It begins at once and has one end"),
        ("until 18:00 migration until 19:00", "Two ends are named"),
    ],
)
def test_what_is_no_end_is_refused_with_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        read(text)
    assert error.value.problem.startswith(problem)


HEADS = ("two dozen", "three quarters of an", "a hundred", "2 1/2", "2½", "ten or twelve", "two to three", "2 good")


@pytest.mark.parametrize("said", [f"{head} {unit}" for head in HEADS for unit in ("hour", "minutes", "days")])
def test_no_part_of_a_length_of_time_is_read_as_one(said: str) -> None:
    with pytest.raises(UsageError, match="I cannot tell when that is"):
        read(f"for {said} migration")


@pytest.mark.parametrize(
    "said",
    ["for 2 hours and a quarter", "an hour or two", "main 2 hours 30", "for an hour and twenty", "main two or 3 hours"],
)
def test_nor_is_one_that_goes_on(said: str) -> None:
    with pytest.raises(UsageError, match="I cannot tell when that is"):
        read(said)


@pytest.mark.parametrize(("said", "asks"), [("until 17:00", True), ("until 17:00 utc", False), ("for 2h", False)])
def test_nobody_is_asked_for_a_zone_where_none_matters(said: str, asks: bool) -> None:
    assert ends.asks_for_a_zone(said) is asks


@pytest.mark.parametrize("said", ["until 17:00 or so", "for a while", "17:00", " "])
def test_what_was_never_typed_as_an_end_is_refused_too(said: str) -> None:
    with pytest.raises(UsageError):
        ends.read(said, NOW, BERLIN)
