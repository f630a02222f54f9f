"""What a sentence is read as: the command, what it names, and what is never made of it."""

import re
from pathlib import Path

import pytest

from bot.grammar import split
from bot.intents.index import Index, normalized
from bot.intents.later import later_in
from bot.intents.reading import Default
from bot.intents.table import phrases
from bot.intents.values import Named, take
from bot.models.circleci import ProjectSlug
from tests.intents.reading import KNOWN, PROJECTS, READER, ROUTER, THREAD, line, read

CHANNEL = Default("acme/frontend")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("why did acme/frontend main break?", "why-red acme/frontend main"),
        ("who broke web main", "why-red web main"),
        ("why red acme/frontend main?", "why-red acme/frontend main"),
        ("wer hat acme/frontend main kaputt gemacht", "why-red acme/frontend main"),
        ("¿quién rompió la rama main de frontend?", "why-red acme/frontend main"),
        ("ist acme/frontend main grün?", "status acme/frontend main"),
        ("how is acme/frontend's main doing", "status acme/frontend main"),
        ("did the release/v2.0 branch of frontend pass?", "status acme/frontend release/v2.0"),
        ("is acme/frontend:main green", "status acme/frontend main"),
        ("is acme/frontend/release/v2.0 green", "status acme/frontend release/v2.0"),
        ("did build 2417 of frontend go through", "status acme/frontend #2417"),
        ("show me the log of job 1842 in bb/acme/backend", "logs bb/acme/backend 1842"),
        ("which tests failed in https://app.circleci.com/pipelines/github/acme/frontend/2417?", "tests https://app.circleci.com/pipelines/github/acme/frontend/2417"),
        ("which tests of backend are flaky", "flaky bb/acme/backend"),
        ("what happened lately", "recent"),
        ("show me the latest builds of acme/frontend", "status acme/frontend"),
        ("may I deploy acme/frontend main", "may deploy acme/frontend main"),
        ("am I allowed to rerun acme/frontend", "may rerun acme/frontend"),
        ("who deployed acme/frontend yesterday", "audit acme/frontend"),
        ("which env vars does acme/frontend have", "env acme/frontend"),
        ("please deploy release/v2.0 of acme/frontend", "deploy acme/frontend release/v2.0"),
        ("can you deploy tag v2.0 of acme/frontend?", "deploy acme/frontend tag:v2.0"),
        ("retry #2417 of frontend", "rerun acme/frontend #2417"),
        ("run everything of acme/frontend main again", "rerun acme/frontend main all"),
        ("nobody deploys acme/frontend main for now", "lock acme/frontend:main"),
        ("freeze acme/frontend main until tomorrow 9:00 please", "lock acme/frontend:main until tomorrow 9:00"),
        ("lock acme/frontend main for 2h", "lock acme/frontend:main for 2h"),
        ("sperr bitte acme/frontend main bis 17:00 Uhr", "lock acme/frontend:main until 17:00"),
        ("bloquea acme/frontend main hasta las 17:00", "lock acme/frontend:main until 17:00"),
        ("stop the build of acme/frontend try/slow", "cancel acme/frontend try/slow"),
        ("tell me when acme/frontend #2417 is done", "watch acme/frontend #2417"),
        # Of a project that is not named there is no line, but for what needs none.
        ("who broke it", "why-red …"),
        ("why red?", "why-red …"),
        ("ship it", "deploy …"),
        ("what can I say", "help"),
        # Nothing of ours.
        ("tell me a joke", "nothing"),
        ("the weather is nice in Berlin", "nothing"),
        ("", "nothing"),
    ],
)  # fmt: skip
def test_a_sentence_is_read_as_a_line(said: str, meant: str) -> None:
    assert line(said) == meant


def test_what_the_page_says_is_read_so() -> None:
    page = (Path(__file__).parents[2] / "docs" / "words.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*(.*)\* \| `(.*)` \|$", page, re.MULTILINE)
    assert len(rows) > 10
    followed = READER.known(PROJECTS, [ProjectSlug("gh/acme/frontend"), ProjectSlug("gh/acme/backend")])
    read_as = {said: READER.read(said, PROJECTS, followed) for said, _ in rows}
    assert [(said, one.meant[0].line) for said, one in read_as.items()] == rows
    assert [said for said, one in read_as.items() if not one.is_sure] == []


