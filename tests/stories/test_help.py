"""Stories of people who do not know the bot yet."""

from pathlib import Path

from bot.models.build import Change, ChangeKind
from bot.models.circleci import Job, PipelineId, ProjectSlug, Workflow, WorkflowId
from bot.models.occasions import Hold
from bot.models.slack import utc_now
from playground.slack.conversations import Message
from tests.operations.scene import BACKEND, MOBILE, again_until, said, team_under, types
from tests.operations.test_looking import HIDDEN, known, subscribed
from tests.operations.test_subscribing import POLICY
from tests.stories.team import Team

BY_NAME = """
[[rules]]
name = "everybody"
words = ["read", "deploy"]

[[rules]]
name = "mobile is not for grace"
effect = "deny"
words = ["read"]
roles = ["grace"]
projects = ["acme/mobile"]

[roles.grace]
users = ["U0GRACE"]
"""


async def greetings(team: Team) -> list[Message]:
    return [one for one in team.ada.direct_messages if "Hello." in one.visible]


def told_of_the_hold(team: Team) -> list[Message]:
    return [one for one in team.ada.sees_only if "hold-prod waits for an approval" in one.visible]


async def test_who_opens_the_direct_messages_is_greeted_once(both_ways: Team) -> None:
    team = both_ways
    await team.ada.open_messages()
    greeting = (await team.slack.wait_for(lambda: team.ada.direct_messages))[0]
    assert greeting.buttons == ["What can I do here?", "How to deploy"]
    await team.ada.open_messages()
    for _ in range(2):
        await team.ada.click(greeting, "How to deploy")
    await team.slack.wait_for(lambda: len([one for one in team.ada.sees_only if "tag:v2.0" in one.visible]) == 2)
    assert len(await greetings(team)) == 1


async def test_who_has_talked_with_it_before_is_not_greeted(team: Team) -> None:
    await team.ada.message_bot("help deploy")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "tag:v2.0" in one.visible])
    await team.ada.open_messages()
    await team.ada.open_home()
    await team.ada.message_bot("help")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "Name one" in one.visible])
    assert await greetings(team) == []


async def test_what_waits_stands_first_and_all_else_is_a_press_away(team: Team) -> None:
    guest = team.slack.person("guest")
    await team.deploys_branch("try/on-hold")
    await team.reads("Waiting for approval")
    # What a look has seen is told before it is kept.
    await again_until(lambda: types(team, team.ada, ""), lambda: told_of_the_hold(team))
    told = told_of_the_hold(team)[0]
    await team.ada.click(told, "Show what waits: #2417")
    shown = await team.is_told(team.ada, "1 job of acme/frontend waits")
    assert "Approve hold-prod" in shown.buttons
    await team.ada.click(told, "More")
    await team.is_told(team.ada, "says more about one of them")
    await guest.command("deploys", "/ci", "")
    told = await team.is_told(guest, "hold-prod waits for an approval")
    assert told.buttons == ["Status of #2417", "Why red: try/on-hold", "My builds", "More"]
    await guest.click(told, "More")
    seen = (await team.is_told(guest, "What you may not use is left out.")).visible
    assert not [word for word in ("`/ci deploy ", "`/ci env", "`/ci audit", "`/ci doctor") if word in seen]


async def test_a_press_on_what_help_offers_deploys_it_once_a_dialog_has_named_it(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "help")
    told = await team.is_told(team.ada, "is what you did here last")
    assert "Project acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    await team.ada.click(told, "Deploy main")
    await team.until(lambda: len(team.posts("/pipeline")) == 2)
    assert team.posts("/pipeline") == [{"branch": "main"}] * 2


async def test_nobody_waits_for_circleci_where_rules_name_projects_and_a_slug_is_made_of_ids(tmp_path: Path) -> None:
    async with team_under(BY_NAME, tmp_path, poll_interval_seconds=3600) as team:
        await types(team, team.ada, f"use {MOBILE} main")
        asked = len(team.circleci.requests)
        (told,) = await types(team, team.ada, "help")
        assert "This channel uses acme/mobile:" in told.visible
        (whole,) = await types(team, team.ada, "help all")
        (page,) = await types(team, team.ada, "deploy --help")
        assert f"`/ci deploy {MOBILE} main`" in page.visible
        assert MOBILE in whole.visible
        for text in ("", "help all", "status --help"):
            (told,) = await types(team, team.grace, text)
            assert "mobile" not in told.visible
            assert MOBILE not in str(told.blocks)
        assert len(team.circleci.requests) == asked


async def test_what_the_channel_hears_is_counted_as_far_as_they_may_read_and_offered_where_it_hears_nothing(
    tmp_path: Path,
) -> None:
    offer, guest_reads = "`/ci subscribe acme/frontend` lets this channel hear", "There is 1 subscription here"
    policy = POLICY.replace('"read", "cancel"', '"read", "cancel", "deploy"', 1)
    async with team_under(policy, tmp_path) as team:
        guest = team.slack.person("guest")
        assert offer not in said(await types(team, team.ada, ""))
        await types(team, team.ada, "use acme/frontend main")
        assert offer in said(await types(team, team.ada, ""))
        for line in ("acme/frontend", "acme/backend", "acme/frontend merger"):
            await types(team, team.ada, f"subscribe {line}")
        told = said(await types(team, team.ada, ""))
        assert ("There are 3 subscriptions here: `/ci subscriptions` lists them." in told, offer in told) == (
            True,
            False,
        )
        assert guest_reads in said(await types(team, guest, ""))
        await types(team, team.ada, "unsubscribe acme/frontend broke fixed")
        assert offer in said(await types(team, guest, ""))  # of the others nobody tells them
        team.circleci.faults.add("GET", "/api/v2/project", status=503)
        assert "There are 2 subscriptions here" in said(await types(team, team.grace, ""))


