"""No text that people, builds or CircleCI choose takes more than linear time: everybody would wait for it.

A pattern of `re` keeps every other thread from running while it searches, so a thread is no way out. Each pattern of
ours is found by itself and must have a row here, with the beginnings that an attacker would repeat.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import ModuleType
from typing import NamedTuple

import pytest
import regex

import bot
import commands
import formatters
import playground
from bot.circleci.answers import without_queries
from bot.circleci.logs import tail
from bot.circleci.outputs import messages
from bot.ends import find
from bot.errors import UsageError
from bot.grammar import LONGEST_TEXT, parse_parameters, parse_project, split
from bot.intents.reading import reader_of
from bot.masks import masked
from bot.masks.declared import Declared
from bot.models.likeness import are_alike, is_slip, likely, near_miss
from bot.models.terminal import without_escapes
from bot.routing import Router
from bot.settings import Projects
from bot.slack.payloads import typed
from bot.slack.secrecy import Spoken, secret_in, without_token
from bot.targets import parse_target
from bot.triage.infrastructure import OURS, cause_in
from bot.triage.quoting import quote, telling
from commands.artifacts import LONGEST_WANTED, matches
from formatters.blocks import code, code_block, literal

DECLARED = Declared(
    ("aaaaab", "hunter2-declared", "a b\tc/d", "-----BEGIN A-----\nabc\n", "[masked[masked", "%61%61%61")
)
READER = reader_of(tuple(one.help for one in commands.register(Router()).commands.values()))
ANY_TEXT = 8_000  # characters, a long text; the short one it is compared with has a quarter of them
NOTICEABLE = 0.005  # seconds: what takes less is too little to compare, and no quadratic time
TOO_FAST = 8  # times as long for four times as much: linear is 4, quadratic is 16

Pattern = re.Pattern[str] | regex.Pattern[str]


def through(pattern: Pattern, text: str) -> None:
    deque(pattern.finditer(text), maxlen=0)


def at_the_start(pattern: Pattern, text: str) -> None:
    pattern.match(text)


def as_a_whole(pattern: Pattern, text: str) -> None:
    pattern.fullmatch(text)


class Row(NamedTuple):
    """The beginnings of what a pattern looks for, and how it is used."""

    beginnings: tuple[str, ...]
    use: Callable[[Pattern, str], None] = through


PATTERNS = {
    "bot.circleci.answers._ADDRESS": Row(("http", "http://", "https://a?", "http://a#")),
    "bot.circleci.answers._REMAINING": Row(("x-ratelimit-remaining-a",), as_a_whole),
    "bot.circleci.answers._RESET": Row(("x-ratelimit-reset-a",), as_a_whole),
    "bot.circleci.outputs._MESSAGE": Row(('"message"', '"message" ', '"message":"', '"message":"\\', '\\"')),
    "bot.circleci.outputs._FRAGMENT": Row(("a", "\\", '\\"', "a\\n"), at_the_start),
    "bot.circleci.outputs._CUT_ESCAPE": Row(("\\", "\\\\", "\\u", "\\u123")),
    "bot.models.terminal._STRINGS": Row(("\x1b]", "\x1b]0", "\x9d", "\x1b")),
    "bot.models.terminal._IN_LETTERS": Row(("\\x1b[", "\\u001b[0", "&#27;[", "\\e[1;", "[", "\\")),
    "bot.models.terminal._ANY": Row(("[", "[0", "[0;", "\x1b")),
    "bot.models.terminal._REMAINS": Row(("[", "[1", "[1;", "[31;1")),
    "bot.models.terminal._RESET": Row(("[", "[0", "[39")),
    "bot.models.terminal._CSI": Row(("\x1b[", "\x1b[0", "\x1b[0 ", "\x9b")),
    "bot.models.terminal._ESCAPES": Row(("\x1b", "\x1b ")),
    "bot.circleci.logs._LINE_ENDS": Row(("\r", "\r\r", "\u2028")),
    "bot.circleci.logs._INVISIBLE": Row(("\x00", "\u200b")),
    "bot.circleci.logs._SURROGATES": Row(("\ud800",)),
    "bot.models.fields._SURROGATES": Row(("\ud800",)),
    "bot.masks.shapes._KEY_BLOCK": Row(
        ("-", "-----BEGIN ", "-----BEGIN A", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----------END ")
    ),
    "bot.masks.shapes._KEY_END": Row(("-----END ", "-----END A", "-----END PRIVATE KEY")),
    "bot.masks.shapes._KEY_BODY": Row(
        ("MHcCAQEE", "MHcCAQEE ", "MHcCAQEE a", "MII", "MIIEv", "b3BlbnNzaC1rZXktdjE=", "MIG\\n", "MHcCAQEE" + "a" * 50)
    ),
    "bot.masks.shapes._WEB_TOKEN": Row(
        ("eyJ", "eyJ-", "-eyJ", "a-", "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJ", "eyJ-aaaaaaa.eyJ-aaaaaaa.")
    ),
    "bot.masks.shapes._TOKENS": Row(
        (
            *("xoxb-", "xoxb-a", "xoxb.xoxb-", "xapp-", "ghp_", "github_pat_", "glpat-", "AKIA", "CCIPAT_", "npm_"),
            *("pypi-", "rk_live_", "sk-", "sk-a", "sk-ant-", "sk-ant-a-", "hooks.slack.com/services/", "SG.", "SG.a."),
            *("ghs_", "ghs_.", "glpat-.", "glpat--", "lin_api_", "whsec_", "ya29.", "hvs.", "AIza", "ATATT3"),
        )
    ),
    "bot.masks.shapes._NAMED": Row(
        (
            *("bearer", "bearer ", "authorization", "authorization ", "authorization: ", "authorization: basic "),
            *("circle-token", "circle-token ", "circle-token: ", "circle_api_token=", "aws_secret_access_key "),
            *("?x-amz-signature=", "&signature=", "?token=", "?sig=[masked]"),
        )
    ),
    "bot.masks.shapes._PASSWORD": Row(
        (
            *("password", "password ", "password: ", "password=", "password='", "password: a", "password = \\"),
            *("api", "api-", "client_secret", "api_key=[masked]", "pwd", "pwd'", "password=none", "password: ."),
            *("api_access_", "password==", "password='a", "password=> "),
        )
    ),
    "bot.masks.shapes._OPTION": Row(
        (
            *("--", "--a-", "--password ", "--a-b-c-token ", "-u", "-u ", "-u a", "-u a:", "-aaau", "-u 1:1", "-u $("),
            *("--user=", "--key ", "--key a"),
        )
    ),
    "bot.masks.shapes._USER_INFO": Row(("://", "://a", "://a:", "://a:b", ":", "://a:@", "://:[masked]@")),
    "bot.masks.declared._WRITTEN": Row(("\\", "\\u", "\\ud83d", "%", "%8", "%80", "&", "&#", "&#x1", "\\n")),
    "bot.masks.declared._SPACING": Row((" ", " a", "\t", "\n ", "\u200b")),
    "bot.masks.declared._SPACING_OF_FORMS": Row((" ", "+", "\n ", "\u200b")),
    "bot.masks.declared._TOKEN": Row(("a", "a-"), as_a_whole),
    "bot.circleci.addresses._NUMBER": Row(("1", "0x", "a")),
    "bot.models.agent.NAME": Row(("a", "a-", "0"), as_a_whole),
    "bot.models.days._DAY": Row(("1", "12t", "12th", "x"), as_a_whole),
    "bot.models.days._ORDINAL": Row(("1", "12t", "12th", "x"), as_a_whole),
    "bot.models.days._YEAR": Row(("20", "202", "2026"), as_a_whole),
    "bot.models.days._IN_NUMBERS": Row(("1", "12/", "12/3/", "3.12.", "3.12.2026,"), as_a_whole),
    "bot.ends._CLOCK": Row(("1", "12:", "12:00", "5p"), as_a_whole),
    "bot.ends._DATE": Row(("2026-12-01", "2026-12-01T", "1"), as_a_whole),
    "bot.models.lengths._CLOCK": Row(("1", "12:", "12:00", "5p"), as_a_whole),
    "bot.models.lengths._NUMBER": Row(("1", "1."), as_a_whole),
    "bot.models.lengths._PART": Row(("1", "1d", "1.5h", "2hour"), at_the_start),
    "bot.grammar._PLAIN_WORD": Row(("a", "a ")),
    "bot.grammar._CLOSED": Row(('"', '" ', "a'")),
    "bot.grammar._PARAMETER": Row(("a", "a=", "=", "-"), as_a_whole),
    "bot.grammar._BEFORE_VALUE": Row(("a", "a=", "-"), at_the_start),
    "bot.grammar._INTEGER": Row(("1", "-", "0"), as_a_whole),
    "bot.grammar._MARKED": Row(("`", "`a", "```a", "`a`a", "`` "), at_the_start),
    "bot.intents.hearing._HOURS": Row(("1", "22:00", "22:00 ", "22:00 uhr", "22:00 and las ", "22-")),
    "bot.intents.table._EITHER": Row(("(", "(a", "(a|", ")")),
    "bot.intents.values._VERSION": Row(("v1", "v1.", "1.1.", "1.1.1"), as_a_whole),
    "bot.intents.values._NUMBER": Row(("#1", "1"), as_a_whole),
    "bot.intents.values._PROJECT": Row(("a", "a/", "."), as_a_whole),
    "bot.intents.values._TICKET": Row(("A", "AB-", "AB-1"), as_a_whole),
    "bot.links._LINK": Row(("http", "https://", "git@", "www.", "github.com/"), at_the_start),
    "bot.links._SCHEME": Row(("http", "ssh://"), at_the_start),
    "bot.links._SSH_ADDRESS": Row(("git@", "git@a", "git@a:")),
    "bot.links.reading._NAME": Row(("a", "."), as_a_whole),
    "bot.links.circleci._ID": Row(("a", "-"), as_a_whole),
    "bot.links.circleci._UUID": Row(("a", "aaaaaaaa-", "5e0c5f62-31a4-"), as_a_whole),
    "bot.logs._SECRET": Row(
        (
            *(
                "xoxb-",
                "xoxb-a",
                "xapp-",
                "CCIPAT_",
                "cia_",
                "cia_a-",
                "circle-token=",
                "https://hooks.slack",
                "https://hooks.slack.com/",
            ),
            *("wss://", "Bearer ", "Bearer a"),
        )
    ),
    "playground.agent._TOKEN": Row(("cia_", "cia_a", "cia_" + "a" * 43 + " ")),
    "playground.screen._CODE": Row(("`", "`a")),
    "playground.screen._MARKED": Row(("*", "*a", "*a_", "a*", "*a *", "_a_")),
    "playground.slack.blockkit.rules._SCHEME": Row(("a", "a:", "a:a", "a: "), at_the_start),
    "playground.slack.terminal._TOKEN": Row(("<", "<a")),
    "playground.slack.terminal._DATE_PART": Row(("{", "{a")),
    "playground.slack.typing_marks._LINK": Row(("http", "https://a", "a", "a@", "a@a.", "-a", "a.", "a.com", "a.com/")),
    "playground.slack.typing_marks._NAME": Row(("@", "@a", "#")),
    "playground.slack.typing_marks._TOKEN": Row(("<@", "<@a", "<#a|", "<https:", "<https:a|", "<mailto:")),
    "bot.models.jobs._LINK": Row(("<a", "</a", "<a ", "<a href='")),
    "bot.models.git._UNSEEN": Row(("\x00", "\u200b"), as_a_whole),
    "bot.models.git._COMMIT": Row(("a", "0"), as_a_whole),
    "bot.models.git._PART_OF_COMMIT": Row(("a", "0"), as_a_whole),
    "bot.models.git._PULL_REQUEST": Row(("refs/", "pull/", "pull/7", "pull/7/", "pull/7/\n"), as_a_whole),
    "bot.models.git._SHORTER": Row(("heads/", "heads/heads/"), at_the_start),
    "bot.policy.globs._NUMBERS": Row(("!", "7", "[", "[7"), as_a_whole),
    "bot.policy.rules._ID": Row(("C", "C0"), at_the_start),
    "bot.policy.file._TABLE": Row((" ", "[", "[[", "[[ ", "[a"), at_the_start),
    "bot.policy.file._RULE": Row((" ", "[", "[[", "[[ ", "[[ rules "), at_the_start),
    "bot.policy.file._ROLE": Row((" ", "[", "[ ", "[roles.", "[roles.a", '[roles."', '[roles."a" '), at_the_start),
    "bot.policy.file._KEY": Row((" ", '"', "'a", "a", "a "), at_the_start),
    "bot.slack.listeners._ANY": Row(("a", "\n")),
    "bot.slack.offers._VERSION": Row(("v1.", "1", "1.1", "1.1."), as_a_whole),
    "bot.slack.payloads._SHOWN": Row(("&gt;", "\n&gt;", "&gt;&gt;&gt;", "`", "``", "```", "```a", "`a")),
    "bot.slack.payloads._LINK": Row(("<", "<http://", "<https://a|", "<mailto:", "<http://a|b|")),
    "bot.slack.secret_words._LETTERS": Row(("a", "1")),
    "bot.slack.secret_words._CAPITALS": Row(("A", "A_", "A1", "_"), as_a_whole),
    "bot.slack.secret_words._LOWER_NAME": Row(("a", "a_", "_", "_a", "1"), as_a_whole),
    "bot.slack.secret_words._MIXED_NAME": Row(("a", "A"), as_a_whole),
    "bot.slack.secret_words._ASSIGNED": Row(("a", "a:", "a:/", "a=", "a."), as_a_whole),
    "bot.slack.secret_words._HUMP": Row(("aB", "a")),
    "bot.slack.secret_words._DIGITS": Row(("1", "1a")),
    "bot.slack.secret_words._NO_VALUE": Row(("#", ".a", "a.", "http://", "A", "A-1", "v1", "1.", "1:1"), as_a_whole),
    "bot.slack.secrecy._SEPARATORS": Row((" ", '"', "a ")),
    "bot.slack.secrecy._ADDRESSED": Row(("/", "/a", "@c", "<@", "<@a"), as_a_whole),
    "bot.slack.secrecy._PROJECT": Row(("a", "a/", "a/a/", "http://", "git@"), as_a_whole),
    "bot.slack.secrecy._PLAIN": Row(("a", "a-"), as_a_whole),
    "bot.slack.secrecy._FINGERPRINT": Row(("MD5:", "a1:", "SHA256:", "SHA256:a"), as_a_whole),
    "bot.slack.secrecy._TOKEN_QUERY": Row(("?", "?circle-token=", "&circle-token=a")),
    "bot.reasons._VERSION": Row(("1", "v1", "1.1"), at_the_start),
    "bot.targets._NUMBER": Row(("1", "#", "#1"), as_a_whole),
    "bot.triage.infrastructure.OURS": Row(
        (
            *("no output ", "job ", "runner ", "lost ", "connection ", "ECONNRESET", "net/http: ", "could not "),
            *("status ", "status", "HTTP/1", "HTTP/1.", "error  ", "502 ", "gateway ", "no space ", "-"),
        )
    ),
    "bot.triage.infrastructure._NO_CAUSE": Row(("warn", "retry", "attempt ", "attempt 1", "attempt 1 ")),
    "bot.triage.quoting._TELLING": Row(
        (
            *(" ", "\t", "● ", "Expected", "E ", "FAILED a", "a_test.go:", "a_test.go:1", "_test.go:1:", "a.java:1: "),
            *(
                "thread '",
                "thread ' ",
                "test ",
                "test ...",
                "#1 ",
                "1. ",
                "1.",
                ".java:1",
                "npm error ",
                "Killed ",
                "1 ",
            ),
            *("│", "│ ", "a.", "aError", "Error.", "Error ", "Error", "out of ", "code 1", "|"),
        )
    ),
    "bot.triage.quoting._ASSERTED": Row(("assert", "expected", "E ", "to ", "but ", "e")),
    "bot.triage.quoting._SUSPECT": Row(("error", "failed ", "timed ", "could ")),
    "bot.triage.quoting._HARMLESS": Row(
        ("0 ", "no ", "no  ", "failed", "failed ", "errors: ", "--", "--a", "--error", " ")
    ),
    "commands.agent._CHANNEL": Row(("<#", "<#C", "<#CA|", "<#CA|a"), as_a_whole),
    "commands.audit._PERIOD": Row(("1", "1d"), as_a_whole),
    "commands.audit._PERSON": Row(("<@", "<@a", "<@a|", "@", "@a"), as_a_whole),
    "commands.notify._HOURS": Row(("1", "1:", "1:00", "1pm", "1-", "22:00-7", "1pmto1:0"), as_a_whole),
    "commands.rules._MENTIONED": Row(("<!subteam^S", "<!subteam^SA|", "<@U", "<@UA|a"), as_a_whole),
    "commands.rules._SOMEBODY": Row(("<@U", "<@UA|a"), as_a_whole),
    "commands.rules._OF_PROJECTS": Row(("a", "a/", "a/a", "a/a/", "*"), as_a_whole),
    "bot.models.rule_line._ID": Row(("S", "S0", "SA"), as_a_whole),
    "commands.subscribe._PAGE": Row(("1",), as_a_whole),
    "commands.env._NAME": Row(("a", "_", "A1"), as_a_whole),
    "formatters.refusals._BY_PATTERN": Row(
        ("Type error for argument a: expected type: b, actual value: c", "[skip ci")
    ),
    "formatters.refusals._TYPE": Row(
        ("Type error for argument a", "Type error for argument a: expected type: b, actual value: ")
    ),
    "formatters.refusals._UNDECLARED": Row(("Unexpected argument", "Unexpected argument(s): a")),
    "formatters.refusals._SKIP": Row(("[", "[skip ", "[ci skip")),
    "formatters.told.errors._SPANS": Row(("`", "`a", "``")),
    "formatters.told.words._BLANKS": Row((" ", "\n", "a ")),
    "formatters.told.words._MARKS": Row(("*", "`", "\u2060")),
    "formatters.unseen._UNSEEN": Row(
        ("\x00", "\u200b", "a\x00", "👩", "👩\u200d", "👩\ufe0f", "1", "1\ufe0f", "🏴", "🏴\U000e0067", "\U000e0067")
    ),
    "formatters.lookalikes._BLANKS": Row((" ", "a ")),
    "formatters.lookalikes._WORD": Row(("a", "а", "_", "1")),
    "formatters.blocks._SPACES": Row((" ", "\n", "a ")),
    "formatters.blocks._EMOJI": Row((":", ":a", ":a:", "a:")),
    "formatters.blocks._MARKUP": Row(("a_", "a*", "_", "*", "*_", "`", "a*_", "_a")),
    "formatters.blocks._CHARACTER": Row(("a", "\u0301", "🇦", "👩\u200d", "\r\n"), at_the_start),
    "formatters.blocks._USER_ID": Row(("A", "1"), as_a_whole),
    "formatters.blocks._AT_WORD": Row(("@", "@channe", "@here")),
    "formatters.plain._ENTITY": Row(("<@", "<@a", "<@a|", "<!date^", "<https:", "<https:|")),
    "formatters.plain._MENTIONED": Row(("<@", "<@A", "A")),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion_to_its_text(name: str) -> None:
    row = PATTERNS[name]
    for pattern in found_patterns()[name]:

        def work(text: str, pattern: Pattern = pattern) -> None:
            row.use(pattern, text)

        assert not slow_texts(work, row.beginnings), pattern.pattern


def test_a_pattern_that_is_not_linear_would_be_seen() -> None:
    slow = re.compile(r"\beyJ[\w-]{8,}\.eyJ")
    assert "eyJ-eyJ-eyJ-…" in slow_texts(lambda text: through(slow, text), ("eyJ-",), longest=8000)


def test_every_pattern_has_a_row_and_every_row_a_pattern() -> None:
    assert sorted(found_patterns()) == sorted(PATTERNS)


def test_a_pattern_is_a_constant_where_it_can_be_found() -> None:
    used = {f"{module.__name__} line {line}" for module in modules() for line in patterns_used_in_passing(module)}
    settings_own = {use for use in used if use.startswith("bot.triage.infrastructure ")}
    assert used == settings_own, "give it a name at the top of its module, and a row here"
    assert len(settings_own) == 1


def test_patterns_over_whole_logs_let_others_work_meanwhile() -> None:
    for name, patterns in found_patterns().items():
        if name.startswith(("bot.circleci.logs.", "bot.models.terminal.", "bot.masks.", "bot.triage.")):
            assert all(isinstance(pattern, regex.Pattern) for pattern in patterns), name


def taken(text: str) -> None:
    """Take apart what somebody typed, as far as its grammar goes."""
    words = split(text)
    for read in (
        lambda: parse_target(words, Projects()),
        lambda: parse_parameters(words),
        lambda: known(words[0].text) if words else None,
        lambda: find(words),
    ):
        try:
            read()
        except UsageError:
            continue


def known(word: str) -> None:
    parse_project(word, Projects())


SPOKEN = Spoken.of(commands.register(Router()), ())

# Functions with a walk of their own, the longest text they are handed, and the beginnings that are theirs.
FUNCTIONS: Mapping[str, tuple[Callable[[str], object], int, tuple[str, ...]]] = {
    "taken": (
        taken,
        LONGEST_TEXT,
        ('x="', '="', '"', '" ', '"a ', "“ ", "a=", "a/", "https://a/", "git@a", "`a ", "2h ", "for ", "until 9:00 "),
    ),
    "secret_in": (
        lambda text: secret_in(text, SPOKEN),
        LONGEST_TEXT,
        (
            *('x="', '" ', '"a ', "env set ", "PRIVATE KEY-----", "pasword ", "enviorments ", "DEPLOY_", "a="),
            *("token: ", "token is ", "please ", "/ci ", "A_TOKEN ", "aB"),
        ),
    ),
    "typed": (typed, ANY_TEXT, ("<http://", "<http://a|", "<mailto:a>", "&lt;", "&amp;")),
    "without_token": (without_token, ANY_TEXT, ("?circle-token=", "&circle-token=a ")),
    "without_queries": (without_queries, ANY_TEXT, ("http://", "http://a?")),
    "tail": (lambda text: tail(text, 1000), ANY_TEXT, ("eyJ-", "\r", "\r\r\n", "a\b", "\t", "\x1b]", "\n")),
    "masked": (masked, ANY_TEXT, ("eyJ-", "bearer ", "://a:", "xoxb-", "-----BEGIN PRIVATE KEY-----")),
    "declared": (
        DECLARED.masked,
        ANY_TEXT // 2,
        ("aaaaab", "HUNTER2-DECLARED", "\\u0061", "%61", "&#97;", "hunter2-\n", " "),
    ),
    "messages": (lambda text: messages(text, cut=False), ANY_TEXT, ('"message":"', '"message":"\\', '"message"', "\\")),
    "messages of a cut log": (lambda text: messages(text, cut=True), ANY_TEXT, ('"message":"', "\\", '\\"', "\\u")),
    "quote": (lambda text: quote(text.split("\n")), ANY_TEXT, ("Error: \n", "\n", " \n", "│ \n")),
    "quote of one line": (lambda text: quote([text] * 20), ANY_TEXT, ("Error: ", " ", "a.")),
    "telling": (lambda text: telling(text, 3), ANY_TEXT, ("assert\n", "\n", " \n", "a ", "•")),
    "without_escapes": (without_escapes, ANY_TEXT, ("\x1b[", "[0m", "[", "\\x1b[0m")),
    "cause_in": (lambda text: cause_in([text], OURS), ANY_TEXT, ("status ", "HTTP/1.", "warn\n")),
    "matches": (lambda text: matches(text, ("*a*ab", "*" * LONGEST_WANTED)), ANY_TEXT, ("a", "a/", "ab")),
    "matches a glob": (lambda text: matches("a" * 4000, (text,)), LONGEST_WANTED, ("*a", "*", "[", "?", "[!", "*a*")),
    "near_miss": (lambda text: near_miss(text, [f"{text[:-3]}{number}" for number in range(60)]), 240, ("a", "aab")),
    "a sentence": (
        lambda text: READER.read(text, Projects(), READER.known(Projects(), [])),
        LONGEST_TEXT,
        (
            *("a", "a/", "a:", "acme/frontend/", "a ", "a/b ", "v1.", "(", "branch a ", "is ", "#1 "),
            *("no tell ", "tell us, ", "when no "),
        ),
    ),
    "likely": (lambda text: likely(text, [f"{text[:-3]}{number}" for number in range(60)], 3), 240, ("a", "aab")),
    "are_alike": (lambda text: are_alike(text, text[:-1]), ANY_TEXT, ("a", "ab", "1")),
    "is_slip": (lambda text: is_slip(text, "deploy"), LONGEST_TEXT, ("deploy", "a", "un")),
    "literal": (lambda text: literal(text, 3000), ANY_TEXT, ("a_", "*", "\u0301", "🇦", "👩\u200d", "&", " ", "\x00")),
    "code": (lambda text: code(text, 3000), ANY_TEXT, ("`", "\u0301", "🇦")),
    "code_block": (lambda text: code_block(text.split("\n")), ANY_TEXT, ("`\n", "\n", "\u0301", "a")),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_time_in_proportion_to_its_text(name: str) -> None:
    work, longest, beginnings = FUNCTIONS[name]
    assert not slow_texts(work, beginnings, longest=longest)


def slow_texts(work: Callable[[str], object], beginnings: tuple[str, ...], *, longest: int = ANY_TEXT) -> list[str]:
    """Return the texts, by how they begin, whose time grows much faster than their length."""
    return [
        f"{make(12)}…" for beginning in beginnings for make in texts(beginning) if grows_too_fast(work, make, longest)
    ]


def texts(beginning: str) -> Iterator[Callable[[int], str]]:
    """Yield the ways to make a text of any length: all of the beginning again and again, or its last character."""
    for end in ("", "!", "a"):
        yield partial(repeated, "", beginning, end)
        yield partial(repeated, beginning, beginning[-1], end)


def repeated(head: str, unit: str, end: str, length: int) -> str:
    return (head + unit * length)[: length - len(end)] + end


def grows_too_fast(work: Callable[[str], object], make: Callable[[int], str], longest: int) -> bool:
    long, short = make(longest), make(longest // 4)
    if seconds(work, long) < NOTICEABLE:
        return False
    return min(seconds(work, long) for _ in range(2)) > TOO_FAST * min(seconds(work, short) for _ in range(3))


def seconds(work: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def modules() -> list[ModuleType]:
    """Return all modules of ours but those that run when they are imported."""
    roots = (bot, commands, formatters, playground)
    below = [found.name for root in roots for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    names = [*(root.__name__ for root in roots), *below]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


@cache
def found_patterns() -> dict[str, list[Pattern]]:
    """Return the patterns of each constant that a module of ours defines, by its full name."""
    found: dict[str, list[Pattern]] = {}
    for module in modules():
        for name in constants(module):
            if patterns := list(patterns_in(getattr(module, name))):
                found[f"{module.__name__}.{name}"] = patterns
    return found


def constants(module: ModuleType) -> list[str]:
    statements = ast.parse(inspect.getsource(module)).body
    targets = [target for one in statements if isinstance(one, ast.Assign) for target in one.targets]
    targets += [one.target for one in statements if isinstance(one, ast.AnnAssign)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if hasattr(module, name)]


def patterns_in(value: object) -> Iterator[Pattern]:
    if isinstance(value, re.Pattern | regex.Pattern):
        yield value
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from patterns_in(one)
    elif isinstance(value, dict):
        yield from patterns_in(list(value.values()))


def patterns_used_in_passing(module: ModuleType) -> Iterator[int]:
    """Yield the lines that use a pattern which is no constant of the module."""
    tree = ast.parse(inspect.getsource(module))
    at_the_top = {id(call) for one in tree.body if isinstance(one, ast.Assign | ast.AnnAssign) for call in calls(one)}
    for call in calls(tree):
        if ast.unparse(call.func).startswith(("re.", "regex.")) and id(call) not in at_the_top:
            yield call.lineno


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))