@pytest.mark.parametrize(
    ("said", "default", "meant"),
    [
        ("rerun it", THREAD, "rerun acme/frontend #2417"),
        ("why did it break", THREAD, "why-red acme/frontend release/v2.0"),
        ("ship it", THREAD, "deploy acme/frontend release/v2.0"),
        ("freeze it", THREAD, "lock acme/frontend:release/v2.0"),
        ("is main green", THREAD, "status acme/frontend main"),
        ("rerun it on other/cli main", THREAD, "rerun other/cli main"),
        ("show me the log of #2400", THREAD, "logs acme/frontend #2400"),
        ("freeze it", CHANNEL._replace(ref="main"), "lock acme/frontend:main"),
        ("lock the whole project", CHANNEL._replace(ref="main"), "lock acme/frontend"),
        ("sperr das Projekt", THREAD, "lock acme/frontend"),
        ("is main green", CHANNEL, "status acme/frontend main"),
        ("who broke the build of backend", CHANNEL, "why-red bb/acme/backend"),
    ],
)
def test_where_no_project_is_named_the_default_is_meant(said: str, default: Default, meant: str) -> None:
    assert line(said, default) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        # What runs is asked of all, unless something is named.
        ("what is running?", "recent"),
        ("was läuft gerade?", "recent"),
        ("qué está corriendo ahora", "recent"),
        ("what is running on try/slow", "status acme/frontend try/slow"),
        ("what did I deploy last night", "mine"),
        ("what did I ship yesterday", "mine"),
        ("rerun the failed tests of release/v2.0 in frontend", "rerun acme/frontend release/v2.0"),
        ("please rerun the failing tests of main", "rerun acme/frontend main"),
        ("retry the flaky tests", "rerun acme/frontend"),
        ("wiederhole die fehlgeschlagenen Tests", "rerun acme/frontend"),
        # A word that is a part of another one's phrases.
        ("sperre main", "lock acme/frontend:main"),
        ("sperre den Branch main", "lock acme/frontend:main"),
        ("sperre main bis 18:00", "lock acme/frontend:main until 18:00"),
        ("entsperre den Branch main", "unlock acme/frontend:main"),
        ("Sperre main aufheben", "unlock acme/frontend:main"),
    ],
)
def test_in_a_channel_that_uses_a_project(said: str, meant: str) -> None:
    assert line(said, CHANNEL) == meant


def test_each_phrase_of_the_table_is_understood() -> None:
    index = Index(phrases())
    said = [(phrase, name) for name, of in phrases().items() for phrase in of if normalized(phrase)]
    assert [one for one in said if index.scores(one[0])[0].name != one[1]] == []


@pytest.mark.parametrize(
    "said",
    [
        "roll back acme/frontend main",
        "rollback main",
        "can you roll main back?",
        "undo the last deploy of acme/frontend",
        "revert main",
        "mach das Deployment rückgängig",
    ],
)
def test_who_wants_a_deploy_back_is_offered_nothing_else(said: str) -> None:
    assert read(said, CHANNEL).undoes
    assert read(said, CHANNEL).meant == ()


@pytest.mark.parametrize("said", ["is main back to green", "undo the lock of main", "who broke the rollout of main"])
def test_who_speaks_of_something_else_is_not_told_so(said: str) -> None:
    assert not read(said, CHANNEL).undoes


@pytest.mark.parametrize(
    ("said", "behind"),
    [
        ("sperr acme/frontend main bis morgen 9 Uhr", "until tomorrow 9:00"),
        ("freeze acme/frontend main bis Freitag um 17:30 Uhr", "until friday 17:30"),
        ("bloquea acme/frontend main hasta mañana a las 9", "until tomorrow 9:00"),
        ("bloquea acme/frontend main durante dos horas", "for two hours"),
        ("sperr bitte acme/frontend main für eine halbe Stunde", "for half hours"),
        ("lock acme/frontend main until 9:00 UTC", "until 9:00 UTC"),
        # What nobody can read is kept as the reason, and told.
        ("lock acme/frontend main until I am back", '"until I am back"'),
        ("freeze acme/frontend main until the migration is done", '"until the migration is done"'),
        ("lock acme/frontend main for a few hours", '"for a few hours"'),
        ("sperr acme/frontend main bis heute Abend", '"bis heute Abend"'),
        ("lock acme/frontend main until 9:00 in the evening", '"until 9:00 in the evening"'),
        ("bloquea acme/frontend main hasta las 5 de la tarde", '"hasta las 5 de la tarde"'),
        ("lock acme/frontend main until 9:00 and until 10:00", '"until 9:00 and until 10:00"'),
        ("nobody deploys acme/frontend main before 9:00", '"nobody deploys before 9:00"'),
        # A part of an end is another end.
        ("bloquea acme/frontend main hasta la medianoche del domingo", '"hasta la medianoche del domingo"'),
        ("bitte sperre acme/frontend main bis Mittag am Freitag", "until noon friday"),
        ("bloquea acme/frontend main por tres días y medio", '"por tres días y medio"'),
        ("sperre acme/frontend main für zwei Stunden und eine halbe", '"für zwei Stunden und eine halbe"'),
        ("sperre acme/frontend main für dreieinhalb Tage", '"für dreieinhalb Tage"'),
        ("bloquea acme/frontend main durante veinte minutos", '"durante veinte minutos"'),
        ("bloquea acme/frontend main por veintiuna y media horas", '"por veintiuna y media horas"'),
        ("bloquea acme/frontend main durante sesenta y cinco minutos", '"durante sesenta y cinco minutos"'),
        ("sperre acme/frontend main für eine Viertelstunde", '"für eine Viertelstunde"'),
        ("sperre acme/frontend main für drei Tage und zwölf Stunden", '"für drei Tage und zwölf Stunden"'),
        ("sperre acme/frontend main bis 12:15 am Montag", "until 12:15 monday"),
        ("freeze acme/frontend main until 12:15 am monday", "until 12:15 am monday"),
        ("bloquea acme/frontend main hasta las 9:00 del próximo lunes", '"hasta las 9:00 del próximo lunes"'),
        ("bloquea acme/frontend main hasta las 9:00 de la semana que viene", '"hasta las 9:00 de la semana que viene"'),
        ("sperre acme/frontend main bis 8 Uhr 15", '"bis 8 Uhr 15"'),
        ("sperre acme/frontend main bis 3.12. 8:30", '"bis 3.12 8:30"'),
        ("freeze acme/frontend main for 2 hours plus then 30m more", '"for 2 hours plus then 30m more"'),
        ("freeze acme/frontend main over the weekend", '"over the weekend"'),
        ("freeze acme/frontend main until 17:00 as monday is the release", "until 17:00"),
        # These mean a lock without an end.
        ("lock acme/frontend main until further notice", ""),
        ("sperr acme/frontend main bis auf weiteres", ""),
        ("nobody deploys acme/frontend main for now", ""),
    ],
)
def test_the_end_of_a_lock_is_read_or_told_and_never_lost(said: str, behind: str) -> None:
    found = read(said)
    assert found.meant[0].line == f"lock acme/frontend:main {behind}".strip()
    assert bool(found.named.unread) is behind.startswith('"')


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        ("please freeze acme/frontend main on thursday for 3 hours", "on thursday"),
        ("please lock acme/frontend main tomorrow", "tomorrow"),
        ("please lock acme/frontend main from 18:00 until 20:00", "from 18:00"),
        ("sperre acme/frontend main ab Dienstag für 2 Stunden", "ab Dienstag"),
        ("sperre acme/frontend main morgen Nachmittag für zwei Stunden", "morgen Nachmittag"),
        ("bloquea acme/frontend main desde el lunes por tres días", "desde el lunes"),
        ("sperre acme/frontend main übermorgen bis 18:00", "übermorgen"),
        ("sperre acme/frontend main bis morgen 9 Uhr", ""),
        ("please lock acme/frontend main until tomorrow 9:00", ""),
        ("nobody deploys acme/frontend main before 9:00", ""),
        ("please freeze acme/frontend main for 2 hours now", ""),
    ],
)
def test_a_lock_that_is_to_begin_later_is_noticed(said: str, starts: str) -> None:
    assert read(said).named.starts == starts


