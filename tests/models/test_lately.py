"""What has not been asked for longest makes room, by weight."""

from bot.models.lately import Lately


def test_what_was_not_asked_for_longest_makes_room() -> None:
    lately = Lately[str, int](3)
    for name in "abc":
        lately.put(name, ord(name))
    assert lately.get("a") == ord("a")
    lately.put("d", 1)
    assert [lately.get(name) for name in "abcd"] == [ord("a"), None, ord("c"), 1]


def test_what_takes_the_place_of_another_weighs_for_it() -> None:
    lately = Lately[str, int](10)
    lately.put("a", 1, 9)
    lately.put("a", 2, 4)
    lately.put("b", 3, 6)
    assert (lately.get("a"), lately.get("b")) == (2, 3)
    lately.put("too much", 4, 11)
    assert [lately.get(name) for name in ("a", "b", "too much")] == [None, None, None]
