"""Stories of what a lock keeps others from: whatever ships or may ship, and never an emergency stop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import (
    ApproveJob,
    AskHolder,
    CancelJob,
    CancelPipeline,
    RerunAll,
    RerunFailed,
    TakeLock,
    Unlock,
)
from bot.models.slack import utc_now
from bot.settings import ProjectEntry, Projects
from playground.circleci.past import PastPlan, scenario_of
from playground.circleci.scenarios import Scenario
from tests.operations.scene import (
    BACKEND,
    FRONTEND,
    MOBILE,
    ON_HOLD,
    OVER,
    RUNNING,
    answers,
    fills_in,
    on_record,
    opens,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.operations.test_once import POLICY
from tests.stories.team import Team


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


async def test_a_lock_stops_what_ships_and_lets_everybody_cancel(team: Team) -> None:
    failed, running, held = (
        pushed(team, branch, seconds)
        for branch, seconds in (("try/parallel", OVER), ("try/slow", RUNNING), ("try/on-hold", ON_HOLD))
    )
    await types(team, team.grace, "lock acme/frontend incident 42")
    hold = ApproveJob(
        pipeline_id=held.id, workflow_id=held.runs[0].id, approval_request_id=held.runs[0].job_ids["hold-prod"]
    )
    stopped = {
        "Nothing runs again.": (RerunFailed(pipeline_id=failed.id), RerunAll(pipeline_id=failed.id)),
        "Nothing was approved.": (hold,),
    }
    for words, actions in stopped.items():
        for action in actions:
            (told,) = await presses(team, team.ada, somewhere(team), action)
            assert "@grace locked acme/frontend" in told.visible
            assert words in told.visible
    await presses(team, team.ada, told, told.element("Ask for it"))
    assert "@ada would like to approve a job of acme/frontend, which" in said(team.grace.direct_messages)
    assert "incident 42" in said(await types(team, team.ada, f"rerun acme/frontend #{failed.number} all"))
    assert writes(team) == []
    number = next(iter(running.runs[0].job_numbers.values()))
    for stop in (CancelJob(project_slug=FRONTEND, job_number=number), CancelPipeline(pipeline_id=running.id)):
        await presses(team, team.ada, somewhere(team), stop)
    await presses(team, team.grace, somewhere(team), hold)
    assert [one.rpartition("/")[2] for one in writes(team)[:2]] == ["cancel", "cancel"]
    assert "/approve/" in writes(team)[2]


async def test_a_lock_of_one_branch_stops_that_branch_alone(team: Team) -> None:
    here, there = pushed(team, "try/parallel", OVER), pushed(team, "try/infrastructure", OVER)
    await types(team, team.grace, "lock acme/frontend:try/parallel hotfix")
    told = said(await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=here.id)))
    assert "hotfix" in told
    await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=there.id))
    assert writes(team) == [f"POST /api/v2/workflow/{there.runs[0].id}/rerun"]


async def test_a_lock_set_after_the_question_stops_its_answer_until_it_is_lifted(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    (to_type,) = await types(team, team.ada, "deploy acme/frontend hold/prod")
    (which,) = await types(team, team.ada, f"deploy {MOBILE} try/green")
    for project in ("acme/frontend", MOBILE):
        await types(team, team.grace, f"lock {project} incident 42")
    for asked, answer in ((red, "Deploy all the same"), (which, "build")):
        assert "incident 42" in said(await presses(team, team.ada, asked, answer))
    window = await opens(team, team.ada, to_type, "Type it")
    assert "incident 42" in await fills_in(team.ada, window, typed="hold/prod")
    assert writes(team) == []
    for project in ("acme/frontend", MOBILE):
        await types(team, team.grace, f"unlock {project}")
    for asked, answer in ((red, "Deploy all the same"), (which, "build")):
        await presses(team, team.ada, asked, answer)
    window = await opens(team, team.ada, to_type, "Type it")
    assert "It goes on" in await fills_in(team.ada, window, typed="hold/prod")
    assert len(writes(team)) == 3


async def test_who_holds_the_lock_may_let_it_happen_as_the_second_person(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend main")
    asked = await team.reads("Somebody else must agree")
    await types(team, team.grace, 'lock acme/frontend "mine"')
    told = said(await presses(team, team.slack.person("admin"), asked, "Agree and deploy"))
    assert "@grace locked acme/frontend" in told
    await presses(team, team.grace, asked, "Agree and deploy")
    assert writes(team) == [f"POST /api/v2/project/{FRONTEND}/pipeline"]


async def test_who_may_not_hears_that_before_they_hear_of_a_lock(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend incident 42")
    told = said(await types(team, team.slack.person("guest"), "deploy acme/frontend main"))
    assert "You may not deploy" in told
    assert "incident 42" not in told
    # And who may, hears of it before they are asked to type anything.
    assert "incident 42" in said(await types(team, team.ada, "deploy acme/frontend hold/prod"))


SECOND_PERSON = """
[[rules]]
name = "members"
roles = ["members"]
words = ["*"]

