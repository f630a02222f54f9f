"""Whose a build is: who asked for it, who has it watched, who acted on it, and who waits for its end."""

from datetime import UTC, datetime

import pytest

from bot.models.build import State
from bot.models.caller import OURSELVES, Caller, Place, bot
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import Watch
from formatters.root import _people

HERE, ELSEWHERE = Place(channel_id="C0DEPLOYS"), Place(channel_id="C0RELEASES")


def watch(**more: object) -> Watch:
    return Watch(
        id="Ev1",
        pipeline_id=PipelineId("p"),
        pipeline_number=2417,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        thread=HERE,
        asked_at=datetime(2026, 11, 20, tzinfo=UTC),
        **more,
    )


def by(name: str, place: Place = HERE) -> Caller:
    return Caller(person_id=f"U0{name.upper()}", name=name, place=place, delivery_id=f"of {name}")


ASKED = {"asker_id": "U0ADA", "asker_name": "ada"}
WATCHED = {"watcher_id": "U0GRACE", "watcher_name": "grace"}


@pytest.mark.parametrize(
    ("whose", "acts", "waits", "told"),
    [
        ({**ASKED, "watcher_id": "U0ADA"}, [], "U0ADA", ["asked by ada"]),
        ({**ASKED, **WATCHED}, [], "U0GRACE", ["asked by ada", "watched by grace"]),
        (ASKED, [("grace", HERE)], "U0GRACE", ["asked by ada", "rerun by grace"]),
        (ASKED, [("grace", HERE), ("ada", HERE)], "U0ADA", ["asked by ada", "rerun by ada"]),
        # Who acted in another channel waits there.
        (ASKED, [("grace", ELSEWHERE)], "U0ADA", ["asked by ada", "rerun by grace"]),
        ({"started_by": "ken", **WATCHED}, [], "U0GRACE", ["started by ken", "watched by grace"]),
        ({"started_by": "ken", "was_pushed": True, **WATCHED}, [], "U0GRACE", ["pushed by ken", "watched by grace"]),
        (ASKED, [(OURSELVES, HERE)], "U0ADA", ["asked by ada"]),
    ],
)
def test_who_waits_for_the_end_is_who_acted_last(
    whose: dict[str, object], acts: list[tuple[str, Place]], waits: str, told: list[str]
) -> None:
    one = watch(**whose)
    for name, place in acts:
        one = one.acted_on(bot("once") if name == OURSELVES else by(name, place), "rerun")
    assert one.waits_for_it == waits
    assert list(_people(one, State.RUNNING)) == told


@pytest.mark.parametrize(
    ("also", "actor", "leaves", "waits"),
    [
        ((), "", "U0ADA", None),
        (("U0GRACE",), "", "U0ADA", ("U0GRACE",)),
        (("U0GRACE", "U0KEN"), "U0ADA", "U0ADA", ("U0GRACE", "U0KEN")),
        (("U0GRACE", "U0KEN"), "U0GRACE", "U0GRACE", ("U0ADA", "U0KEN")),
        (("U0GRACE",), "U0KEN", "U0GRACE", ("U0KEN", "U0ADA")),
    ],
)
def test_who_leaves_is_not_mentioned_and_the_others_still_are(
    also: tuple[str, ...], actor: str, leaves: str, waits: tuple[str, ...] | None
) -> None:
    one = watch(**ASKED, watcher_id="U0ADA", also_told=also, actor_id=actor)
    left = one.without(leaves)
    assert (left and left.wait_for_it) == waits


@pytest.mark.parametrize(
    ("acts", "leaves", "waits"),
    [
        # Who acted before waits for the same end, whoever acts after them.
        (["grace", "admin"], "", ("U0ADMIN", "U0ADA", "U0GRACE")),
        (["grace", "admin", "grace"], "", ("U0GRACE", "U0ADA", "U0ADMIN")),
        # Nor is it taken from them by whoever has it followed.
        (["grace"], "ada", ("U0GRACE",)),
        (["grace", "admin"], "ada", ("U0ADMIN", "U0GRACE")),
        (["grace", "admin"], "admin", ("U0ADA", "U0GRACE")),
        (["grace", "admin"], "grace", ("U0ADMIN", "U0ADA")),
        (["ada"], "ada", None),
        # Nor by who acted after them and leaves, whoever acts then.
        (["grace", "ken", "admin"], "admin ken", ("U0ADA", "U0GRACE")),
        (["grace", "admin"], "admin grace", ("U0ADA",)),
        (["grace", "admin"], "admin ada", ("U0GRACE",)),
        (["grace", "admin", "-admin", "ken"], "", ("U0KEN", "U0ADA", "U0GRACE")),
        # Who has heard of an end since does not wait for that of another attempt.
        (["grace", "end", "admin"], "", ("U0ADMIN", "U0ADA")),
        (["grace", "end"], "ada", None),
        # They can leave all the same.
        (["grace", "end"], "grace", ("U0ADA",)),
        (["ken", "grace", "end"], "ken", ("U0GRACE", "U0ADA")),
    ],
)
def test_who_acted_hears_of_the_end_whatever_others_do(
    acts: list[str], leaves: str, waits: tuple[str, ...] | None
) -> None:
    one: Watch | None = watch(**ASKED, watcher_id="U0ADA")
    for name in acts:
        assert one is not None
        if name.startswith("-"):
            one = one.without(by(name[1:]).person_id)
        else:
            one = one.model_copy(update={"final_ts": "1.1"}) if name == "end" else one.acted_on(by(name), "rerun")
    for name in leaves.split():
        assert one is not None
        assert one.is_of(by(name).person_id)
        one = one.without(by(name).person_id)
    assert (one and one.wait_for_it) == waits