async def test_what_is_red_and_what_waits_by_its_subscriptions_stands_first_and_circleci_is_not_asked(
    tmp_path: Path,
) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        guest, nothing = team.slack.person("guest"), "Nothing is red here, as far as I have told."
        await subscribed(team)
        assert nothing in said(await types(team, team.ada, ""))
        await known(team, red_since=2417, number=2418, looking="grace")
        change = Change(
            kind=ChangeKind.ON_HOLD,
            workflow=Workflow(id=WorkflowId("w"), name="release", status="on_hold", created_at=utc_now()),
            job=Job.model_validate({"id": "j", "name": "hold-prod", "status": "on_hold", "type": "approval"}),
        )
        place = {"channel_id": team.deploys.id, "project_slug": BACKEND, "branch": "main"}
        hold = Hold.model_validate({**place, "ts": "1.2", "number": 2420, "changes": (change,)})
        await team.app.store.occasions.save_hold(PipelineId("p1"), hold)
        before = len(team.circleci.requests)
        team.circleci.faults.add("GET", "/api", status=503)
        for line in ("", "what is red?", "was ist gerade rot?"):
            (told,) = await types(team, team.ada, line)
            shown = told.visible
            assert shown.index("#2420 · main · hold-prod waits for an approval") < shown.index(
                "main is red · since #2417"
            )
            assert "grace looks at it" in shown
            assert {"Why red: main", "Status of #2420"} <= set(told.buttons)
            assert nothing not in shown
        hidden = said(await types(team, guest, ""))
        assert ("2417" in hidden, "2420" in hidden, "backend" in hidden) == (False, False, False)
        await team.ada.command("releases", "/ci", "what is red?")
        await team.is_told(team.ada, "I know of no project here yet")
        # What news there are of the backend is looked for all the time; nobody asked for more than that.
        assert "/api/v1.1/projects" not in [one.path for one in team.circleci.requests[before:]]


async def test_what_waits_stands_first_also_once_its_project_is_called_otherwise(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        rule = await subscribed(team)
        change = Change(
            kind=ChangeKind.ON_HOLD,
            workflow=Workflow(id=WorkflowId("w"), name="release", status="on_hold", created_at=utc_now()),
            job=Job.model_validate({"id": "j", "name": "hold-prod", "status": "on_hold", "type": "approval"}),
        )
        place = {"channel_id": team.deploys.id, "project_slug": BACKEND, "branch": "main"}
        hold = Hold.model_validate({**place, "ts": "1.2", "number": 2420, "changes": (change,)})
        await team.app.store.occasions.save_hold(PipelineId("p1"), hold)
        for name in ("web", "site"):
            await team.app.store.subscriptions.is_by_now(rule, ProjectSlug(f"gh/acme/{name}"), f"acme/{name}", "main")
            (rule,) = await team.app.store.subscriptions.of_channel(team.deploys.id)
            assert "#2420 · main · hold-prod waits for an approval" in said(await types(team, team.ada, ""))


async def test_a_greeting_is_answered_where_it_was_said(team: Team) -> None:
    await team.ada.message_bot("hello")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "Try first" in one.visible])
    await team.ada.command("deploys", "/ci", "hello you")
    await team.is_told(team.ada, "This word stands alone.")


async def test_where_the_command_is_called_otherwise_help_calls_it_so_too(team: Team) -> None:
    await team.ada.command("deploys", "/circle", "help deploy")
    told = await team.is_told(team.ada, "/circle deploy")
    assert "/ci deploy" not in told.visible


async def test_another_word_for_an_act_is_offered_behind_a_dialog_and_one_for_a_look_is_a_word(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "ship acme/frontend main")
    told = await team.is_told(team.ada, "I read this as `deploy acme/frontend main`")
    assert "release" not in told.element("Deploy main")["confirm"]["text"]["text"]
    assert "acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    await team.ada.click(told, "Deploy main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "history")
    await team.is_told(team.ada, "acme/frontend")


async def test_a_slip_in_a_long_line_is_answered_all_the_same(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "dploy acme/frontend " + '"' * 1400)
    told = await team.is_told(team.ada, "I do not know this word.")
    assert told.buttons == []


async def test_a_slip_before_the_name_of_a_secret_offers_nothing_but_says_the_word(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "evn set acme/frontend TOKEN")
    told = await team.is_told(team.ada, "Did you mean `env`?")
    assert told.buttons == []


async def test_a_project_spelled_alike_is_offered_and_a_look_needs_no_dialog(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "status acme/fronted main")
    told = await team.is_told(team.ada, "CircleCI knows no project")
    assert told.element("Status acme/frontend main").get("confirm") is None
    await team.ada.click(told, "Status acme/frontend main")
    await team.is_told(team.ada, "✅")