[[rules]]
name = "nobody reruns alone"
effect = "demand"
words = ["rerun"]
second_person = true
"""


@pytest.mark.parametrize("demanded", [False, True], ids=["locked", "demanded"])
async def test_what_a_person_would_be_stopped_by_stops_the_bot_too(tmp_path: Path, demanded: bool) -> None:
    projects = Projects(
        projects={"backend": ProjectEntry(slug=BACKEND, rerun_once=True)}, infrastructure={"asleep": "vault: sealed"}
    )
    async with team_under(SECOND_PERSON if demanded else "", tmp_path, projects=projects) as team:
        plan = scenario_of(PastPlan((frozenset(),), log=("vault: sealed",))).workflows[0]
        team.circleci.world.set_scenario(BACKEND, "try/green", Scenario((plan,)))
        await team.deploys_branch("try/green", "acme/backend")
        await team.is_done()
        if not demanded:
            await types(team, team.grace, "lock acme/backend incident 42")
        team.circleci.world.clock.speed = 400  # it fails, and settles
        refused = await on_record(team, "rerun once")
        assert (refused.outcome, refused.user_id) == ("refused", "")
        assert ("nobody reruns alone" if demanded else "acme/backend is locked") in refused.result
        assert team.posts("/rerun") == []


async def test_a_lock_of_ones_own_lifts_nobody_elses(team: Team) -> None:
    await types(team, team.grace, 'lock acme/frontend "freeze"')
    await types(team, team.ada, "lock acme/frontend:main mine")
    assert "@grace locked acme/frontend" in said(await types(team, team.ada, "deploy acme/frontend main"))
    assert writes(team) == []
    told = said(await types(team, team.slack.person("admin"), "deploy acme/frontend main"))
    assert "@grace locked acme/frontend just now: freeze. @ada locked acme/frontend main too, just now: mine." in told


async def test_what_may_be_a_branch_or_a_reason_is_asked_and_not_guessed(team: Team) -> None:
    pushed(team, "try/parallel", OVER)
    for words, ref in (
        ("try/slow again", "try/slow"),
        ("on tag:v2.0", "tag:v2.0"),
        ("Main is red", "main"),
        ("man for 2h", "main"),
        ("mai is what I mean", "main"),
        ("master", "master"),
        ("prod x", "prod"),
        ("on staging please", "staging"),
        ("hotfix-login", "hotfix-login"),
    ):
        (asked,) = await types(team, team.ada, f"lock acme/frontend {words}")
        assert "Nothing is locked yet" in asked.visible
        assert asked.buttons == [f"Lock {ref}", "Lock all of acme/frontend"]
    assert "Nothing is locked." in said(await types(team, team.ada, "locks"))
    (asked,) = await types(team, team.ada, "lock acme/frontend try/slow again")
    assert "All of acme/frontend is locked." in said(await presses(team, team.ada, asked, "Lock all of acme/frontend"))
    told = said(await presses(team, team.ada, asked, "Lock try/slow"))
    assert "acme/frontend try/slow is locked." in told
    assert "Your reason: again." in told
    assert "CircleCI has built no branch of that name lately." in told
    assert "Did you mean `try/parallel`?" in said(await types(team, team.ada, "lock acme/frontend:TRY/parallel"))
    assert "CircleCI has built" not in said(await types(team, team.ada, "lock acme/frontend:try/parallel"))
    folder = "https://github.com/acme/frontend/tree"
    assert "Did you mean `try/parallel`?" in said(await types(team, team.ada, f"lock {folder}/try/parallel/src"))
    assert "git knows none below it" in said(await types(team, team.ada, f"lock {folder}/main/src mine"))
    listed = said(await types(team, team.ada, "locks"))
    assert "all of acme/frontend · @ada · just now: try/slow again." in listed
    assert "The lock on acme/frontend try/slow is gone" in said(
        await types(team, team.ada, "unlock acme/frontend try/slow")
    )


async def test_where_circleci_does_not_answer_what_is_spelled_out_is_locked_and_unlocked(team: Team) -> None:
    team.circleci.faults.add("GET", "*", status=500, times=None)
    told = said(await types(team, team.grace, "lock acme/frontend main x"))
    assert "CircleCI does not answer" in told
    assert (
        "I take `lock acme/frontend:<branch>`, and for all of it `lock acme/frontend` with the reason in quotes."
        in told
    )
    assert "Nothing is locked." in said(await types(team, team.grace, "locks"))
    assert "acme/frontend main is locked." in said(await types(team, team.grace, "lock acme/frontend:main incident 42"))
    assert "All of acme/frontend is locked." in said(await types(team, team.grace, 'lock acme/frontend "incident 42"'))
    for what in ("acme/frontend:main", "acme/frontend"):
        told = said(await types(team, team.grace, f"unlock {what}"))
        assert "gone" in told or "is unlocked" in told
    assert "Nothing is locked." in said(await types(team, team.grace, "locks"))


async def test_what_is_spelled_out_waits_for_no_slow_answer(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("GET", "*", until=answered, times=None)
    told = said(await types(team, team.grace, "lock acme/frontend:main incident 42"))
    assert "acme/frontend main is locked." in told
    assert "so I took the name as it was spelled" in told
    assert "is unlocked" in said(await types(team, team.grace, "unlock acme/frontend:main"))
    answered.set()


async def test_a_button_removes_the_lock_it_is_about_and_no_other(team: Team) -> None:
    key, since = f"{FRONTEND} try/slow", utc_now().isoformat()
    await types(team, team.grace, "lock acme/frontend:try/slow hotfix")
    of_earlier = Unlock(key=key)
    of_another = Unlock(key=key, holder_id=team.ada.id, since=since)
    made_anew = Unlock(key=key, holder_id=team.grace.id, since=since)
    for person, action, words in (
        (team.ada, of_earlier, "The lock on acme/frontend try/slow is @grace's by now, locked just now: hotfix."),
        (team.ada, of_another, "is @grace's by now"),
        (team.ada, made_anew, "is @grace's by now"),
        (team.grace, made_anew, "This is another lock of yours by now"),
    ):
        assert words in said(await presses(team, person, somewhere(team), action))
        assert "1 lock." in said(await types(team, team.ada, "locks"))
    assert "is unlocked" in said(await presses(team, team.grace, somewhere(team), of_earlier))
    with_parameters = f"deploy {FRONTEND} try/slow env=prod"
    for again, offered in (("", []), (with_parameters, ["Deploy try/slow"])):
        asked = AskHolder(key=key, holder_id=team.grace.id, again=again)
        (gone,) = await presses(team, team.ada, somewhere(team), asked)
        assert gone.visible.startswith("acme/frontend try/slow is not locked any more.")
        assert gone.buttons == offered
    await types(team, team.grace, "lock acme/frontend incident 42")
    stopped = TakeLock(key=key, holder_id=team.grace.id)
    assert "@grace locked acme/frontend" in said(await presses(team, team.ada, somewhere(team), stopped))


async def test_a_lock_is_taken_over_by_the_button_that_was_shown_for_it(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend:main hotfix")
    (refused,) = await types(team, team.ada, "deploy acme/frontend main env=prod")
    shown = refused.element("Take over")
    await types(team, team.grace, "unlock acme/frontend:main")
    await types(team, team.grace, "lock acme/frontend:main incident 42")
    (other,) = await presses(team, team.ada, refused, shown)
    assert "There is another lock by now: @grace locked acme/frontend main just now: incident 42." in other.visible
    (taken,) = await presses(team, team.ada, other, "Take over")
    assert taken.buttons == ["Deploy main", "Unlock"]
    assert "env=prod" in taken.element("Deploy main")["value"]
    (own,) = await presses(team, team.ada, other, other.element("Ask for it"))  # it is hers by now
    assert "You hold the lock on acme/frontend main yourself" in own.visible
    assert own.buttons == ["Deploy main"]
    assert team.ada.direct_messages == []
    # A lock that nobody asked through, or whose command no button could carry, offers no deploy.
    of_earlier = TakeLock(key=f"{FRONTEND} main", holder_id=team.ada.id)
    (taken,) = await presses(team, team.grace, somewhere(team), of_earlier)
    assert taken.buttons == ["Unlock"]


async def test_a_button_of_a_lock_that_was_changed_since_says_so_and_asks_again(team: Team) -> None:
    (locked,) = await types(team, team.grace, "lock acme/frontend:main hotfix")
    (refused,) = await types(team, team.ada, "deploy acme/frontend main env=prod")
    await types(team, team.grace, "lock acme/frontend:main incident 42")
    (asked,) = await presses(team, team.grace, locked, "Unlock")
    assert "You have changed this lock since: acme/frontend main, locked just now: incident 42." in asked.visible
    (anew,) = await presses(team, team.ada, refused, "Take over")
    assert "It was changed since: @grace locked acme/frontend main just now: incident 42." in anew.visible
    assert "It was not taken over." in anew.visible
    shown = Unlock.unpack(locked.element("Unlock")["value"])
    assert "was changed by @grace since" in said(await presses(team, team.ada, somewhere(team), shown))
    assert "You hold the lock" in said(await presses(team, team.ada, anew, "Take over"))
    assert "@ada's by now" in said(await presses(team, team.grace, asked, "Unlock"))


async def test_who_holds_a_lock_is_said_to_be_told_only_where_slack_took_it(team: Team) -> None:
    await types(team, team.grace, "lock acme/frontend:main hotfix")
    (refused,) = await types(team, team.ada, "deploy acme/frontend main")
    (for_admin,) = await types(team, team.slack.person("admin"), "deploy acme/frontend main")
    team.slack.refuse("conversations.open", "internal_error", times=1)
    (told,) = await presses(team, team.ada, refused, "Ask for it")
    assert told.visible.startswith("Slack did not take my message to @grace about acme/frontend main. Press again")
    assert "I have asked @grace" in said(await presses(team, team.ada, refused, "Ask for it"))
    assert "I do not ask twice" in said(await presses(team, team.ada, refused, "Ask for it"))
    spelled = AskHolder(key="GitHub/ACME/Frontend main", holder_id=team.grace.id)
    assert "I do not ask twice" in said(await presses(team, team.ada, somewhere(team), spelled))
    assert len(team.grace.direct_messages) == 1
    team.slack.refuse("conversations.open", "internal_error", times=1)
    taken = said(await presses(team, team.slack.person("admin"), for_admin, "Take over"))
    assert "You hold the lock on acme/frontend main now. Slack did not take my message to who held it" in taken


@pytest.mark.parametrize(
    ("repeats", "slug"),
    [(False, "gh/acme/old-vault"), (True, "GitHub/ACME/Backend")],
    ids=["CircleCI says its own spelling", "CircleCI repeats what is typed"],
)
async def test_a_lock_and_a_rule_hold_in_every_spelling_of_a_project(tmp_path: Path, repeats: bool, slug: str) -> None:
    # C44
    aliases = Projects(projects={"Vault": ProjectEntry(slug=slug)})
    async with team_under(VAULT, tmp_path, projects=aliases) as team:
        team.circleci.repeats_spelling = repeats
        team.circleci.moved = {"gh/acme/old-vault": BACKEND}
        await types(team, team.grace, "lock acme/frontend:main migration")
        for text in (
            "deploy acme/frontend main",
            "deploy ACME/Frontend main",
            "deploy GH/Acme/Frontend refs/heads/main",
            "deploy https://github.com/Acme/Frontend/tree/main",
            "lock ACME/Frontend:main mine",
        ):
            assert "migration" in said(await types(team, team.ada, text)), text
        await types(team, team.grace, "lock acme/frontend:pull/7 fork")
        assert "fork" in said(await types(team, team.ada, "deploy acme/frontend pull/7/head"))
        for project in ("vault", "VAULT", "acme/backend", "Acme/BackEnd", "github/acme/backend", slug):
            assert "the vault is closed" in said(await types(team, team.ada, f"deploy {project} main")), project
        assert writes(team) == []
        assert "is unlocked" in said(await types(team, team.grace, "unlock Acme/FRONTEND:main"))
        assert "is locked" in said(await types(team, team.ada, "lock acme/frontend:main mine"))


@pytest.mark.parametrize("named", ["acme/backend", "acme/backend main", "acme/backend:pull/7"])
async def test_a_lock_keeps_others_out_when_its_project_is_renamed(tmp_path: Path, named: str) -> None:
    async with team_under(PULL_REQUESTS, tmp_path) as team:
        await types(team, team.grace, f'lock {named} "freeze"')
        world, old, new = team.circleci.world, BACKEND, "gh/acme/vault"
        world.projects[new] = world.projects.pop(old)
        world.projects[new].slug = new
        team.circleci.moved = {old: new}
        ref = "pull/7/head" if "pull" in named else "main"
        lock = f'lock {named.replace("backend", "vault")} "mine"'
        for text in (f"deploy acme/vault {ref}", f"deploy acme/backend {ref}", lock):
            assert "freeze" in said(await types(team, team.ada, text)), text
        assert "freeze" in said(await types(team, team.ada, f"why deploy acme/vault {ref}"))
        assert writes(team) == []
        assert "is unlocked" in said(await types(team, team.grace, f"unlock {named.replace('backend', 'vault')}"))
        assert "Nothing is locked." in said(await types(team, team.ada, "locks"))


PULL_REQUESTS = """
[[rules]]
name = "all"
words = ["*"]

