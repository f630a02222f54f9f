"""What somebody can do in a place now: tables over how its builds stand, and over what they may."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from bot.answers.lines import How
from bot.answers.ourselves import HelpHere, Row
from bot.grammar import split
from bot.models.build import Build, Run, State
from bot.models.caller import Place
from bot.models.circleci import Job, Pipeline, PipelineId, ProjectSlug, Ref, Workflow
from bot.models.slack import Closing, Watch
from bot.policy import Word
from bot.routing import Router
from bot.settings import ProjectEntry, Projects
from bot.store.followed import Followed
from commands import register
from commands.here import About, Here, Red, Waits, places, rows
from formatters.here import here as in_words
from formatters.limits import violations
from tests.golden.acts import acted_at_once

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FRONTEND, MAIN = ProjectSlug("gh/acme/frontend"), Ref(name="main")
USES = About(FRONTEND, "acme/frontend", MAIN)
ROUTER = register(Router())
MEMBER, GUEST = (Word.DEPLOY, Word.RERUN, Word.APPROVE), ()
WORDS = frozenset(("deploy", "status", "rerun", "approve", "why-red"))
HOSTILE = "<!channel> *bold* `code` | <https://evil.example|ok> & " + "x" * 500


def followed(
    status: str,
    number: int = 1,
    ref: Ref | None = MAIN,
    *,
    polled: bool = True,
    told: bool = True,
    age: float = 0,
    job: str = "",
    title: str = "acme/frontend",
) -> Followed:
    """Return a build that the channel follows, with one job that is called like `job`; without a status unseen yet."""
    holds, flow = status == "on_hold", {"id": "w", "name": "flow", "created_at": NOW, "stopped_at": None}
    of_job = {"id": "j", "name": job or "job", "status": status, "type": "approval" if holds else "build"}
    vcs = {"branch": "" if ref is None or ref.is_tag else ref.name}
    pipeline = {"id": f"p{number}", "number": number, "project_slug": f"gh/{title}", "created_at": NOW, "vcs": vcs}
    run = Run(workflow=Workflow.model_validate({**flow, "status": status}), jobs=(Job.model_validate(of_job),))
    build = Build(pipeline=Pipeline.model_validate({**pipeline, "state": "created"}), runs=(run,), read_at=NOW)
    watch = Watch(
        id=f"Ev{number}",
        pipeline_id=PipelineId(f"p{number}"),
        pipeline_number=number,
        project_slug=ProjectSlug(f"gh/{title}"),
        project_title=title,
        ref=ref,
        thread=Place(channel_id="C0"),
        asked_at=NOW - timedelta(days=age),
        closing=Closing(fingerprint=build.fingerprint) if told else None,
    )
    return Followed(watch, build if status else None, polled)


def place(*builds: Followed, about: About | None = USES, may: Collection[str] = MEMBER, direct: bool = False) -> Here:
    """Return a place, and what somebody may do everywhere in it."""
    allowed = {(word, one.slug, one.ref) for word in may for one in places(builds, about)}
    anywhere = {(word, "", None) for word in may}
    projects = Projects(projects={"shop": ProjectEntry(slug="gh/acme/shop")})
    return Here(builds, about, WORDS, frozenset(allowed | anywhere), projects, NOW, direct)


def said(*builds: Followed, about: About | None = USES, may: Collection[str] = MEMBER) -> list[str]:
    """Return what there is to do as lines; what only explains has none."""
    return [
        row.line.replace("gh/acme/frontend", "web") or f"help {row.word}"
        for row in rows(place(*builds, about=about, may=may))
    ]


OTHERS, LOOKS = ["deploy web main", "status web main"], ["status web main", "why-red web main"]
ASKS = [*OTHERS, "rerun web main", "approve web", "why-red web main"]
GREEN = [*OTHERS, "approve web", "why-red web main"]
RED, RED_TO_GUESTS = (
    ["why-red web main", *OTHERS, "rerun web #1", "approve web"],
    ["why-red web main", "status web main"],
)
RUNS = ["status web #1", "deploy web main", "approve web", "why-red web main"]
RUNS_TO_GUESTS = ["status web #1", "why-red web main"]
TRIED = ["status web #1", "deploy web main", "rerun web main", "approve web", "why-red web main"]
LOST = ["triage web #1", *OTHERS, "rerun web #1", "approve web", "why-red web main"]


@pytest.mark.parametrize(
    ("builds", "member", "guest"),
    [
        ((), ASKS, LOOKS),
        ((followed("on_hold"),), ["approve web #1", *OTHERS, "why-red web main"], RUNS_TO_GUESTS),
        ((followed("running"),), RUNS, RUNS_TO_GUESTS),
        ((followed(""),), RUNS, RUNS_TO_GUESTS),
        ((followed("success"),), GREEN, LOOKS),
        ((followed("failed"),), RED, RED_TO_GUESTS),
        ((followed("error"),), TRIED, RUNS_TO_GUESTS),
        ((followed("canceled"),), ASKS, LOOKS),
        # It may run again by itself: as long as that is not told, it is not over.
        ((followed("failed", told=False),), RUNS, RUNS_TO_GUESTS),
        ((followed("failed", told=False, polled=False),), RED, RED_TO_GUESTS),
        # What nobody looks at any more stands in no way that is known.
        ((followed("on_hold", polled=False),), ASKS, LOOKS),
        ((followed("running", polled=False),), ASKS, LOOKS),
        # What failed days ago, or has passed since, is no news; what passed days ago may be red by now.
        ((followed("failed", age=3),), ASKS, LOOKS),
        ((followed("success", age=3),), ASKS, LOOKS),
        ((followed("success", 2), followed("failed", 1)), GREEN, LOOKS),
        ((followed("failed", 1), followed("success", 2)), GREEN, LOOKS),
        # A tag, a pull request and a branch without a name have no history to be red in.
        ((followed("failed", ref=Ref(name="pull/7")),), LOST, ["triage web #1", *LOOKS]),
        ((followed("failed", ref=Ref(name="v2", kind="tag")),), LOST, ["triage web #1", *LOOKS]),
        ((followed("failed", ref=None),), LOST, ["triage web #1", *LOOKS]),
        (
            (followed("on_hold", 3, Ref(name="x")), followed("running", 2, Ref(name="y")), followed("failed", 1)),
            ["approve web #3", "status web #2", "why-red web main", "deploy web main", "rerun web #1"],
            ["status web #3", "status web #2", "why-red web main"],
        ),
    ],
)
def test_what_stands_here_comes_first_and_nobody_is_offered_what_they_may_not(
    builds: tuple[Followed, ...], member: list[str], guest: list[str]
) -> None:
    assert said(*builds) == member
    assert said(*builds, may=GUEST) == guest


@pytest.mark.parametrize(
    ("about", "may", "lines"),
    [
        (USES._replace(ref=None), MEMBER, ["help deploy", "status web", "approve web", "why-red web"]),
        (
            USES._replace(ref=Ref(name="v2", kind="tag")),
            MEMBER,
            ["deploy web tag:v2", "status web tag:v2", "rerun web tag:v2", "approve web", "why-red web"],
        ),
        (USES._replace(ref=Ref(name="evil:x")), MEMBER, ["help deploy", "status web", "approve web", "why-red web"]),
        (USES._replace(ref=Ref(name="ghp_" + "a1B2" * 9)), GUEST, ["status web", "why-red web"]),
        # What it was deployed with goes with it, but where no button may carry that; of another branch it says nothing.
        (
            USES._replace(line="deploy gh/acme/frontend main env=prod definition:x"),
            MEMBER,
            ["deploy web main env=prod definition:x", *ASKS[1:]],
        ),
        (
            USES._replace(line="deploy gh/acme/frontend main token=ghp_" + "a1B2" * 9),
            MEMBER,
            ["help deploy", *ASKS[1:]],
        ),
        (USES._replace(line="deploy gh/acme/frontend mains env=prod"), MEMBER, ASKS),
        (USES, (Word.DEPLOY,), ["deploy web main", "status web main", "why-red web main"]),
        (USES, (Word.RERUN,), ["status web main", "rerun web main", "why-red web main"]),
        (None, MEMBER, ["help deploy", "help status", "help use", "projects"]),
        (None, GUEST, ["help status", "projects"]),
    ],
)
def test_the_words_are_filled_with_what_is_known(about: About | None, may: Collection[str], lines: list[str]) -> None:
    assert said(about=about, may=may) == lines


def test_the_word_for_ones_own_builds_is_there_as_soon_as_the_command_is() -> None:
    known = place()._replace(words=frozenset({"mine"}))
    nowhere = place(about=None)._replace(words=frozenset({"mine"}))
    assert [row.line for row in rows(known)][-1] == [row.line for row in rows(nowhere)][-1] == "mine"
    assert "My builds" in str(in_words(HelpHere(rows=rows(known), title="acme/frontend")).blocks)
    assert "mine" not in said()


def test_in_direct_messages_there_is_no_channel_that_could_use_a_project() -> None:
    assert [row.word for row in rows(place(about=None, direct=True))] == ["deploy", "status", "projects"]


def test_a_project_is_typed_by_its_alias_and_carried_by_its_slug() -> None:
    shop = About(ProjectSlug("gh/acme/shop"), "acme/shop", MAIN)
    first = rows(place(about=shop))[0]
    assert (first.typed, first.line) == ("deploy shop main", "deploy gh/acme/shop main")
    elsewhere = About(ProjectSlug("bb/acme/shop2"), "acme/shop2", MAIN)
    assert rows(place(about=elsewhere))[0].typed == "deploy bb/acme/shop2 main"


def test_of_several_in_one_state_the_newest_is_named_and_the_others_are_counted() -> None:
    held = [followed("on_hold", number, Ref(name=f"b{number}")) for number in (5, 4, 3)]
    (news,) = [row.news for row in rows(place(*held, held[0])) if row.news]
    assert (news.state, news.others) == (State.ON_HOLD, 2)
    shown = str(in_words(HelpHere(rows=rows(place(*held)), title="acme/frontend")).blocks)
    assert "⏸️ On hold · #5 · b5 · job waits for an approval" in shown
    assert "and 2 more here" in shown
    cut = place(*held)._replace(is_cut=True)
    assert "and at least 2 more here" in str(in_words(HelpHere(rows=rows(cut), title="acme/frontend")).blocks)


@pytest.mark.parametrize("status", ["on_hold", "running", "failed", "error", "success", "new", ""])
@pytest.mark.parametrize("how", list(How))
@pytest.mark.parametrize("name", ["main", HOSTILE, "m\u0430in", "x" * 250])
def test_every_line_can_be_read_fits_and_an_act_asks_first(status: str, how: How, name: str) -> None:
    build = followed(status, ref=Ref(name=name), job=name, title=f"acme/{name[:40]}" if " " not in name else "acme/x")
    about = About(build.watch.project_slug, build.watch.project_title, build.watch.ref, how)
    found = rows(place(build, about=about))
    message = in_words(HelpHere(rows=found, title=about.title, ref=about.ref, how=how))
    assert violations(message) == []
    assert "<!channel>" not in str(message.blocks)
    elements = [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
    assert [acted_at_once(one) for one in elements if acted_at_once(one)] == []
    assert elements[-1]["text"]["text"] == "More"
    for row in found:
        assert _is_read_so(row)


OTHER = About(ProjectSlug("gh/acme/shop"), "acme/shop", Ref(name="x"))


def test_what_is_red_and_what_waits_here_by_its_subscriptions_comes_first() -> None:
    red = [Red(USES, "main", 5, looking="grace", or_before=True), Red(OTHER, "x workflow=deploy", 4, snoozed_until=NOW)]
    waits = [Waits(USES, 7, ("hold-prod",)), Waits(OTHER, 6, ("hold-a", "hold-b"))]
    here = place(followed("failed", 5), followed("on_hold", 7))._replace(red=red, waits=waits)
    lines = [row.line for row in rows(here)][:4]
    # A build that the channel follows too, and a branch that it knows red, are named once.
    expected = ["approve gh/acme/frontend #7", "status gh/acme/shop #6", "why-red gh/acme/frontend main"]
    assert lines == [*expected, "why-red gh/acme/shop x"], "nobody is offered to approve what they may not"
    told = str(in_words(HelpHere(rows=rows(here), title="acme/frontend", subscriptions=2, is_red=True)).blocks)
    assert "❌ main is red · since #5 or before · grace looks at it" in told
    assert "❌ x (workflow=deploy) is red · acme/shop · since #4 · snoozed until" in told
    assert "#6 · x · hold-a, hold-b wait for an approval" in told
    assert "Nothing is red here" not in told


def test_of_many_that_are_red_the_newest_are_named_and_the_others_are_counted() -> None:
    red = [Red(USES._replace(ref=Ref(name=f"b{at}")), f"b{at}", at) for at in range(12, 2, -1)]
    found = rows(place()._replace(red=red, waits=[Waits(OTHER, at, ("hold",)) for at in range(9, 4, -1)]))
    told = str(in_words(HelpHere(rows=found, title="acme/frontend")).blocks)
    assert ("b10 is red · since #10 · and 7 more here" in told, "#8 · x · hold waits for an approval" in told) == (
        True,
        True,
    )
    assert "and 3 more here" in told
    assert [row.line for row in found if not row.news][:1] == ["deploy gh/acme/frontend main"], "and words go on below"


@pytest.mark.parametrize("name", [HOSTILE, "m\u0430in", "x" * 250, "a`b"])
def test_what_is_told_of_a_hostile_branch_fits(name: str) -> None:
    about = About(FRONTEND, "acme/frontend", Ref(name=name))
    red, waits = [Red(about, name, 1, looking=HOSTILE)] * 5, [Waits(about, 2, (HOSTILE, name))] * 5
    found = rows(place()._replace(red=red, waits=waits))
    message = in_words(HelpHere(rows=found, title="acme/frontend", is_red=True))
    assert violations(message) == []
    assert "<!channel>" not in str(message.blocks)


def _is_read_so(row: Row) -> bool:
    """Say whether the line is understood, and names what the row is about."""
    if not row.line:
        return True
    command, rest = ROUTER.find(split(row.line))
    request = command.parse(rest, Projects())
    slug, ref = request.about(Projects())
    named = row.number if f"#{row.number}" in row.line else None
    return (
        command.name == row.word
        and slug == f"gh/{row.title}"
        and getattr(request, "pipeline", None) == named
        and ref in (row.ref, None)
    )