@pytest.mark.parametrize("said", ["until when is acme/frontend main frozen", "bis wann ist acme/frontend gesperrt"])
def test_who_asks_for_the_end_locks_nothing(said: str) -> None:
    assert read(said).meant[0].command == "locks"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("ship frontend main to production", "to production"),
        ("ship acme/frontend main to staging please", "to staging"),
        ("deploy frontend main into our prod now", "into our prod"),
        ("roll out acme/frontend main on staging", "on staging"),
        ("bring acme/frontend main in Produktion", "in Produktion"),
        ("sube acme/frontend main a producción", "a producción"),
        ("ship acme/frontend prod", "prod"),
        ("ship acme/frontend main to eu-west", "to eu-west"),
        ("ship acme/frontend main to live now please", "to live"),
        ("bitte deploye acme/frontend main auf live", "auf live"),
        ("despliega acme/frontend main en vivo", "en vivo"),
        ("despliega acme/frontend main en staging-2", "en staging-2"),
        ("bitte deploye acme/frontend main ins Testsystem", "ins Testsystem"),
        ("deploye acme/frontend main auf unseren Demoserver", "Demoserver"),
        ("ship acme/frontend main to the uat-west please", "to the uat-west"),
        ("bring acme/frontend main live please", ""),  # which is what a deploy is
        ("ship main to acme/frontend", ""),
        ("ship the staging branch of acme/frontend", ""),
        ("ship acme/frontend main to fix the login", ""),
        ("ship acme/frontend main, please", ""),
    ],
)
def test_an_environment_is_noticed(said: str, place: str) -> None:
    assert read(said).meant[0].command == "deploy"
    assert read(said).named.place == place


@pytest.mark.parametrize(
    "said",
    [
        "don't deploy acme/frontend main",
        "never rerun acme/frontend main",
        "bitte acme/frontend main nicht deployen",
        "no despliegues acme/frontend main",
        "did you deploy acme/frontend main?",
        "shall we ship acme/frontend main?",
        "is acme/frontend main to be rerun?",
        "roll acme/frontend main back",
        "undeploy acme/frontend main",
        "revert the deploy of acme/frontend main",
        "please ignore the deploy of acme/frontend main",
        "abort the deploy of acme/frontend main",
        "vergiss das Deployment von acme/frontend main",
        "olvida el despliegue de acme/frontend main",
        "stop the rerun of acme/frontend main",
    ],
)
def test_who_says_no_or_only_asks_is_not_acted_for(said: str) -> None:
    acts = ("deploy", "rerun", "unlock", "cache")
    assert [one for one in read(said).meant if one.command in acts] == []


@pytest.mark.parametrize(
    "said",
    [
        "is acme/frontend or acme/backend green",
        "why did main break and release/v2.0 not, in acme/frontend",
        "ship acme/frontend main env=prod",
        "what broke in https://github.com/acme/frontend/issues/7",
    ],
)
def test_of_two_names_of_a_kind_none_is_chosen(said: str) -> None:
    assert read(said).meant == ()


@pytest.mark.parametrize(
    "said", ["is acme/frontend ghp_" + "a1B2" * 9 + " green", "is the AKIA" + "A1B2" * 4 + " branch ok"]
)
def test_what_looks_like_a_secret_is_in_no_line(said: str) -> None:
    assert all("1B2" not in one.line for one in read(said, THREAD).meant)


