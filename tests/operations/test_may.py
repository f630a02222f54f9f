"""Stories of who may what: each act asks with the names that CircleCI gives, and so does each look."""

from pathlib import Path

import pytest

from bot.actions import (
    AddCheckoutKey,
    AddWebhook,
    ApproveJob,
    ButtonAction,
    CancelJob,
    CancelPipeline,
    ChooseDefinition,
    DeployAnyway,
    RemoveVariable,
    RerunAll,
    RerunFailed,
    RunCommand,
    SendLog,
    ShowArtifacts,
    ShowLog,
    ShowTests,
    TakeLock,
    Unlock,
)
from playground.circleci.pipelines import Pipeline
from tests.operations.scene import (
    BACKEND,
    FRONTEND,
    MOBILE,
    ON_HOLD,
    OVER,
    RUNNING,
    fills_in,
    followed,
    goes_by,
    opens,
    presses,
    pushed,
    record,
    said,
    somewhere,
    team_under,
    types,
    writes,
)

FEATURES = """
[[rules]]
name = "members read"
words = ["read"]

[[rules]]
name = "members do what they like with what they try"
roles = ["members"]
words = ["deploy", "rerun", "cancel", "approve"]
branches = ["try/*"]

[[rules]]
name = "admins do it all"
roles = ["admins"]
words = ["*"]
"""


async def test_who_may_act_on_some_branches_acts_on_no_other_by_a_button(tmp_path: Path) -> None:
    async with team_under(FEATURES, tmp_path) as team:
        held = pushed(team, "hold/prod", ON_HOLD)
        failed = pushed(team, "release/v2.0", OVER)
        running = pushed(team, "main", RUNNING)
        before = len(writes(team))
        for action in (
            CancelPipeline(pipeline_id=running.id),
            _cancels_job(running, FRONTEND),
            RerunFailed(pipeline_id=failed.id),
            RerunAll(pipeline_id=failed.id),
            _approves(held, held),
        ):
            told = said(await presses(team, team.grace, somewhere(team), action))
            assert "You may not" in told, action
        assert writes(team)[before:] == []
        told = said(await types(team, team.grace, f"cancel acme/frontend {_job_number(running)}"))
        assert "test" in told  # she may look, and be offered what is refused to her
        refused = [(one.ref, one.pipeline_number) for one in await record(team)]
        assert refused == [("main", running.number)] * 2 + [("release/v2.0", failed.number)] * 2 + [
            ("hold/prod", held.number)
        ]
        await presses(team, team.slack.person("admin"), somewhere(team), _cancels_job(running, FRONTEND))
        assert writes(team)[before:] == [f"POST /api/v2/project/{FRONTEND}/job/{_job_number(running)}/cancel"]


RELEASES_UNSEEN = """
[roles.blind]
users = ["U0GRACE"]

[[rules]]
name = "everybody"
words = ["*"]

[[rules]]
name = "releases are not hers to see"
effect = "deny"
roles = ["blind"]
words = ["read"]
branches = ["release/*"]

[[rules]]
name = "green only"
effect = "demand"
words = ["deploy"]
green = true
"""


