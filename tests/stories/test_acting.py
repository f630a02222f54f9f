"""Stories of people who act by words: rerun, cancel, approve, watch; also on builds that others started."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import PipelineId
from bot.models.slack import Invocation
from bot.watching.engine import HANDLE
from tests.stories.team import Team, is_offer, team_at_work


async def test_a_rerun_by_words_is_followed_where_it_was_asked(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    await team.grace.mention("releases", "rerun acme/frontend release/v2.0")
    releases = team.slack.workspace.channel("releases")
    await team.slack.wait_for(lambda: [one for one in releases.messages if "Passed in" in one.visible], timeout=30)
    await team.reads("grace asked to rerun what did not pass. Running again: unit-tests, then the jobs after it")
    assert team.posts("/rerun") == [{"from_failed": True}]
    # Each place hears whose it is, and pings who waits there.
    assert "@ada" in (await team.reads("Passed in")).visible
    assert "asked by ada · rerun by grace" in team.root.visible
    assert [one for one in releases.messages if "watched by grace · rerun by grace" in one.visible]
    (end,) = [one for one in releases.messages if "Passed in" in one.visible]
    assert "@grace (asked by ada)" in end.visible


async def test_all_of_it_runs_again_in_its_thread_without_a_name(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.mention("deploys", "rerun all", thread_ts=team.root.ts)
    await team.reads("(attempt 2)")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    assert team.posts("/rerun") == [{}]
    await team.ada.mention("deploys", "rerun everything", thread_ts=team.root.ts)
    await team.is_told(team.ada, "CircleCI knows no pipeline on the branch `everything` in acme/frontend")
    await team.ada.mention("deploys", "rerun all failed", thread_ts=team.root.ts)
    await team.is_told(team.ada, "It is either all of it, or the failed jobs.")


async def test_ssh_is_for_admins(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADMIN",)) as team:
        await team.deploys_branch("try/infrastructure")
        await team.reads("Failed after")
        await team.ada.command("deploys", "/ci", "rerun acme/frontend try/infrastructure ssh")
        await team.is_told(team.ada, "You may not open builds to SSH here")
        await team.slack.person("admin").command("deploys", "/ci", "rerun acme/frontend try/infrastructure ssh")
        await team.reads("admin asked to rerun what did not pass")
        (body,) = team.posts("/rerun")
        assert isinstance(body, dict)
        assert body["enable_ssh"]
        assert len(body["jobs"]) == 1


async def test_a_cancel_asks_which_and_then_once_more(team: Team) -> None:
    await team.runs()
    await team.ada.command("deploys", "/ci", "deploy acme/frontend try/slow env=prod")
    await team.until(lambda: len(team.circleci.world.pipelines) == 2)
    team.circleci.world.clock.advance(timedelta(seconds=5))
    await team.slack.wait_for(lambda: team.count("Running") == 2, timeout=30)
    await team.grace.command("general", "/ci", "cancel acme/frontend try/slow")
    told = await team.is_told(team.grace, "2 builds of acme/frontend are not finished.")
    assert team.posts("/cancel") == []
    team.circleci.world.trigger("gh/acme/frontend", branch="main", parameters={}, by="push")
    await team.grace.command("general", "/ci", "cancel acme/frontend")  # of all branches
    await team.is_told(team.grace, "Waiting · #2419 · main: no workflow runs yet that could be cancelled.")
    assert told.buttons == ["Cancel #2418", "Cancel #2417"]
    assert "confirm" in told.element("Cancel #2417")
    await team.grace.click(told, "Cancel #2417")
    await team.reads("pressed Cancel")
    team.time_flies()
    await team.slack.wait_for(lambda: team.count("🚫 Cancelled") > 0, timeout=30)
    assert len(team.posts("/cancel")) == 1
    await team.grace.command("general", "/ci", "cancel acme/cli")
    await team.is_told(team.grace, "In the 3 newest builds of all branches of acme/cli nothing runs.")


async def test_one_job_is_cancelled_by_its_number(team: Team) -> None:
    await team.runs()
    await team.reads("now: test")
    await team.until(lambda: team.circleci.world.pipelines[0].runs[0].job_numbers)  # it has none while it is queued
    await team.grace.command("general", "/ci", "cancel acme/frontend 1842")
    told = await team.is_told(team.grace, "test (1842)")
    await team.grace.click(told, "Cancel test (1842)")
    await team.reads("grace pressed Cancel. CircleCI has accepted it for test (1842)")
    team.time_flies()
    await team.reads("🚫 Cancelled")
    await team.grace.click(told, told.element("Cancel test (1842)"))
    await team.is_told(team.grace, "test (1842) has ended")
    assert len(team.posts("/job/1842/cancel")) == 1
    await team.grace.command("general", "/ci", "cancel acme/frontend 7")
    await team.is_told(team.grace, "CircleCI knows no job `7`")


async def test_every_hold_has_its_own_button(team: Team) -> None:
    pipeline = team.circleci.world.trigger("gh/acme/frontend", branch="hold/prod", parameters={}, by="push")
    run = pipeline.runs[0]
    team.circleci.world.clock.advance(timedelta(minutes=2))
    await team.grace.command("general", "/ci", "approve acme/frontend hold/prod")
    told = await team.is_told(team.grace, "1 job of acme/frontend waits, in #2417.")
    await team.grace.click(told, "Approve hold-prod")
    # Nobody follows this build: it is followed where she pressed, to its end.
    general = team.slack.workspace.channel("general")
    await team.slack.wait_for(lambda: [one for one in general.messages if "approved by grace" in one.visible])
    assert not [one for one in team.grace.sees_only if "grace approved hold-prod." in one.visible]
    await team.grace.command("general", "/ci", "mine")
    await team.is_told(team.grace, "acme/frontend · hold/prod · #2417")
    (path,) = [seen.path for seen in team.circleci.requests if "/approve/" in seen.path]
    assert path.endswith(run.job_ids["hold-prod"])
    await team.grace.command("general", "/ci", "approve acme/frontend #2417")
    await team.is_told(team.grace, "Nothing of acme/frontend #2417 waits for an approval.")


async def test_what_waits_on_any_branch_is_listed_behind_newer_builds(team: Team) -> None:
    world = team.circleci.world
    for branch in ("hold/prod", "try/on-hold", "hold/prod"):
        world.trigger("gh/acme/frontend", branch=branch, parameters={}, by="push")
    world.clock.advance(timedelta(minutes=2))
    team.time_stands_still()
    world.trigger("gh/acme/frontend", branch="main", parameters={}, by="push")
    await team.grace.command("general", "/ci", "approve acme/frontend")
    told = await team.is_told(team.grace, "3 jobs of acme/frontend wait, in 3 builds.")
    assert told.buttons == [*(f"Approve hold-prod of #{number}" for number in (2419, 2418, 2417)), "Share here"]
    asked = told.element("Approve hold-prod of #2418")["confirm"]["text"]["text"]
    assert asked == "hold-prod of acme/frontend try/on-hold #2418 at bbb97db goes on. It starts deploy-prod."
    await team.grace.command("general", "/ci", "approve acme/frontend hold/prod")
    await team.is_told(team.grace, "2 jobs of acme/frontend wait, in 2 builds.")
    await team.grace.command("general", "/ci", "approve acme/frontend main")
    await team.is_told(team.grace, "In the newest build of main of acme/frontend nothing waits for an approval.")


async def test_a_rerun_pressed_on_an_answer_is_followed_where_it_was_pressed(team: Team) -> None:
    team.circleci.world.trigger("gh/acme/frontend", branch="try/failing-tests", parameters={}, by="push")
    team.circleci.world.clock.advance(timedelta(minutes=10))
    await team.ada.mention("deploys", "triage acme/frontend try/failing-tests")
    shown = await team.reads("Failed after")
    team.time_stands_still()
    await team.grace.click(shown, "Rerun failed")
    root = await team.reads("pushed by push · watched by grace · rerun by grace")
    assert root.thread_ts == shown.thread_ts
    await team.ada.mention("deploys", "watch acme/frontend #2417", thread_ts=shown.thread_ts)
    await team.is_told(team.ada, "its end mentions ada too")
    watches = team.app.store.watches
    (full,) = await watches.of(PipelineId(team.circleci.world.pipelines[0].id))
    await watches.save(full, full.model_copy(update={"also_told": (team.ada.id, *(f"U{at}" for at in range(19)))}))
    await team.slack.person("admin").mention("deploys", "watch acme/frontend #2417", thread_ts=shown.thread_ts)
    await team.is_told(team.slack.person("admin"), "as many are mentioned at its end as I mention")
    team.time_flies()
    assert "@grace @ada" in (await team.reads("Passed in")).visible
    team.circleci.world.trigger("gh/acme/frontend", branch="try/failing-tests", parameters={}, by="push")
    team.circleci.world.clock.advance(timedelta(minutes=10))
    await team.ada.command("random", "/ci", "triage acme/frontend #2418")
    shown = await team.is_told(team.ada, "Failed after")
    await team.ada.click(shown, "Rerun failed")  # nobody could tell the channel: she hears of it in direct messages
    await team.is_told(team.ada, "ada pressed Rerun failed. Running again: unit-tests")
    there = "watched by ada · rerun by ada"
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if there in one.visible])


async def test_a_green_build_is_offered_whole_for_a_rerun(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "rerun acme/cli #2402")
    told = await team.is_told(team.ada, "acme/cli main #2402 passed; nothing failed.")
    assert told.buttons == ["Rerun all"]
    asked = told.element("Rerun all")["confirm"]["text"]["text"]
    assert asked == "acme/cli main #2402: all jobs run again. There is a newer build: #2403."
    assert team.posts("/rerun") == []
    await team.ada.click(told, "Rerun all")
    await team.reads("Passed in")  # where it was pressed
    assert "rerun by ada" in team.root.visible
    assert team.posts("/rerun") == [{}]


async def test_who_names_a_branch_to_watch_means_what_comes(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "watch acme/cli main")
    await team.is_told(team.ada, "acme/cli #2403 has ended: ❌ Failed. I follow one build, not a branch")
    assert team.deploys.messages == []


async def test_a_build_that_somebody_pushed_is_followed_and_left(team: Team) -> None:
    team.time_stands_still()
    team.circleci.world.trigger("gh/acme/frontend", branch="try/slow", parameters={}, by="push")
    team.circleci.world.clock.advance(timedelta(seconds=5))
    await team.ada.command("deploys", "/ci", "watch acme/frontend try/slow")
    await team.reads("now: test")
    assert "pushed by push · watched by ada" in team.root.visible
    await team.ada.command("deploys", "/ci", "watch acme/frontend try/slow")
    await team.is_told(team.ada, "#2417 is followed here already.")
    await team.grace.command("deploys", "/ci", "tell me when acme/frontend #2417 is done")
    await team.is_told(team.grace, "already: its end mentions grace too. That stands in its thread.")
    await team.grace.command("deploys", "/ci", "watch acme/frontend #2417")
    await team.is_told(team.grace, "#2417 is followed here already.")
    await team.grace.command("random", "/ci", "mine")
    await team.is_told(team.grace, "acme/frontend · try/slow · #2417")
    await team.ada.command("deploys", "/ci", "unwatch acme/frontend #2417")
    await team.is_told(team.ada, "#2417 goes on here for others, and its end mentions you no more.")
    await team.ada.command("deploys", "/ci", "watch acme/frontend #2417")
    await team.is_told(team.ada, "its end mentions ada too")
    await team.grace.command("deploys", "/ci", "unwatch acme/frontend #2417")
    await team.is_told(team.grace, "#2417 goes on here for others")
    await team.ada.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.reads("#2417 is no longer followed here.")
    assert "Not followed here any more" in team.root.visible
    assert team.root.buttons == ["Open in CircleCI"]
    await team.ada.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.is_told(team.ada, "#2417 is not followed here.")
    await team.ada.command("deploys", "/ci", "watch")
    await team.is_told(team.ada, "Which project?")
    assert team.posts("/pipeline") == []


async def test_a_finished_build_can_be_watched_too(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "watch acme/cli #2402")
    await team.reads("✅ Passed")
    final = await team.reads("Passed in")
    assert "cli" in team.root.visible
    assert "dist" in final.visible
    assert "@ada" not in final.visible  # nobody waits for an end that is long past


async def test_ssh_needs_a_job_that_failed(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADMIN",)) as team:
        await team.runs()
        await team.reads("Running")
        await team.ada.click(team.root, "Cancel #2417")
        team.time_flies()
        await team.reads("Cancelled after")
        admin = team.slack.person("admin")
        await admin.command("deploys", "/ci", "rerun acme/frontend try/slow ssh")
        await team.is_told(admin, "there is none to open by SSH")
        assert team.posts("/rerun") == []


async def test_a_rerun_that_a_crash_cut_off_is_followed_all_the_same(team: Team) -> None:
    await team.deploys_branch("try/failing-tests")
    await team.reads("test_adds_item")
    pipeline = team.circleci.world.pipelines[0]
    said = Invocation(
        id="Ev9",
        kind="mention",
        text="rerun acme/frontend #2417",
        user_id=team.grace.id,
        team_id=team.slack.workspace.team_id,
        channel_id=team.slack.workspace.channel("releases").id,
    )
    await team.app.store.deliveries.record(said)
    # As far as a run of it came before it died: recorded, sent.
    await team.app.store.acted.save(PipelineId(pipeline.id), f"{said.id}|{said.user_id}")
    team.time_stands_still()
    for run in list(pipeline.runs):
        team.circleci.world.rerun(run.id)
    await team.app.engine.add(HANDLE, said.id)
    releases = team.slack.workspace.channel("releases")
    await team.slack.wait_for(lambda: [one for one in releases.messages if "attempt 2" in one.visible])
    team.time_flies()
    await team.reads("Passed in")
    await team.slack.wait_for(lambda: [one for one in releases.messages if "Passed in" in one.visible])
    assert team.posts("/rerun") == []


async def test_a_link_opens_and_says_nothing(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    elements = [(message, message.element(label)) for message in team.deploys.messages for label in message.buttons]
    links = [(message, one) for message, one in elements if one.get("url")]
    assert links
    for message, link in links:
        assert (await team.ada.click(message, link)).acked
    await team.ada.command("deploys", "/ci", "help")
    await team.is_told(team.ada, "says more about one word")
    assert sum(not is_offer(one) for one in team.ada.sees_only) == 1


async def test_an_act_loses_nothing_beside_a_look_that_takes_long(team: Team) -> None:
    team.circleci.world.clock.speed = 20
    await team.deploys_branch("try/slow")
    await team.reads("Running")
    pipeline, watches = PipelineId(team.circleci.world.pipelines[0].id), team.app.store.watches
    (read,) = await watches.of(pipeline)  # by a look that has lost its fence, at work on a log of 200 MB
    await team.ada.click(team.root, "Cancel #2417")
    await team.reads("pressed Cancel")
    await watches.save(read, read.with_told("job_failed:x"))
    await team.reads("Cancelled after")
    (watch,) = await watches.of(pipeline)
    assert {key.partition(":")[0] for key in watch.told} >= {"act", "job_failed"}
    assert team.count("pressed Cancel") == 1