@pytest.mark.parametrize(
    ("said", "named", "left"),
    [
        ("is frontend green", Named("acme/frontend"), "is green"),
        ("are the tests ok", Named(), "are the tests ok"),  # a project of this name is too common a word
        ("the payments branch of web", Named("web", "payments"), "the branch of"),
        ("branch hotfix-login", Named(ref="hotfix-login"), "branch"),
        ("is this branch broken", Named(), "is this branch broken"),
        ("feature/checkout please", Named(ref="feature/checkout"), "please"),
        ("ABC-123_login is red", Named(ref="ABC-123_login"), "is red"),
        ("38c6d84 is red", Named(ref="38c6d84"), "is red"),
        ("version v2.0 and", Named(ref="tag:v2.0"), "version and"),
        ("tag:v2.0", Named(ref="tag:v2.0"), ""),
        ("job 1842 or", Named(number="job 1842"), "job or"),
        ("build 1842", Named(number="#1842"), "build"),
        ("#2417?", Named(number="#2417"), ""),
        ("the last 5 builds", Named(), "the last 5 builds"),
        ("acme/unknown", Named("acme/unknown"), ""),
        ("try/slow of acme/frontend", Named("acme/frontend", "try/slow"), "of"),
        ("ci/cd and so on", Named(), "ci/cd and so on"),
        ("ask <@U0GRACE> about it", Named(), "ask about it"),
    ],
)
def test_what_is_named_is_taken_out_of_a_sentence(said: str, named: Named, left: str) -> None:
    assert take(split(said), PROJECTS, KNOWN) == (named, left)


def test_every_line_can_be_carried_out() -> None:
    named = "acme/frontend main"
    for command in ROUTER.commands.values():
        for phrase in command.help.also:
            for one in read(f"{phrase} {named}").meant:
                found, rest = ROUTER.find(split(one.line))
                assert found.name == one.line.split()[0]
                found.parse(rest, PROJECTS)


@pytest.mark.parametrize(
    ("said", "behind", "unsaid"),
    [
        ("tell us when release/* of acme/frontend breaks", "release/*", ""),
        ("tell us when acme/frontend main breaks, but only builds by octo-ada", "main by=octo-ada", ""),
        ("tell us when builds of acme/frontend main by octo-ada or octo-ken break", "main by=octo-ada by=octo-ken", ""),
        ("tell us when my builds of acme/frontend main break", "main by=me", ""),
        ("tell us when acme/frontend main breaks, not by octo-ada", "main", "not by octo-ada"),
        ("ping @release-team when acme/frontend main breaks", "main mention=@release-team", ""),
        ("ping <!subteam^S0REL|@rel> when acme/frontend main breaks", "main mention=<!subteam^S0REL|@rel>", ""),
        ("tell us when builds of acme/frontend main by <@U0ADA> break", "main by=<@U0ADA>", ""),
        ("tell us when acme/frontend main is fixed", "main fixed", ""),
        ("tell us when acme/frontend main is fixed or breaks", "main", ""),
        ("tell us when acme/frontend main breaks or is deployed", "main broke deployed", ""),
        ("tell us when acme/frontend main is deployed", "main deployed", ""),
        ("tell us when a build of acme/frontend main waits for approval", "main waiting", ""),
        ("alert us when acme/frontend main stays red", "main still-red", ""),
        ("post here whenever any build of acme/frontend main fails", "main failed", ""),
        ("tell us when main or release/v2.0 of acme/frontend breaks", "main release/v2.0", ""),
        ("tell us when main of acme/frontend breaks but not dependabot", "main !dependabot/*", ""),
        ("tell us when any branch of acme/frontend breaks, not release/*", "* !release/*", ""),
        ("subscribe us to the tags of acme/frontend", "tag:*", ""),
        ("tell us when tags v* of acme/frontend fail", "tag:v* failed", ""),  # no tag breaks, or is fixed
        ("tell us when a tag of acme/frontend fails or passes", "tag:* failed passed", ""),
        ("tell us when deploys of acme/frontend main wait for approval", "main waiting", ""),
        ("avísanos cuando acme/frontend main espere aprobación", "main waiting", ""),
        ("tell us when acme/frontend main deploys or waits for approval", "main waiting deployed", ""),
        ("notify #ship when acme/frontend main breaks", "main", "#ship"),
        ("tell us when the deploy workflow of acme/frontend main breaks", "main workflow=deploy", ""),
        ("tell us when acme/frontend main breaks, not the lint workflow", "main workflow=!lint", ""),
        ("tell us in a thread when acme/frontend main breaks", "main thread", ""),
        ("melde hier sobald acme/frontend release/* rot wird", "release/*", ""),
        ("avisa aquí cuando la rama main de acme/frontend vuelva a estar verde", "main fixed", ""),
        # What no line can say is told.
        ("tell us when acme/frontend main breaks, not when it is slow", "main", "not when it is slow"),
        ("tell us when acme/frontend main breaks between 9 and 17", "main", "between 9 and 17"),
        ("tell us when acme/frontend main breaks for the third time", "main", "third"),
        ("tell us when the tests in src/cart of acme/frontend main break", "src/cart main", "tests"),
        ("sag uns wenn acme/frontend main nachts kaputt geht", "main", "nachts"),
    ],
)
def test_what_narrows_is_said_by_the_line_or_told(said: str, behind: str, unsaid: str) -> None:
    found = read(said)
    assert (found.meant[0].line, found.unsaid) == (f"subscribe acme/frontend {behind}".strip(), unsaid)