async def test_who_may_not_look_at_a_red_branch_lets_nobody_deploy_over_it(tmp_path: Path) -> None:
    async with team_under(RELEASES_UNSEEN, tmp_path) as team:
        pushed(team, "release/v2.0", OVER)
        (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
        anyway = DeployAnyway.unpack(red.element("Deploy all the same")["value"])
        told = said(await presses(team, team.grace, somewhere(team), anyway))
        assert "You may not look at this here" in told
        assert "release" not in told.replace("releases are not hers", "")
        assert writes(team) == []
        assert [(one.user_name, one.outcome) for one in await record(team)] == [("grace", "refused")]
        pushed(team, "release/v2.0", OVER)  # the same commit, built again: what was asked stands
        await presses(team, team.ada, red, "Deploy all the same")
        assert len(writes(team)) == 1


async def test_who_let_it_go_on_over_a_red_commit_is_asked_anew_about_another(tmp_path: Path) -> None:
    async with team_under(RELEASES_UNSEEN, tmp_path) as team:
        pushed(team, "release/v2.0", OVER)
        (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
        pushed(team, "release/v2.0", OVER, revision="beef" * 10)
        admin = team.slack.person("admin")
        (anew,) = await presses(team, admin, somewhere(team), red.element("Deploy all the same"))
        assert "another commit by now" in anew.visible
        assert "#2418 at `beefbee`" in anew.visible
        assert writes(team) == []
        for person in (team.ada, admin):
            assert "asked" in said(await presses(team, person, somewhere(team), red.element("Deploy all the same")))
        assert writes(team) == []
        await presses(team, admin, anew, "Deploy all the same")
        assert len(writes(team)) == 1
        await team.reads("admin")


GREEN_AND_TYPED = """
[[rules]]
name = "everybody"
words = ["*"]

[[rules]]
name = "green and typed"
effect = "demand"
words = ["deploy"]
green = true
typed = true
"""


async def test_what_is_typed_once_another_commit_is_red_is_asked_about_anew(tmp_path: Path) -> None:
    async with team_under(GREEN_AND_TYPED, tmp_path) as team:
        pushed(team, "release/v2.0", OVER)
        (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
        (asked,) = await presses(team, team.ada, red, "Deploy all the same")
        window = await opens(team, team.ada, asked, "Type it")
        pushed(team, "release/v2.0", OVER, revision="beef" * 10)
        assert "another commit by now" in await fills_in(team.ada, window, typed="release/v2.0")
        assert writes(team) == []
        assert await presses(team, team.ada, team.ada.sees_only[-1], "Deploy all the same") == []
        assert len(writes(team)) == 1


async def test_who_deploys_some_branches_locks_and_unlocks_those_alone(tmp_path: Path) -> None:
    async with team_under(FEATURES, tmp_path) as team:
        admin, key = team.slack.person("admin"), FRONTEND
        await types(team, admin, 'lock acme/frontend "freeze"')
        for text in ("unlock acme/frontend", 'lock acme/backend "mine"', "lock acme/backend:main mine"):
            assert f"You may not {text.split()[0]} (" in said(await types(team, team.grace, text)), text
        for action, doing in ((Unlock(key=key), "unlock"), (TakeLock(key=key, holder_id=admin.id), "take over locks")):
            assert f"You may not {doing} (" in said(await presses(team, team.grace, somewhere(team), action))
        assert "acme/frontend · @admin" in said(await types(team, team.grace, "locks"))
        assert "is locked" in said(await types(team, team.grace, "lock acme/backend:try/green mine"))
        assert "is unlocked" in said(await types(team, team.grace, "unlock acme/backend:try/green"))


NOT_MAIN = """
[[rules]]
name = "members do it all"
roles = ["members"]
words = ["read", "deploy"]

[[rules]]
name = "main is the admins'"
effect = "deny"
roles = ["members"]
words = ["deploy"]
branches = ["main"]
"""


async def test_who_is_denied_one_branch_does_not_lock_all_of_them(tmp_path: Path) -> None:
    async with team_under(NOT_MAIN, tmp_path) as team:
        assert "main is the admins'" in said(await types(team, team.grace, 'lock acme/frontend "mine"'))
        assert "is locked" in said(await types(team, team.grace, "lock acme/frontend:release/v2.0 mine"))


ONE_PROJECT = """
[[rules]]
name = "members read, and work on the frontend"
roles = ["members"]
words = ["*"]

[[rules]]
name = "the backend is not theirs"
effect = "deny"
words = ["deploy", "rerun", "cancel", "approve", "secrets", "keys", "admin"]
projects = ["acme/backend"]
"""


async def test_a_forged_button_names_ids_and_circleci_says_whose_they_are(tmp_path: Path) -> None:
    async with team_under(
        ONE_PROJECT, tmp_path, circleci_webhook_secret="x", public_url="https://ci.acme.example"
    ) as team:
        held = pushed(team, "try/on-hold", ON_HOLD, slug=BACKEND)
        ours = pushed(team, "try/on-hold", ON_HOLD)
        failed = pushed(team, "try/parallel", OVER, slug=BACKEND)
        running = pushed(team, "try/slow", RUNNING, slug=BACKEND)
        for action in (
            CancelPipeline(pipeline_id=running.id),
            _cancels_job(running, BACKEND),
            RerunAll(pipeline_id=failed.id),
            _approves(held, held),
            AddWebhook(project_slug=BACKEND),
            AddCheckoutKey(project_slug=BACKEND, kind="deploy-key"),
            RemoveVariable(project_slug=BACKEND, name="TOKEN"),
            RunCommand(text="deploy acme/backend main"),
        ):
            told = said(await presses(team, team.grace, somewhere(team), action))
            assert "the backend is not theirs" in told, action
        # Of an own build, with the hold or the job of another project's.
        assert "knows no approval" in said(await presses(team, team.grace, somewhere(team), _approves(ours, held)))
        assert "knows no job" in said(await presses(team, team.grace, somewhere(team), _cancels_job(running, FRONTEND)))
        assert writes(team) == []
        job_name = _approves(ours, ours).model_copy(update={"job_name": "<!channel> tests"})
        assert await presses(team, team.grace, somewhere(team), job_name) == []
        assert (await record(team))[-1].job == "hold-prod"


async def test_a_definition_is_chosen_by_who_asked_and_is_one_of_the_project(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        (told,) = await types(team, team.ada, f"deploy {MOBILE} main")
        choice = ChooseDefinition.unpack(told.element("build")["value"])
        assert "Only who asked for it chooses" in said(await presses(team, team.grace, somewhere(team), choice))
        other = choice.model_copy(update={"definition_id": team.circleci.world.projects[FRONTEND].id})
        assert "knows no pipeline definition" in said(await presses(team, team.ada, somewhere(team), other))
        # Another person's words become no deploy either, nor her own that were none.
        for person, text in ((team.grace, f"deploy {MOBILE} main"), (team.ada, "status acme/frontend main")):
            delivery = await person.command("deploys", "/ci", text)
            await team.is_done()
            said_once = choice.model_copy(update={"invocation_id": delivery.payload["trigger_id"]})
            told_her = said(await presses(team, team.ada, somewhere(team), said_once))
            assert "Only who asked" in told_her or "too old" in told_her
        assert writes(team) == []


GUESTS = """
[[rules]]
name = "everybody reads, and members deploy"
words = ["read"]

[[rules]]
name = "members"
roles = ["members"]
words = ["*"]

[[rules]]
name = "guests stay out of it"
effect = "deny"
roles = ["guests"]
words = ["*"]
{where}
"""


@pytest.mark.parametrize("where", ['projects = ["acme/before"]', 'branches = ["try/*"]'], ids=["project", "branch"])
async def test_who_may_not_read_something_sees_it_nowhere(tmp_path: Path, where: str) -> None:
    async with team_under(GUESTS.format(where=where), tmp_path) as team:
        guest = team.slack.person("guest")
        team.circleci.moved = {"gh/acme/before": BACKEND}
        await team.deploys_branch("try/parallel", "acme/backend")
        await team.is_done()
        build = team.circleci.world.pipelines[0]
        pushed(team, "main", OVER)
        await types(team, team.grace, "lock acme/backend:try/parallel hotfix")
        job, number = _job_number(build), build.number
        for text in (
            "status acme/backend try/parallel",
            f"status acme/backend #{number}",
            f"status acme/backend {job}",
            f"build acme/backend {job}",
            f"logs acme/backend {job}",
            f"tests acme/backend {job}",
            f"tests acme/backend #{number}",
            f"artifacts acme/backend {job}",
            f"triage acme/backend #{number}",
            "why-red acme/backend try/parallel",
            "flaky acme/backend try/parallel",
            f"watch acme/backend #{number}",
        ):
            told = said(await types(team, guest, text))
            assert "guests stay out of it" in told, text
        for action in (
            ShowLog(pipeline_id=build.id),
            ShowTests(pipeline_id=build.id),
            ShowArtifacts(pipeline_id=build.id),
            SendLog(project_slug=BACKEND, job_number=job),
            RunCommand(text=f"status acme/backend #{number}"),
        ):
            assert "guests stay out of it" in said(await presses(team, guest, somewhere(team), action)), action
        await team.slack.wait_for(lambda: team.deploys.roots)
        before = guest.mark
        await guest.mention("deploys", "status", thread_ts=team.root.ts)
        await team.slack.wait_for(lambda: guest.sees_only_since(before))
        assert "guests stay out of it" in guest.sees_only[-1].visible
        for text, others in (("recent", "acme/frontend"), ("projects", "acme/frontend"), ("locks", ""), ("help", "")):
            (shown,) = await types(team, guest, text)
            assert others in shown.visible
            assert "try/parallel" not in shown.visible
            assert "acme/backend" not in shown.visible or "branches" in where


async def test_a_colleague_from_another_company_is_no_member_in_a_shared_channel(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        stranger, workspace = team.slack.person("stranger"), team.slack.workspace
        assert stranger.id in team.deploys.members
        # As in Slack's own example of the event, which names nobody's workspace but the one that was told.
        event = {"type": "app_mention", "user": stranger.id, "channel": team.deploys.id, "ts": workspace.ts()}
        text = f"<@{workspace.bot_user_id}> deploy acme/frontend main"
        await team.slack.deliver_event({**event, "text": text, "event_ts": event["ts"]})
        await team.is_told(stranger, "people from other workspaces may only read")
        assert writes(team) == []


def _job_number(build: Pipeline) -> int:
    return next(number for run in build.runs for number in run.job_numbers.values())


def _cancels_job(build: Pipeline, slug: str) -> ButtonAction:
    return CancelJob(project_slug=slug, job_number=_job_number(build))


def _approves(build: Pipeline, held: Pipeline) -> ApproveJob:
    """Return a button of one build for the hold of another."""
    run = held.runs[0]
    return ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])


async def test_a_forged_spelling_of_a_project_is_read_as_circleci_spells_it(tmp_path: Path) -> None:
    policy = """
[[rules]]
name = "everybody does everything"
words = ["*"]

[[rules]]
name = "nobody touches the backend"
effect = "deny"
words = ["*"]
projects = ["gh/acme/backend"]
"""
    async with team_under(policy, tmp_path) as team:
        forged = AddCheckoutKey(project_slug="github/acme/backend", kind="deploy-key")
        assert "nobody touches the backend" in said(await presses(team, team.ada, somewhere(team), forged))
        assert writes(team) == []


DEPLOYS_UNSEEN = """
[[rules]]
name = "green alone"
words = ["deploy"]
green = true
"""


async def test_a_red_branch_is_called_red_alone_to_who_may_not_look_at_its_builds(tmp_path: Path) -> None:
    async with team_under(DEPLOYS_UNSEEN, tmp_path) as team:
        failed = pushed(team, "release/v2.0", OVER, revision="38c6d84")
        told = said(await types(team, team.grace, "deploy acme/frontend release/v2.0"))
        assert "acme/frontend release/v2.0 is not green." in told
        assert str(failed.number) not in told
        assert "38c6d84" not in told
        assert writes(team) == []


async def test_what_moves_to_direct_messages_is_shown_there_to_who_may_look_at_it_there(tmp_path: Path) -> None:
    here = '[[rules]]\nname = "here"\nwords = ["*"]\nchannels = ["C0DEPLOYS"]\n'
    async with team_under(here, tmp_path) as team:
        await followed(team, "release/v2.0", RUNNING, "Running")
        team.deploys.is_archived = True
        goes_by(team, OVER)
        await team.pull_forward()
        releases = team.slack.workspace.channel("releases")
        await team.slack.wait_for(lambda: "any more for ada" in said(releases.messages))
        (left,) = team.ada.direct_messages
        assert "You may not look at it in direct messages, so I follow it no more for you." in left.visible
        assert "release/v2.0" not in left.visible
        assert not left.buttons


async def test_who_may_act_and_needs_no_right_to_look_is_told_where_the_channel_is_gone(tmp_path: Path) -> None:
    acts = '[[rules]]\nname = "acts"\nwords = ["deploy", "rerun"]\nprojects = ["acme/frontend"]\n'
    async with team_under(acts, tmp_path) as team:
        await followed(team, "release/v2.0", RUNNING, "Running")
        team.deploys.is_archived = True
        goes_by(team, OVER)
        await team.pull_forward()
        await team.slack.wait_for(lambda: "red so far" in said(team.ada.direct_messages))