[[rules]]
name = "pull requests too"
words = ["deploy"]
pull_requests = ["*"]
"""

VAULT = """
[[rules]]
name = "all"
words = ["*"]

[[rules]]
name = "pull requests too"
words = ["deploy"]
pull_requests = ["*"]

[[rules]]
name = "the vault is closed"
effect = "deny"
words = ["deploy"]
projects = ["vault", "GITHUB/Acme/Backend"]
"""


async def test_a_lock_that_is_acknowledged_first_stops_what_is_under_way(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    goes_on = asyncio.Event()
    team.circleci.faults.add("GET", "*/pipeline", until=goes_on, times=1)  # the newest number, read before it is sent
    before = list(team.ada.sees_only)
    await team.ada.click(red, "Deploy all the same")
    await team.until(lambda: team.circleci.requests[-1].path.partition("?")[0].endswith("/pipeline"))
    await team.grace.command("deploys", "/ci", "lock acme/frontend incident 42")
    await team.until(lambda: "is locked" in said(team.grace.sees_only))
    goes_on.set()
    await team.is_done()
    assert "Nothing was deployed." in said(answers(team.ada, before))
    assert writes(team) == []
    await types(team, team.grace, "unlock acme/frontend")
    await presses(team, team.ada, red, "Deploy all the same")
    assert writes(team) == [f"POST /api/v2/project/{FRONTEND}/pipeline"]