@pytest.mark.parametrize(
    ("said", "default", "meant"),
    [
        ("mute acme/frontend main for 2 hours", None, ["snooze acme/frontend main for 2 hours"]),
        ("mute acme/frontend main until monday", None, ["snooze acme/frontend main until monday"]),
        ("be quiet about acme/frontend main for an hour", None, ["snooze acme/frontend main for an hour"]),
        ("silence acme/frontend main until 14:00", None, ["snooze acme/frontend main until 14:00"]),
        ("snooze main until tomorrow", None, ["snooze main until tomorrow"]),
        ("snooze acme/frontend main until monday", None, ["snooze acme/frontend main until monday"]),
        ("end the snooze of acme/frontend main", None, ["snooze acme/frontend main off"]),
        ("sei still wegen acme/frontend main für zwei Stunden", None, ["snooze acme/frontend main for two hours"]),
        ("silencia acme/frontend main durante dos horas", None, ["snooze acme/frontend main for two hours"]),
        # Without an end it may be for good, or for a while; a build has its number.
        ("mute this", THREAD, ["unwatch acme/frontend #2417", "snooze acme/frontend release/v2.0 4h"]),
        ("mute #2417 of acme/frontend", None, ["unwatch acme/frontend #2417"]),
        ("stop telling us about acme/frontend", None, ["unsubscribe acme/frontend"]),
        ("dont tell us about acme/frontend main any more", None, ["unsubscribe acme/frontend main"]),
        ("why did you tell us about #2418 of acme/frontend?", None, ["told acme/frontend #2418"]),
        ("why were we not told about #2418 of acme/frontend", None, ["told acme/frontend #2418"]),
        ("warum wurde uns #2418 von acme/frontend nicht gemeldet", None, ["told acme/frontend #2418"]),
        ("tell me when my builds fail", None, ["notify me failed"]),
        ("notify me when my builds fail or wait for approval", None, ["notify me failed waiting"]),
        ("sag mir Bescheid wenn meine Builds fertig sind", None, ["notify me ended"]),
    ],
)
def test_quiet_for_a_while_is_a_snooze_and_who_asks_why_or_for_their_own_is_understood(
    said: str, default: Default | None, meant: list[str]
) -> None:
    found = [one.line for one in read(said, default).meant]
    assert found[: len(meant)] == meant
    assert read(said, default).is_sure is (len(meant) == 1)


SURE = [
    # Who is told no more: the line of it is a button.
    ("stop telling us about acme/frontend main", "unsubscribe acme/frontend main"),
    ("please unsubscribe this channel from acme/frontend", "unsubscribe acme/frontend"),
    ("do not tell us about acme/frontend any more", "unsubscribe acme/frontend"),
    ("stop notifying this channel about acme/frontend", "unsubscribe acme/frontend"),
    ("please don't post about acme/frontend main here anymore", "unsubscribe acme/frontend main"),
    ("we no longer want to hear about acme/frontend release/*", "unsubscribe acme/frontend release/*"),
    ("turn off the notifications of acme/frontend in this channel", "unsubscribe acme/frontend"),
    ("I am tired of messages about acme/frontend main in here", "unsubscribe acme/frontend main"),
    ("stop telling us when acme/frontend main is deployed", "unsubscribe acme/frontend main deployed"),
    ("stop pinging @oncall about acme/frontend main in this channel", "unsubscribe acme/frontend main"),
    ("sag uns nichts mehr über acme/frontend main", "unsubscribe acme/frontend main"),
    ("hör auf, uns über acme/frontend main zu berichten", "unsubscribe acme/frontend main"),
    ("wir wollen von acme/frontend nichts mehr hören", "unsubscribe acme/frontend"),
    ("deja de avisarnos de acme/frontend main", "unsubscribe acme/frontend main"),
    ("ya no queremos saber nada de acme/frontend", "unsubscribe acme/frontend"),
    ("no nos avises más de acme/frontend main", "unsubscribe acme/frontend main"),
    ("stop telling us about acme/frontend main until tomorrow 9:00", "snooze acme/frontend main until tomorrow 9:00"),
    ("we get too many messages about acme/frontend", "unsubscribe acme/frontend"),
    # Who is to be told of what comes is never carried out as `watch`, which is of one build.
    ("avísanos cuando falle acme/frontend main", "subscribe acme/frontend main"),
    ("avísanos si falla main de acme/frontend", "subscribe acme/frontend main"),
    ("dinos cuando acme/frontend se despliegue", "subscribe acme/frontend deployed"),
    ("ping us if main of acme/frontend breaks", "subscribe acme/frontend main"),
    ("let us know when acme/frontend main is green again", "subscribe acme/frontend main fixed"),
    ("melde hier, wenn acme/frontend main kaputt geht", "subscribe acme/frontend main"),
    # What is told here, and why it was.
    ("was ist hier abonniert?", "subscriptions"),
    ("what are we subscribed to?", "subscriptions"),
    ("¿a qué está suscrito este canal?", "subscriptions"),
    ("why are you telling us about #2433 of acme/frontend?", "told acme/frontend #2433"),
    ("warum wurden wir über #2433 von acme/frontend informiert?", "told acme/frontend #2433"),
    ("¿por qué nos avisaste de #2433 de acme/frontend?", "told acme/frontend #2433"),
    # What is for oneself alone.
    ("tell me when something waits for my approval", "notify me waiting"),
    ("DM me when I have to approve something", "notify me waiting"),
    ("sag mir, wenn etwas auf meine Freigabe wartet", "notify me waiting"),
    ("avísame cuando algo espere mi aprobación", "notify me waiting"),
    ("tell me when my builds fail, but not when they pass", "notify me failed ended"),
    ("stop telling me when my builds fail", "notify me nothing"),
    ("stop sending me direct messages", "notify me nothing"),
    ("no notifications between 22:00 and 7:00", "notify me quiet 22:00-7:00"),
    ("bitte keine Nachrichten zwischen 22 Uhr und 7 Uhr", "notify me quiet 22-7"),
    ("no me molestes entre las 22:00 y las 7:00", "notify me quiet 22:00-7:00"),
    # What is red here is what the short help begins with.
    ("what is red?", "help"),
    ("is anything red right now?", "help"),
    ("tell me what is red", "help"),
    ("who looks at acme/frontend main?", "help"),
    ("wer kümmert sich um main?", "help"),
    ("was ist gerade rot?", "help"),
    ("¿qué está roto ahora?", "help"),
]


