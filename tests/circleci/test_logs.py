import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.circleci.logs import LONGEST_LINE, tail

C11 = (
    "\x1b[31merror\x1b[39m: can’t clean \x1b]8;;https://example.com\x07link\x1b]8;;\x07 "
    "\x1b[2K\x1b[1G\x1b[38;5;208mdone\x1b[0m\r\n"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(C11, ["error: can’t clean link done"], id="C11"),
        pytest.param("\x1b]8;;https://a.example\x1b\\x\x1b]8;;\x1b\\", ["x"], id="OSC ended by ST"),
        pytest.param("\x1b]0;a title nobody ended\nnext", ["", "next"], id="OSC never ended"),
        pytest.param("\x1bPq#0\x1b\\a\x9b31mb\x1b(Bc\x1b7d\x1b", ["abcd"], id="DCS, C1, charset, lone escape"),
        pytest.param("10%\r50%\r100%\ndone", ["100%", "done"], id="redraws"),
        pytest.param("10%\r   \r", ["10%"], id="redraw wiped at the end"),
        pytest.param("a\r\r\nb\r\nc", ["a", "b", "c"], id="line ends"),
        pytest.param("|\b/\b-\bdone", ["done"], id="backspaces"),
        pytest.param("\b\bx", ["x"], id="backspace at the start"),
        pytest.param("a\tb", ["a   b"], id="tab"),
        pytest.param("a\u202eb\u200b\ufeff\x00c", ["abc"], id="invisible"),
        pytest.param("a\ud83d", ["a\ufffd"], id="half of an emoji"),
        pytest.param("\n\nx\n  \n\n", ["", "", "x"], id="trailing blanks"),
        pytest.param("  \n", [], id="nothing but blanks"),
        pytest.param("", [], id="nothing"),
        pytest.param("x" * 2000, ["x" * (LONGEST_LINE - 1) + "…"], id="a very long line"),
    ],
)
def test_output_reads_as_a_terminal_would_show_it(text: str, shown: list[str]) -> None:
    assert tail(text, 10) == tuple(shown)


def test_only_the_last_lines_are_kept() -> None:
    text = "\n".join(str(number) for number in range(100))
    assert tail(text, 3) == ("97", "98", "99")
    assert tail(text, 0) == ()


@given(st.text(st.characters() | st.sampled_from("\x1b\x07\x08\x9b\r\n[]m;0"), max_size=60))
def test_nothing_unprintable_is_left(text: str) -> None:
    shown = "\n".join(tail(text, 100))
    assert not set(shown) & set("\x1b\x07\x08\r\x00\x9b")
    json.dumps(shown, ensure_ascii=False).encode()


KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
PART = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"SLACK=xoxb-123-456-{PART}", "SLACK=[masked]"),
        (f"xoxe.xoxp-1-{PART}!", "[masked]!"),
        (f"xapp-1-A0-{PART}", "[masked]"),
        (f"https://x:ghp_{PART}@github.com/acme", "https://[masked]@github.com/acme"),
        (f"remote github_pat_{PART} no", "remote [masked] no"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key [masked]."),
        (f"CCIPAT_acme_{PART}", "[masked]"),
        (f"CIRCLE_TOKEN={PART}", "CIRCLE_TOKEN=[masked]"),
        (f'Circle-Token: "{PART}"', 'Circle-Token: "[masked]"'),
        (f"GET /x?circle-token={PART}&page=2", "GET /x?circle-token=[masked]&page=2"),
        (f"> Authorization: Bearer {PART}==", "> Authorization: Bearer [masked]"),
        (f"authorization: Basic {PART}", "authorization: Basic [masked]"),
        (f"https://s3.example/a?X-Amz-Signature={PART}", "https://s3.example/a?X-Amz-Signature=[masked]"),
        (f"aws_secret_access_key = {PART}", "aws_secret_access_key = [masked]"),
        (f"eyJ{PART}.eyJ{PART}.{PART}", "[masked]"),
        (f"id-token-eyJ{PART}.eyJ{PART}.{PART}!", "id-token-[masked]!"),
        (f"eyJ-eyJ-{PART}.eyJ{PART}.{PART}", "[masked]"),
        (f"eyJ{PART * 600}.eyJ{PART * 600}.{PART * 600}", "[masked]"),
        (f"eyJ{PART}.{PART}.{PART}", f"eyJ{PART}.{PART}.{PART}"),
        (f"🔑\ufe0fghp_{PART}", "🔑\ufe0f[masked]"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/[masked]"),
        (f"\x1b[31mghp_{PART[:18]}\x1b[0m{PART[18:]}", "[masked]"),
        (KEY, "[masked]"),
        (f"a\n{KEY}\nb", "a\n[masked]\nb"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA", "[masked]"),
        ("AAAA\n-----END RSA PRIVATE KEY-----\nb", "[masked]\nb"),
        ("SyntaxError: Unexpected token: }", "SyntaxError: Unexpected token: }"),
        ("9f1c2d7a0b4e4c0e8f6a5b3c2d1e0f9a8b7c6d5e", "9f1c2d7a0b4e4c0e8f6a5b3c2d1e0f9a8b7c6d5e"),
        ("the bearer of news", "the bearer of news"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, shown: str) -> None:
    assert "\n".join(tail(text, 10)) == shown
