"""Short names, a channel's project and the thread: what reads runs and says what it took, what acts asks first."""

from pathlib import Path

from tests.operations.scene import OVER, RUNNING, followed, presses, pushed, said, team_under, types, writes
from tests.stories.team import bot_at_work, far_sides, is_offer

NO_BACKEND = """
[[rules]]
name = "everybody does it all"
words = ["*"]

[[rules]]
name = "the backend is hidden"
effect = "deny"
words = ["*"]
projects = ["acme/backend"]
"""


async def test_a_name_that_one_project_has_is_that_project_and_acts_behind_a_dialog(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        built = pushed(team, "main", OVER)
        shown = said(await types(team, team.ada, "status frontend"))
        assert "acme/frontend is the one project that I know by this name." in shown
        assert f"#{built.number}" in shown
        pushed(team, "release/v2.0", OVER)
        (unknown,) = await types(team, team.ada, "status frontend relase/v2.0")
        assert "Status release/v2.0" in unknown.buttons
        for line in ("deploy frontend", "deploy acme frontend main", "deploy main to frontend", "deploy fronted main"):
            (question,) = await types(team, team.ada, line)
            assert "Deploy acme/frontend `main`? Nothing is done yet" in question.visible
        (label,) = question.buttons
        dialog = question.element(label)["confirm"]["text"]["text"]
        assert dialog == "Project acme/frontend, branch main. This carries out: deploy gh/acme/frontend main"
        (rerun,) = await types(team, team.ada, f"rerun frontend #{built.number} all")
        assert rerun.element("Rerun #2417")["confirm"]["text"]["text"].startswith(
            "Project acme/frontend, branch main, #2417."
        )
        assert "it is too long" in said(await types(team, team.ada, f"deploy frontend main definition:{'x' * 600}"))
        assert writes(team) == []
        await presses(team, team.ada, question, label)
        assert team.posts("/pipeline") == [{"branch": "main"}]


async def test_who_may_not_read_a_project_is_not_told_its_name(tmp_path: Path) -> None:
    async with team_under(NO_BACKEND, tmp_path, poll_interval_seconds=3600) as team:
        for line in ("status backend", "deploy backend main", "deploy backned main"):
            told = said(await types(team, team.ada, line))
            assert "I follow no project of this name, and this channel uses none" in told
            assert "acme/backend" not in told


async def test_in_the_thread_of_a_build_nothing_need_be_named(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        await followed(team, "try/slow", RUNNING, "try/slow")
        thread = team.root.ts

        async def told(line: str) -> str:
            mark = team.ada.mark
            await team.ada.mention("deploys", line, thread)
            found = await team.slack.wait_for(lambda: team.ada.sees_only_since(mark), timeout=30)
            return said(found)

        assert "#2417 built `try/slow`" in await told("deploy")
        assert "Deploy acme/frontend `main`? Nothing is done yet. This thread is about" in await told("deploy main")
        assert "#2417 is followed here already" in await told("watch")
        assert "CircleCI knows no" in await told("logs nothing-there")
        assert len(team.posts("/pipeline")) == 1


async def test_a_channel_uses_a_project_for_all_who_may_see_it(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        pushed(team, "main", OVER)
        assert "You may not choose what a channel uses (acme/frontend main)" in said(
            await types(team, team.slack.person("guest"), "use frontend")
        )
        await team.ada.command("random", "/ci", "use frontend main")
        await team.is_told(team.ada, "I am not in this channel, so nobody here would hear of it.")
        await types(team, team.ada, "use frontend main")
        assert "This channel uses acme/frontend `main`: a command without a project" in team.root.visible
        assert "ada chose it" in team.root.visible
        assert "This channel uses acme/frontend." in said(await types(team, team.grace, "status"))
        (question,) = await types(team, team.grace, "deploy")
        assert question.element("Deploy main")["confirm"]["text"]["text"].startswith(
            "Project acme/frontend, branch main."
        )
        assert writes(team) == []
        await presses(team, team.grace, question, "Deploy main")
        assert team.posts("/pipeline") == [{"branch": "main"}]
        (question,) = await types(team, team.grace, "again note=x")
        await presses(team, team.grace, question, "Deploy main")
        assert team.posts("/pipeline")[1:] == [{"branch": "main", "parameters": {"note": "x"}}]
        # What a build was asked for with here goes with it, and is said.
        number = team.circleci.world.pipelines[-1].number
        assert "`main`, with `note=x`?" in said(await types(team, team.ada, f"deploy acme/frontend #{number}"))
        assert "`main`, with `note=y`?" in said(await types(team, team.ada, f"deploy acme/frontend #{number} note=y"))
        await team.ada.command("releases", "/ci", f"deploy acme/frontend #{number}")
        await team.is_told(team.ada, "Deploy acme/frontend `main`?")
        assert "nothing here lately" in said(await types(team, team.ada, "again"))
        await types(team, team.ada, "use nothing")
        assert "Which project?" in said(await types(team, team.ada, "status"))


async def test_a_branch_that_was_never_built_is_asked_about_and_is_no_project(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        for branch in ("main", "release/v2.0"):
            pushed(team, branch, OVER)
        for line in ("use acme/frontend mian", "use frontend release/v2.1", "use acme/frontend acme/backend"):
            (asked,) = await types(team, team.ada, line)
            assert "CircleCI has built nothing of a branch" in asked.visible, line
            assert "Nothing is done yet." in asked.visible
            assert "Use it anyway" in asked.buttons
        assert team.deploys.messages == []
        (slip,) = await types(team, team.ada, "use acme/frontend mian")
        assert "branch main" in slip.element("Use main")["confirm"]["text"]["text"]
        assert await presses(team, team.ada, slip, "Use main") == []
        assert "This channel uses acme/frontend `main`" in team.root.visible
        (question,) = await types(team, team.ada, "deploy feature/new")
        assert "Deploy acme/frontend `feature/new`? Nothing is done yet. This channel uses" in question.visible
        for line, label in (("deploy relase/v2.0 env=prod", "Deploy"), ("rerun relase/v2.0", "Rerun")):
            (unbuilt,) = await types(team, team.ada, line)
            dialog = unbuilt.element(f"{label} release/v2.0")["confirm"]["text"]["text"]
            assert dialog.startswith("Project acme/frontend, branch release/v2.0.")
        assert "Spelled alike: `main`" in said(await types(team, team.ada, "deploy mian"))
        told = said(await types(team, team.ada, "status relase/v2.0"))
        assert "no pipeline on the branch `relase/v2.0` in acme/frontend" in told
        assert "This channel uses acme/frontend." in told
        assert "no project `gh/acme/nowhere`" in said(await types(team, team.ada, "deploy acme/nowhere"))
        await team.ada.command("random", "/ci", "deploy acme/frontend mian")
        unheard = await team.is_told(team.ada, "I am not in this channel")
        (unbuilt,) = await presses(team, team.ada, unheard, "Tell me in direct messages")
        assert list(unbuilt.buttons) == ["Deploy main", "Deploy it anyway"]
        await types(team, team.ada, "use acme/frontend off")  # a branch: more than one word ends nothing
        assert len(team.deploys.roots) == 1
        assert writes(team) == []


async def test_what_is_about_a_whole_project_is_about_that_of_the_channel(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        pushed(team, "hold/prod", OVER)
        admin = team.slack.person("admin")
        await types(team, team.grace, "lock acme/backend main theirs")
        await types(team, admin, "use frontend main")
        for line, words in (
            ("env", "acme/frontend has no environment variables of its own."),
            ("env set DEPLOY_TOKEN", "type the value of `DEPLOY_TOKEN` in acme/frontend"),
            ("keys add deploy-key", "CircleCI makes a deploy-key for acme/frontend"),
            ("ssh-key add", "acme/frontend"),
            ("cache clear", "The dependency caches of acme/frontend can be cleared"),
            ("webhook", "acme/frontend"),
            ("locks", "Nothing of acme/frontend is locked. Of other projects: 1 lock, `/ci locks all`."),
            ("may deploy", "acme/frontend main"),
        ):
            told = said(await types(team, admin, line))
            assert "This channel uses acme/frontend." in told, line
            assert words.replace("`", "") in told.replace("`", ""), line
        assert "I do not take a secret" in said(await types(team, admin, "env set DEPLOY_TOKEN hunter2"))
        assert "acme/backend main" in said(await types(team, admin, "locks all"))
        (question,) = await types(team, team.ada, "lock hold/prod freeze until 17:00")
        assert "Lock acme/frontend `hold/prod` `freeze until 17:00`? Nothing is done yet." in question.visible
        dialog = question.element("Lock hold/prod")["confirm"]["text"]["text"]
        assert dialog.startswith(
            "Project acme/frontend, branch hold/prod. This carries out: lock gh/acme/frontend:hold"
        )
        await presses(team, team.ada, question, "Lock hold/prod")
        assert "1 lock of acme/frontend." in said(await types(team, admin, "locks"))
        (question,) = await types(team, team.ada, "unlock hold/prod")
        await presses(team, team.ada, question, "Unlock hold/prod")
        told = said(await types(team, admin, "audit"))
        assert "unlock" in told
        assert "backend" not in told
        assert "backend" in said(await types(team, admin, "audit all"))
        assert writes(team) == []


async def test_what_a_channel_uses_is_not_told_to_who_may_not_see_it(tmp_path: Path) -> None:
    hidden = NO_BACKEND.replace('effect = "deny"\n', 'effect = "deny"\nroles = ["guests"]\n')
    async with team_under(hidden, tmp_path, poll_interval_seconds=3600) as team:
        guest = team.slack.person("guest")
        await types(team, team.ada, "use acme/backend main")
        for line in ("use", "status", "deploy", "use nothing", "status main", "status #1840"):
            assert "backend" not in said(await types(team, guest, line)), line
        assert "acme/backend" in said(await types(team, team.grace, "use"))


async def test_who_looks_means_the_one_project_that_the_channel_hears_of(tmp_path: Path) -> None:
    hidden = NO_BACKEND.replace('effect = "deny"\n', 'effect = "deny"\nroles = ["guests"]\n')
    async with team_under(hidden, tmp_path, poll_interval_seconds=3600) as team:
        built, guest = pushed(team, "main", OVER), team.slack.person("guest")
        await types(team, team.ada, "subscribe acme/frontend main")
        heard = "The subscriptions here are to acme/frontend."
        for line in ("status", "status main", f"told #{built.number}", "why-red main", "tests"):
            assert heard in said(await types(team, team.ada, line)), line
        told = said(await types(team, team.ada, "who broke main?"))
        assert "I read this as /ci why-red acme/frontend main." in told.replace("`", "")
        # Who acts names it, but for the end of what it hears.
        for line in ("deploy main", "rerun", "lock", "watch", "approve", "snooze nothing-red 2h"):
            assert heard not in said(await types(team, team.ada, line)), line
        assert "which project" in said(await types(team, team.ada, "nobody deploys main for now")).lower()
        (question,) = await types(team, team.ada, "unsubscribe")
        assert f"Unsubscribe acme/frontend? Nothing is done yet. {heard}" in question.visible
        assert "unsubscribe acme/frontend main" in said(await types(team, team.ada, "stop telling us about main"))
        # What it uses is before that; several are asked about, and what is hidden is not named.
        await types(team, team.ada, "subscribe acme/backend main")
        assert heard not in said(await types(team, team.ada, "status"))
        await types(team, team.ada, "unsubscribe acme/frontend main")
        assert "are to acme/backend" in said(await types(team, team.ada, "status"))
        assert "backend" not in said(await types(team, guest, "status"))
        await types(team, team.ada, "use acme/frontend main")
        assert "This channel uses acme/frontend." in said(await types(team, team.ada, "status"))
        assert writes(team) == []


async def test_what_a_channel_uses_outlives_a_restart_another_name_and_the_archive(tmp_path: Path) -> None:
    async with far_sides(speed=0) as (circleci, slack):
        channel, grace = slack.workspace.channel("deploys"), slack.person("grace")
        async with bot_at_work(circleci, slack, tmp_path) as team:
            pushed(team, "main", OVER)
            await types(team, team.ada, "use frontend main")
            await types(team, team.ada, "lock acme/frontend main for 2h")
            channel.is_archived = True  # where nobody can say anything, and nothing is forgotten
        channel.name, channel.is_archived = "shipping", False
        async with bot_at_work(circleci, slack, tmp_path) as one, bot_at_work(circleci, slack, tmp_path):
            for line, words in (
                ("status", "This channel uses acme/frontend."),
                ("locks", "1 lock of acme/frontend."),
                ("use", "acme/frontend main"),
            ):
                mark = grace.mark
                await grace.command("shipping", "/ci", line)
                await one.is_done()
                assert words in said(grace.sees_only_since(mark)).replace("`", ""), line
            mark = grace.mark
            await grace.command("shipping", "/ci", "deploy")
            await one.is_done()
            question = next(found for found in grace.sees_only_since(mark) if "Deploy main" in found.buttons)
            await grace.click(question, "Deploy main")
            await slack.wait_for(lambda: "@ada locked acme/frontend main" in said(grace.sees_only_since(mark)))
            assert writes(one) == []


async def test_the_first_deploy_in_a_channel_offers_its_project_once(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        await types(team, team.ada, "deploy acme/frontend main")
        await types(team, team.grace, "deploy acme/frontend try/slow")
        assert not any(map(is_offer, team.grace.sees_only))
        (offer,) = filter(is_offer, team.ada.sees_only)
        await presses(team, team.ada, offer, "Use acme/frontend here")
        assert "This channel uses acme/frontend." in said(await types(team, team.grace, "status"))