@pytest.mark.parametrize(("said", "meant"), SURE)
def test_who_is_to_be_told_or_is_not_is_understood(said: str, meant: str) -> None:
    assert line(said) == meant
    assert read(said).unsaid == ""


@pytest.mark.parametrize(
    ("said", "among"),
    [
        ("no notifications about acme/frontend main please", ["unsubscribe acme/frontend main"]),
        ("cancel the notifications about acme/frontend", ["unsubscribe acme/frontend", "unwatch acme/frontend"]),
        ("ping me if acme/frontend main fails", ["watch acme/frontend main", "subscribe acme/frontend main"]),
        ("which branches do you watch here?", ["subscriptions"]),
        ("worüber werden wir hier informiert?", ["subscriptions"]),
    ],
)
def test_what_may_be_two_things_is_asked_about(said: str, among: list[str]) -> None:
    found = read(said)
    assert [one for one in among if one not in [meant.line for meant in found.meant]] == []
    assert not found.is_sure or len(among) == 1


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("stop telling us when main of acme/frontend or acme/backend breaks", "subscribe"),
        ("sag uns nichts mehr über acme/frontend main", "watch"),
        ("don't tell us when acme/frontend main breaks", "subscribe"),
        ("don't publish acme/frontend main", "unsubscribe"),
        ("I dont know why acme/frontend main broke", "unsubscribe"),
        ("we did not hear about acme/frontend main", "unsubscribe"),
        ("brich acme/frontend main ab und sag uns Bescheid", "unsubscribe"),
        ("follow acme/frontend main in this channel", "subscriptions"),
        ("report the status of acme/frontend main", "subscribe"),
        ("tell us when acme/frontend main breaks, but do not ping @oncall", "unsubscribe"),
        ("tell me if I may approve acme/frontend #2417", "notify"),
    ],
)
def test_the_contrary_is_never_the_first(said: str, never: str) -> None:
    assert [one.command for one in read(said).meant][:1] != [never]


# A no is one to telling only where it plainly is: else it is one to something else, or asked about.
TOLD_FROM_NOW_ON = [
    # Behind *when* it says how the branch is to stand.
    ("tell us when main of acme/frontend is not broken any more", "fixed"),
    ("tell us when acme/frontend main is no longer red", "fixed"),
    ("let us know when acme/frontend main is no longer failing", "fixed"),
    ("let us know when acme/frontend main does not fail anymore", "fixed"),
    ("tell us when acme/frontend main stops failing", "fixed"),
    ("can you tell us when acme/frontend main isn't red?", "fixed"),
    ("when acme/frontend main is no longer red, tell us", "fixed"),
    ("when acme/frontend main is no longer red tell us", "fixed"),
    ("sag uns wenn acme/frontend main nicht mehr rot ist", "fixed"),
    ("sag uns Bescheid, sobald main von acme/frontend nicht mehr kaputt ist", "fixed"),
    ("wenn acme/frontend main nicht mehr rot ist, sag uns Bescheid", "fixed"),
    ("avísanos cuando main de acme/frontend ya no esté roto", "fixed"),
    ("tell us when the build of acme/frontend main is no longer red", "fixed"),
    ("tell us when acme/frontend main is no longer green", ""),
    ("sag uns wenn acme/frontend main nicht mehr grün ist", ""),
    # Said to forgetting, it asks for news.
    ("do not forget to tell us when acme/frontend main breaks", ""),
    ("don't hesitate to tell us when acme/frontend main breaks", ""),
    ("never fail to tell us when acme/frontend main breaks", ""),
    ("don't stop telling us when acme/frontend main breaks", ""),
    ("it should not only tell us when acme/frontend main breaks", ""),
    ("do not just tell us when acme/frontend main breaks", ""),
    ("do not forget to tell us when the build of acme/frontend main breaks", ""),
    ("why not tell us when acme/frontend main breaks", ""),
    ("vergiss nicht, uns Bescheid zu sagen, wenn acme/frontend main kaputt geht", ""),
    ("no olvides avisarnos cuando falle acme/frontend main", ""),
    ("no dejes de avisarnos cuando falle acme/frontend main", ""),
    # In another clause it is about something else.
    ("we have had enough of red builds, tell us when acme/frontend main breaks", ""),
    ("tell us when acme/frontend main fails, but no more than that", ""),
    ("it is enough to tell us when acme/frontend main breaks", ""),
    ("don't deploy acme/frontend main, tell us when it breaks", ""),
]


