"""A rule is read word by word: what is ours, what is a branch, and what would wait for ever is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.errors import UsageError
from bot.grammar import Word, split
from bot.models import patterns
from bot.models.rule_line import OF_SENTENCES, OURS
from bot.models.subscription import Event, Mode, Subscription, Wish, id_of
from bot.naming import plainly
from bot.projects import ProjectEntry, Projects
from commands.rules import MOST_BRANCHES, MOST_WORKFLOWS, OfBranches, parse, parse_rule
from commands.subscribe import meant, parse_page, unseen

PROJECTS = Projects(projects={"web": ProjectEntry(slug="gh/acme/frontend")})
SLUG = "gh/acme/frontend"


def read(line: str) -> OfBranches:
    return parse(split(line), PROJECTS)


def kept(wish: Wish) -> Subscription:
    made = {"channel_id": "C0WEB", "made_by": "U0ADA", "made_at": "2026-11-29T12:00:00Z", "project_slug": SLUG}
    more = {"project_title": "acme/frontend", "default_branch": "main", "id": id_of("C0WEB", SLUG, wish)}
    return Subscription.model_validate({**made, **more, **wish.model_dump()})


@pytest.mark.parametrize(
    ("line", "branches", "events", "mode"),
    [
        ("acme/frontend", (), (), "thread"),
        ("web", (), (), "thread"),
        ("acme/frontend:main", ("main",), (), "thread"),
        ("acme/frontend main release/* !release/old", ("main", "release/*", "!release/old"), (), "thread"),
        ("acme/frontend fixed main Broke channel", ("main",), ("broke", "fixed"), "channel"),
        ("acme/frontend still-red failed passed thread", (), ("still-red", "failed", "passed"), "thread"),
        ('acme/frontend "fixed" "channel" fixed', ("fixed", "channel"), ("fixed",), "thread"),
        ('acme/frontend main main "2417" "a=b"', ("main", "2417", "a=b"), (), "thread"),
        ("acme/frontend fix/fixed hanging", ("fix/fixed", "hanging"), (), "thread"),
        ("acme/frontend waiting slow flaky deployed", (), ("waiting", "deployed", "flaky", "slow"), "thread"),
        ('acme/frontend "release/?"', ("release/?",), (), "thread"),
        ("acme/frontend main.", ("main",), (), "thread"),
        ("acme/frontend:tag:v2.0", ("tag:v2.0",), (), "thread"),
        ("acme/frontend main tag:v* !tag:v0*", ("main", "tag:v*", "!tag:v0*"), (), "thread"),
    ],
)
def test_words_are_told_apart_by_what_they_are(
    line: str, branches: tuple[str, ...], events: tuple[str, ...], mode: str
) -> None:
    found = read(line)
    assert (found.project, found.branches, found.events, found.mode) == (SLUG, branches, events, mode)


@pytest.mark.parametrize(
    ("line", "mention", "name"),
    [
        ("acme/frontend mention=<!subteam^S0ONCALL|@oncall>", "S0ONCALL", "@oncall"),
        ("acme/frontend mention=<!subteam^S0ONCALL>", "S0ONCALL", ""),
        ("acme/frontend mention=<@U0ADA>", "U0ADA", ""),
        ("acme/frontend Mention=S0ONCALL", "S0ONCALL", ""),
        ("acme/frontend tag:v* mention=S0ONCALL", "S0ONCALL", ""),
        ("acme/frontend waiting deployed mention=S0ONCALL", "S0ONCALL", ""),
    ],
)
def test_whom_to_mention_is_told_by_an_id(line: str, mention: str, name: str) -> None:
    found = read(line)
    assert (found.mention, found.mention_name) == (mention, name)


@pytest.mark.parametrize(
    ("line", "by", "workflows"),
    [
        ("acme/frontend by=octo-ada", "octo-ada", ()),
        ("acme/frontend BY=Octo-Ada workflow=deploy", "Octo-Ada", ("deploy",)),
        ('acme/frontend workflow="build and test" workflow=!lint*', "", ("build and test", "!lint*")),
        ("acme/frontend by=<@U0ADA|ada> workflow=17 workflow=true", "<@U0ADA|ada>", ("17", "true")),
        ("acme/frontend by=U0ADA", "<@U0ADA>", ()),
        ("acme/frontend by=Me.", "me", ()),
    ],
)
def test_whose_builds_and_which_workflows_count(line: str, by: str, workflows: tuple[str, ...]) -> None:
    assert (read(line).by, read(line).workflows) == (by, workflows)
    assert read(line).branches == ()


@pytest.mark.parametrize(
    ("line", "project", "left_out", "branches"),
    [
        ("acme/*", "acme/*", (), ()),
        ("github/Acme/web-*", "gh/Acme/web-*", (), ()),
        (
            "acme/* !acme/old !gh/acme/x-* main !renovate/*",
            "acme/*",
            ("acme/old", "gh/acme/x-*"),
            ("main", "!renovate/*"),
        ),
        ('acme/* "!acme/old" release/*', "acme/*", (), ("!acme/old", "release/*")),
        ("circleci/5e0c5f62/*", "circleci/5e0c5f62/*", (), ()),
        ('acme/frontend "!acme/old" "acme/older"', SLUG, (), ("!acme/old", "acme/older")),
        ("acme/* acne/web", "acme/*", (), ("acne/web",)),
    ],
)
def test_a_pattern_means_projects_of_one_organisation(
    line: str, project: str, left_out: tuple[str, ...], branches: tuple[str, ...]
) -> None:
    found = read(line)
    assert (found.project, found.left_out, found.branches) == (project, left_out, branches)
    assert patterns.is_pattern(project) is (found.about(PROJECTS) == (None, None))


@pytest.mark.parametrize(
    ("globs", "slug", "title", "is_meant"),
    [
        (("acme/*",), "gh/acme/web", "acme/web", True),
        (("acme/*",), "circleci/5e0c5f62/9f1c2d7a", "acme/mobile", True),
        (("gh/acme/*",), "circleci/5e0c5f62/9f1c2d7a", "acme/mobile", False),
        (("gh/acme/*",), "github/Acme/Web", "Acme/Web", True),
        (("Acme/Web-*",), "gh/acme/web-x", "acme/web-x", True),
        (("acme/web-*",), "gh/acme/web", "acme/web", False),
        (("acme/*",), "gh/acme-labs/web", "acme-labs/web", False),
        (("acme/*", "!acme/old"), "gh/acme/old", "acme/old", False),
        (("acme/*", "!gh/acme/x-*"), "gh/acme/x-1", "acme/x-1", False),
    ],
)
def test_a_project_fits_by_its_slug_or_its_name(globs: tuple[str, ...], slug: str, title: str, is_meant: bool) -> None:
    assert patterns.fits(globs, slug, title) is is_meant


@pytest.mark.parametrize(
    "line",
    [
        "",
        "acme/frontend tag:v* !tag:v0* still-red",
        "acme/frontend fixed passed mention=S0ONCALL",
        "acme/* deployed slow flaky mention=S0ONCALL",
        "acme/frontend tag:v* still-red mention=<@U0ADA>",
        "*",
        "*/web",
        "acme*/web",
        "gh/*",
        "gh/acme/web/*",
        "acme/*:main",
        "acme/[ab]*",
        "frontend",
        "https://app.circleci.com/pipelines/gh/acme/frontend/2417",
        "acme/frontend tag:",
        "acme/frontend tag:a..b",
        "acme/frontend #2417",
        "acme/frontend 2417",
        "acme/frontend main?",
        "acme/frontend fixd",
        "acme/frontend brok",
        "acme/frontend stil-red",
        "acme/frontend chanel",
        "acme/frontend !",
        "acme/frontend refs/heads/main",
        "acme/frontend release/[a",
        "acme/frontend us main",
        "acme/frontend main, release/*",
        "acme/frontend main,release/*",
        "acme/frontend:main,fixed",
        "acme/frontend !renovate/*,!dependabot/*",
        "acme/frontend FAILED,passed",
        "acme/frontend tag:v1,tag:v2",
        "acme/frontend by=octo-ada,octo-ken",
        "acme/frontend workflow=deploy,build",
        "acme/frontend workflow=!lint,!docs*",
        "acme/frontend acme/backend",
        "acme/frontend main !Acme/old",
        "acme/frontend gh/acme/backend main",
        "acme/* acme/backend",
        "acme/frontend when main breaks",
        "acme/frontend except main",
        "acme/frontend main !main",
        "acme/frontend * !*",
        "acme/frontend release/v* main !m* !release/*",
        "acme/frontend tag:* !tag:*",
        "acme/frontend workflow=lint workflow=!lint",
        "acme/frontend by=@ada",
        "acme/frontend by=",
        "acme/frontend by=ada by=grace",
        "acme/frontend by=S0ONCALL0",
        "acme/frontend workflow=",
        'acme/frontend workflow="!"',
        f"acme/frontend {' '.join(f'workflow=w{number}' for number in range(MOST_WORKFLOWS + 1))}",
        "acme/frontend @oncall",
        "acme/frontend <!subteam^S0ONCALL>",
        "acme/frontend <#C0WEB|web>",
        "acme/frontend thread channel",
        "acme/frontend mention=@oncall",
        "acme/frontend mention=SUPPORT",
        "acme/frontend mention=SREWEEKLY",
        "acme/frontend mention=S3BUCKET",
        "acme/frontend mention=<!here>",
        "acme/frontend mention=<!channel>",
        "acme/frontend mention=",
        "acme/frontend mention=S0ONCALL mention=S0OTHER",
        f"acme/frontend {' '.join(f'branch-{number}' for number in range(MOST_BRANCHES + 1))}",
        f"acme/frontend {' '.join(f'{letter * 240}' for letter in 'abcde')}",
    ],
)
def test_what_would_never_be_told_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        read(line)


@pytest.mark.parametrize(
    "line",
    [
        "gh/acme/frontend broke fixed",
        "gh/acme/frontend main release/* !release/old broke channel mention=S0ONCALL",
        'gh/acme/frontend "fixed" "Channel" "2417" "a=b" "release/?" still-red',
        "gh/acme/frontend * passed",
        'gh/acme/frontend "us" "main," broke',
        'gh/acme/frontend "main,fixed" "acme/backend" broke by="a,b" workflow="deploy,build"',
        'gh/acme/frontend "passd" "@grace" "at" broke mention=<@UABCDEFGH>',
    ],
)
def test_the_line_that_is_listed_reads_as_what_it_is_of(line: str) -> None:
    found = read(line)
    one = kept(found.wish)
    assert one.line == line
    assert read(one.line) == found


ODD = (*OURS, *OF_SENTENCES, "passd", "Chanel", "stil-red", "@grace", "#17", "17", "main,", "a=b", "main.", "fix?", "!")
LETTERS = "abdefhilnorstwx/-.,!?*[]#@=\"'`“”’«<>&$ß0179"
NAMES = st.sampled_from(ODD) | st.text(LETTERS, min_size=1, max_size=12) | st.text(min_size=1, max_size=8)
IDS = st.from_regex(r"\A[SUW][A-Z0-9]{1,12}\Z")


def can_be_said(branch: str) -> bool:
    try:
        return bool(parse([Word(SLUG), Word(branch, quoted=True)], PROJECTS))
    except UsageError:
        return False


def can_be_an_option(value: str) -> bool:
    try:
        return parse([Word(SLUG), Word(f'workflow="{value}"')], PROJECTS).workflows == (value,)
    except (UsageError, ValidationError):
        return False


BRANCHES = st.builds("{}{}{}".format, st.sampled_from(["", "!"]), st.sampled_from(["", "", "tag:", "acme/"]), NAMES)
VALUES = (NAMES | st.sampled_from(["build and test", "!lint", "true", "7", "a.", "a?", "a,b"])).filter(can_be_an_option)
WISHES = st.fixed_dictionaries(
    {
        "branches": st.lists(BRANCHES.filter(can_be_said), max_size=4, unique=True),
        "events": st.sets(st.sampled_from(Event), min_size=1).map(lambda said: [one for one in Event if one in said]),
        "mode": st.sampled_from(Mode),
        "by": st.sampled_from(["", "octo-ada", "Ada_L", "true", "7", "a,b"]),
        "workflows": st.lists(VALUES, max_size=2, unique=True),
        "mention": st.just("") | IDS,
    }
)


@given(wish=WISHES, pattern=st.sampled_from(["", "acme/*", "gh/acme/web-*"]))
def test_every_rule_prints_a_line_that_reads_as_the_same(wish: dict[str, object], pattern: str) -> None:
    left_out = ("acme/old", "gh/acme/x-*") if pattern else ()
    made = Wish.model_validate({**wish, "left_out": left_out})
    line = kept(made).model_copy(update={"pattern": pattern}).line
    command, *words = split(f"unsubscribe {line}")
    assert command.text == "unsubscribe"
    found = parse_rule(plainly("unsubscribe", words, PROJECTS), PROJECTS)
    assert (found.wish, found.project) == (made, pattern or SLUG), line


OF_MAIN = ("main failed passed by=octo-grace", "release/* failed", "workflow=deploy", "release/* broke fixed by=ada")


@pytest.mark.parametrize(
    ("rules", "line", "ends"),
    [
        (OF_MAIN, "main", None),  # it is narrower than that
        (OF_MAIN, "main failed passed", None),
        (OF_MAIN, "main by=octo-grace", None),  # which events it leaves out
        (OF_MAIN, "main failed passed by=octo-grace", 0),
        (OF_MAIN, "release/* failed", 1),
        (OF_MAIN, "workflow=deploy", 2),
        (OF_MAIN, "broke fixed", None),
        (OF_MAIN, "", None),
        (OF_MAIN[:1], "", 0),
        (OF_MAIN[:1], "main", 0),
        (("main", *OF_MAIN), "main", 0),
        (("main", "main passed"), "main", None),
    ],
)
def test_what_a_line_leaves_out_ends_one_alone_only_where_nothing_else_is_there(
    rules: tuple[str, ...], line: str, ends: int | None
) -> None:
    all_of_it = [kept(read(f"acme/frontend {rule}").wish) for rule in rules]
    asked = read(f"acme/frontend {line}")
    found = meant(all_of_it, asked, asked.wish)
    assert len(found) > 1 if ends is None else list(found) == [all_of_it[ends]]
    assert meant(all_of_it, read("acme/frontend hotfix"), Wish()) == []


@pytest.mark.parametrize(
    ("line", "said", "given"),
    [
        ("mention=@HERE", "never all of a channel", "@HERE"),
        ("mention=<!channel|channel>", "never all of a channel", "@channel"),
        ("mention=@oncall", "choose them in the list that Slack shows", "@oncall"),
        ("by=@ada", "choose them in the list that Slack shows", "@ada"),
        ('workflow="build\tand test"', "a line break, a tab", "workflow"),
        ('workflow="!lint\n" main', "a line break, a tab", "workflow"),
        ('by="octo\rada"', "another sign that no name has", "by"),
    ],
)
def test_what_is_no_name_is_said_with_what_it_is(line: str, said: str, given: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(f"acme/frontend {line}")
    assert said in refused.value.problem
    assert refused.value.given == given


def test_without_an_event_a_break_and_a_repair_are_meant() -> None:
    assert read("web").wish.events == (Event.BROKE, Event.FIXED)
    assert read("web channel").wish.mode is Mode.CHANNEL


def test_a_page_is_a_number() -> None:
    assert [parse_page(split(line), PROJECTS).page for line in ("", "1", "2.", "12?")] == [1, 1, 2, 12]
    for line in ("0", "main", "1 2", "-1"):
        with pytest.raises(UsageError):
            parse_page(split(line), PROJECTS)


@pytest.mark.parametrize(
    ("wish", "options", "near"),
    [
        (Wish(by="octo-ada"), (), ()),
        (Wish(by="OCTO-ADA"), (), ()),
        (Wish(by="octo-adda"), ("by=octo-adda",), ("by=octo-ada",)),
        (Wish(workflows=("build*", "!nothing")), (), ()),
        (Wish(workflows=("bild", "d*")), ("workflow=bild", "workflow=d*"), ("workflow=build",)),
        (Wish(by="me-too", workflows=("x*",)), ("by=me-too", "workflow=x*"), ()),
    ],
)
def test_what_none_of_the_newest_builds_fits_is_named(
    wish: Wish, options: tuple[str, ...], near: tuple[str, ...]
) -> None:
    found = unseen(wish, {"octo-ada", "octo-grace"}, {"build", "lint"})
    assert ((found.options, found.near) if found else ((), ())) == (options, near)
    assert unseen(wish, (), ()) is None  # nothing is known
