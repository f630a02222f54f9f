"""One place chooses who answers for a project or an id; reading can change nothing."""

from bot.circleci.choice import Choice, Realm
from bot.circleci.reads import Reads
from bot.circleci.writes import Writes


def test_a_third_side_needs_no_more_than_its_realm() -> None:
    older = Realm(frozenset({"gh/acme/legacy"}).__contains__, "classic:")
    other = Realm(lambda slug: slug.startswith("gitlab/"), "gitlab:")
    sides = Choice("v2", (older, "v1.1"), (other, "gitlab"))
    assert [sides.of(slug) for slug in ("gh/acme/frontend", "gh/acme/legacy", "gitlab/acme/cli")] == [
        "v2",
        "v1.1",
        "gitlab",
    ]
    assert [sides.of_id(one) for one in ("p-1", "classic:gh/acme/legacy:7", "gitlab:9", "")] == [
        "v2",
        "v1.1",
        "gitlab",
        "v2",
    ]


def test_reads_and_writes_share_no_verb() -> None:
    reads, writes = ({name for name in vars(side) if not name.startswith("_")} for side in (Reads, Writes))
    assert reads & writes == {"of", "of_id"}