@pytest.mark.parametrize(("said", "behind"), TOLD_FROM_NOW_ON)
def test_a_no_that_is_not_said_to_telling_ends_nothing(said: str, behind: str) -> None:
    assert line(said) == f"subscribe acme/frontend main {behind}".strip()


@pytest.mark.parametrize(
    "said",
    [
        "do not let the bot tell us about acme/frontend main",
        "we do not want to be told when acme/frontend main breaks any more",
        "we would rather not be told when acme/frontend main breaks",
        "when acme/frontend main breaks, stop telling us",
        "if you could stop telling us about acme/frontend main",
        "never again tell us about acme/frontend main",
        "do not tell or ping us about acme/frontend main",
        "stop posting test results of acme/frontend main here",
        "stop notifications about acme/frontend main in this channel",
        "sag uns nicht Bescheid, wenn acme/frontend main kaputt geht",
        "sag uns nicht mehr Bescheid, wenn acme/frontend main kaputt geht",
        "melde hier nichts über acme/frontend main",
        "no nos avises cuando falle acme/frontend main",
    ],
)
def test_a_no_before_telling_ends_it(said: str) -> None:
    assert line(said) == "unsubscribe acme/frontend main"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        # A job is called after what it tells.
        ("cancel our reporting pipeline of acme/frontend main", "cancel acme/frontend main"),
        ("cancel the post-merge job on acme/frontend main for us", "? cancel acme/frontend main"),
        ("stop our report job on acme/frontend main", "? cancel acme/frontend main"),
        ("stop our ping test on acme/frontend main", "? cancel acme/frontend main"),
        ("stop the notifications deploy of acme/frontend main in our staging", "? cancel acme/frontend main"),
        ("cancel our notifier deploy of acme/frontend main", "? cancel acme/frontend main"),
        ("disable the alerts workflow for us on acme/frontend main", "? cancel acme/frontend main"),
        ("cancela el job de avisos de acme/frontend main para nosotros", "? cancel acme/frontend main"),
        ("do not run the reports of acme/frontend main again", "nothing"),
        ("we no longer run the reports of acme/frontend main here", "? unsubscribe acme/frontend main"),
        ("why did the report job of acme/frontend main fail for us", "? triage acme/frontend main"),
        ("why is the reporting workflow of acme/frontend main red here", "? why-red acme/frontend main"),
        ("why did post-deploy fail on acme/frontend main here", "triage acme/frontend main"),
        ("why are our notification tests failing on acme/frontend main", "tests acme/frontend main"),
        ("why did our messages test break on acme/frontend main", "why-red acme/frontend main"),
        ("how come our message tests fail on acme/frontend main", "tests acme/frontend main"),
        ("warum ist der Meldejob von acme/frontend main bei uns rot", "? why-red acme/frontend main"),
        # Who begins with an act wants that first.
        ("cancel the deploy of acme/frontend main and tell us", "cancel acme/frontend main"),
        ("stop acme/frontend main, and tell us when it is stopped", "? cancel acme/frontend main"),
        ("cancel acme/frontend main or tell us why not", "? cancel acme/frontend main"),
        ("cancel acme/frontend main and stop telling us about it", "? cancel acme/frontend main"),
        ("unlock acme/frontend main and tell us no more", "? unsubscribe acme/frontend main"),
        ("approve acme/frontend main and stop pinging us", "? approve acme/frontend main"),
        # Neither is sure.
        ("do not always tell us when acme/frontend main breaks", "? subscribe acme/frontend main"),
        ("why don't you tell us when acme/frontend main breaks", "? subscribe acme/frontend main"),
        ("why did we get a message that acme/frontend main failed", "? told acme/frontend main"),
        ("we are no longer notified when acme/frontend main breaks", "? subscribe acme/frontend main"),
        ("stop telling us of acme/frontend main, tell us of release/*", "? unsubscribe acme/frontend main release/*"),
        ("stop all notifications of acme/frontend main in this channel", "? unsubscribe acme/frontend main"),
        ("tell us when nobody looks at acme/frontend main any more", "? subscribe acme/frontend main"),
        ("without telling us, cancel acme/frontend main", "? subscribe acme/frontend main"),
        # Hours are those of all projects, and of what waits.
        ("do not tell me about acme/frontend from 9 to 12", "? unsubscribe acme/frontend"),
        ("tell us nothing about acme/frontend main from 22:00 to 7:00", "? unsubscribe acme/frontend main"),
        ("tell me when my deploy is approved", "? audit"),
        ("tell me when my deploy needs to be approved", "notify me waiting"),
    ],
)
def test_a_word_for_telling_that_tells_of_nothing_is_not_acted_on(said: str, meant: str) -> None:
    assert line(said) == meant


def test_who_locks_for_some_hours_asks_for_no_quiet() -> None:
    found = read("lock acme/frontend main from 10:00 to 12:00, no deploys, tell me")
    assert found.meant[0].command == "lock"
    assert found.named.starts or found.named.unread, "no lock begins later"


