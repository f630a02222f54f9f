"""An answer before everybody: no wall, nobody notified; and the button that shares one with a channel."""

from datetime import UTC, datetime

from bot.actions import RunCommand, ShareAnswer
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    code,
    code_block,
    context,
    literal,
    mention,
    section,
)
from formatters.dialogs import asks
from formatters.limits import violations
from formatters.sharing import MOST_LINES, mentions, offered, quiet, shared, shortened, was_shared

NOW = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
SHARE = ShareAnswer(text="recent", asked="123.456")
LOOK = actions(button(RunCommand(text="recent"), "Look"))


def numbered(many: int) -> str:
    return "\n".join(f"line {number}" for number in range(1, many + 1))


def words(message: Message) -> str:
    return "\n".join(str(one) for one in message.blocks)


def labels(blocks: tuple[Block, ...]) -> list[str]:
    return [one["text"]["text"] for block in blocks if block["type"] == "actions" for one in block["elements"]]


def test_what_fits_on_a_screen_stays_as_it_is() -> None:
    message = assemble("Twenty.", section("head"), section(numbered(MOST_LINES - 1)), context("note"), LOOK)
    assert shortened(message, "recent") == message


def test_a_wall_is_shortened_with_a_button_for_all_of_it() -> None:
    message = assemble("Many.", section("head"), section(numbered(30)), section(numbered(4)), context("note"), LOOK)
    short = shortened(message, "recent")
    assert f"line {MOST_LINES - 1}'" in words(short)
    assert f"line {MOST_LINES}" not in words(short)
    assert "note" in words(short)
    assert "Shortened: 15 more lines." in words(short)
    assert labels(short.blocks) == ["Look", "Show me more"]
    pressed = RunCommand.unpack(short.blocks[-1]["elements"][0]["value"])
    assert (pressed.text, pressed.alone) == ("recent", True)
    assert not violations(short)


def test_what_is_left_out_is_said_where_it_is_missing() -> None:
    jobs = (section("head"), section(numbered(30)), section(numbered(12)), context("and 48 more jobs"))
    short = shortened(assemble("90 jobs.", *jobs, section("an error"), context("`approve` has the button.")), "status")
    said = [block["elements"][0]["text"] for block in short.blocks if block["type"] == "context"]
    assert said == ["Shortened: 24 more lines.", "and 48 more jobs", "`approve` has the button."]
    assert [block["type"] for block in short.blocks][:4] == ["section", "section", "context", "context"]


def test_of_a_log_the_end_is_kept_within_its_fence() -> None:
    log = code_block([f"step {number}" for number in range(100)])
    short = shortened(assemble("A log.", section("unit-tests"), section(log)), "logs acme/frontend")
    kept = short.blocks[1]["text"]["text"].split("\n")
    assert (kept[0], kept[1], kept[-2], kept[-1]) == ("```", "…", "step 99", "```")
    assert len(kept) == MOST_LINES - 1
    assert "Shortened: 84 more lines." in words(short)


def test_a_log_without_room_for_a_line_of_it_is_left_out_whole() -> None:
    log = code_block([f"step {number}" for number in range(100)])
    short = shortened(assemble("A log.", section(numbered(MOST_LINES - 2)), section(log)), "logs acme/frontend")
    assert "```" not in words(short)
    assert "Shortened: 100 more lines." in words(short)


def test_a_line_that_no_button_carries_is_to_be_asked_for_alone() -> None:
    short = shortened(assemble("Many.", section(numbered(30))), "recent " + "x" * 2000)
    assert "Shortened: 10 more lines: ask me alone." in words(short)
    assert labels(short.blocks) == []


def test_nobody_who_is_named_is_notified() -> None:
    text = f"{mention('U0GRACE')} and {mention('U0ADA')} hold it."
    said = quiet(assemble(text, section(text)), {"U0GRACE": "Grace <H> *x*"})
    assert "<@" not in said.model_dump_json()
    assert said.text.endswith("and somebody hold it.")
    assert said.text.startswith("Grace &lt;H&gt;")


def test_nobody_is_asked_about_whom_only_a_button_or_foreign_text_names() -> None:
    made_up = "<@U0000>"
    press = RunCommand(text=f"status acme/frontend {made_up}")
    offer = actions(
        button(press, f"Approve {made_up}", confirm=asks("Sure?", f"{made_up} runs.", "Yes", "No", made_up))
    )
    text = f"{mention('U0ADA')} held {literal(made_up)} and {code(made_up)}"
    message = assemble(text, section(text), context(text), offer)
    assert mentions(message) == {"U0ADA"}
    named = quiet(message, {"U0ADA": "ada"})
    assert "<@U0ADA>" not in words(named)
    assert named.blocks[-1] == offer  # what is pressed stays what it is


def test_names_that_are_longer_than_there_is_room_for_are_left_out() -> None:
    text = " ".join([mention("U0GRACE")] * 290)
    said = quiet(assemble("Many.", section(text)), {"U0GRACE": "g" * 60})
    assert "<@" not in said.model_dump_json()
    assert not violations(said)


def test_the_button_stands_among_those_that_are_there_or_below() -> None:
    assert labels(offered(assemble("One.", section("one"), LOOK), SHARE).blocks) == ["Look", "Share here"]
    below = offered(assemble("One.", section("one"), context("note")), SHARE)
    assert below.blocks[-1]["elements"][0]["action_id"] == "share_answer"
    assert ShareAnswer.unpack(below.blocks[-1]["elements"][0]["value"]) == SHARE


def test_where_there_is_no_room_there_is_no_button() -> None:
    full = Message(text="Full.", blocks=tuple(context(str(number)) for number in range(50)))
    assert offered(full, SHARE) == full
    large = Message(text="Large.", blocks=tuple(section("x" * 2900) for _ in range(4)))
    assert offered(large, SHARE) == large
    one = assemble("One.", section("one"))
    assert offered(one, ShareAnswer(text="x" * 2000, asked="1")) == one


def test_what_is_shared_says_by_whom_and_when_it_was_read() -> None:
    public = shared(assemble("One.", section("one"), LOOK), "ada", NOW)
    assert public.text == "One."
    assert "Shared by ada · as of <!date^" in words(public)
    assert "<@" not in words(public)


def test_who_shared_it_reads_where_it_stands() -> None:
    assert "Shared here: <https://slack.example/1|the message>." in words(
        was_shared(assemble("One.", section("one")), "https://slack.example/1")
    )
    assert "Shared here." in words(was_shared(assemble("One.", section("one")), ""))