@pytest.mark.parametrize(
    "said",
    [
        "do not always tell us when acme/frontend main breaks",
        "hör nicht auf, uns zu sagen wenn acme/frontend main kaputt geht",
        "we no longer hear when acme/frontend main breaks",
    ],
)
def test_a_no_that_leaves_it_open_is_asked_about_with_both(said: str) -> None:
    assert {"subscribe", "unsubscribe"} <= {one.command for one in read(said).meant}
    assert not read(said).is_sure


def test_what_is_red_in_a_thread_is_asked_of_its_build() -> None:
    assert "help" not in [one.command for one in read("what is broken?", THREAD).meant]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("who broke main?", "why-red acme/frontend main"),
        ("why did nobody tell us about #2425?", "told acme/frontend #2425"),
        ("is main green", "status acme/frontend main"),
        ("stop telling us about main", "unsubscribe acme/frontend main"),
        ("deploy main", "deploy …"),
        ("rerun #2417", "rerun …"),
        ("nobody deploys main for now", "lock …"),
        ("tell us when main breaks", "subscribe …"),
    ],
)
def test_what_a_channel_hears_of_is_meant_by_who_looks_and_by_nobody_who_acts(said: str, meant: str) -> None:
    looks = frozenset(("why-red", "told", "status", "unsubscribe"))
    assert line(said, CHANNEL._replace(only_for=looks)) == meant
    other = line(said, CHANNEL._replace(only_for=looks, otherwise=Default("other/cli")))
    assert other.startswith(meant.removesuffix("…")), "what is followed alone is meant by the others"


def test_of_two_projects_each_has_a_line() -> None:
    found = read("tell us when main of acme/frontend or acme/backend breaks")
    assert [one.line for one in found.meant] == ["subscribe acme/frontend main", "subscribe bb/acme/backend main"]
    assert read("tell us when main of acme/* breaks").meant[0].line == "subscribe acme/* main"
    found = read("stop telling us about main of acme/frontend and acme/backend")
    assert [one.line for one in found.meant] == ["unsubscribe acme/frontend main", "unsubscribe bb/acme/backend main"]


@pytest.mark.parametrize(
    "said",
    [
        "please unlock everything except acme/frontend main",
        "lock all but acme/frontend main",
        "sperre alles außer acme/frontend main",
        "entsperre alles bis auf acme/frontend main",
        "bloquea todo menos acme/frontend main",
        "desbloquea todas excepto acme/frontend main",
        "rerun every build but that of acme/frontend main",
        "deploye acme/frontend main statt der anderen",
        "please stop every build of acme/frontend apart from main",
        "brich bitte jeden Build von acme/frontend ab, ausgenommen main",
        "cancela todos los builds de acme/frontend salvo main",
        "approve all of acme/frontend but main",
        "tell me of every build of acme/frontend except main",
    ],
)
def test_who_means_all_else_is_not_acted_for_what_they_name(said: str) -> None:
    answers = {
        "status",
        "may",
        "why-red",
        "locks",
        "mine",
        "triage",
        "recent",
        "tests",
        "artifacts",
        "help",
        "audit",
        "why",
    }
    assert {one.command for one in read(said).meant} <= answers


@pytest.mark.parametrize(
    "said",
    [
        "please stop the freeze of acme/frontend main",
        "brich bitte die Sperre von acme/frontend main ab",
        "anula el bloqueo",
    ],
)
def test_who_cancels_a_lock_means_no_build(said: str) -> None:
    meant = [one.command for one in read(said).meant]
    assert meant[0] == "unlock"
    assert "cancel" not in meant


@pytest.mark.parametrize(
    ("said", "later"),
    [
        ("despliega acme/frontend main mañana por favor", "mañana"),
        ("despliega acme/frontend main esta noche", "esta noche"),
        ("bitte deploye acme/frontend main morgen um 9", "morgen um 9"),
        ("lass acme/frontend main in einer Stunde nochmal laufen", "in einer Stunde"),
        ("please rerun acme/frontend main in 20 minutes", "in 20 minutes"),
        ("ship acme/frontend main at 17:00 please", "at 17:00"),
        ("deploy acme/frontend main on friday", "on friday"),
        ("bitte deploye acme/frontend main in einer Viertelstunde", "in einer Viertelstunde"),
        ("bitte deploye acme/frontend main um halb sechs", "um halb sechs"),
        ("despliega acme/frontend main el próximo mes", "el próximo mes"),
        ("bitte deploye acme/frontend main irgendwann", "irgendwann"),
        ("ship acme/frontend main next sprint", "next sprint"),
        ("ship acme/frontend main once the tests pass", "once the tests pass"),
        ("deploye acme/frontend main sobald alles grün ist", "sobald alles grün ist"),
        ("despliega acme/frontend main cuando termine el build", "cuando termine el build"),
        ("run acme/frontend main once more", ""),
        ("deploy acme/frontend main as soon as possible", ""),
        ("Guten Morgen, bitte deploye acme/frontend main", ""),
        ("buenos días, despliega acme/frontend main", ""),
        ("please deploy acme/frontend main today", ""),
        ("deploy acme/frontend main now", ""),
    ],
)
def test_another_time_than_now_is_noticed(said: str, later: str) -> None:
    assert later_in(read(said).left) == later
