"""What a press brings: each button and each window once, by whoever may, by whoever may not, and a second time."""

from pathlib import Path
from typing import Any

from bot.models.slack import utc_now
from bot.watching.engine import END_LOCK
from tests.golden.playground import JobPlan, Message, Scenario, TestPlan, WorkflowPlan
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged

SLUG = "gh/acme/frontend"
# Seconds until such a build has failed. No scene takes a branch whose final reply another shows: they are compared.
UNTIL_FAILED, ONE_JOB = (5, 195, 66, 6), (5, 41, 6)
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----"


async def rerun_failed(stage: Stage) -> None:
    root = await stage.plays("release/v2.0", *UNTIL_FAILED)
    final = root.replies[-1]
    rerun = final.element("Rerun failed")
    await stage.presses("guest", final, rerun)
    await stage.presses("ada", final, rerun)
    await stage.presses("grace", final, rerun)
    await stage.passes(70)
    await stage.passes(250)
    await stage.passes(6)
    await stage.presses("grace", final, rerun)


async def rerun_fails_again(stage: Stage) -> None:
    plan = WorkflowPlan("build", (JobPlan("test", ends="failed", tests=failing(2)),))
    stage.team.circleci.world.set_scenario(SLUG, "fix/again", Scenario((plan,), rerun=(plan,)))
    root = await stage.plays("fix/again", 5, 31, 6)
    await stage.presses("ada", root.replies[-1], "Rerun failed")
    await stage.passes(35)
    await stage.passes(6)


async def rerun_all(stage: Stage) -> None:
    root = await stage.plays("try/parallel", *ONE_JOB)
    await stage.presses("guest", root, "Rerun all")
    await stage.presses("ada", root, "Rerun all")
    await stage.passes(46)
    await stage.passes(6)


async def cancel(stage: Stage) -> None:
    root = await stage.plays("try/slow", 60)
    button = root.element("Cancel #" + root.blocks[1]["elements"][0]["text"].rpartition("#")[2])
    await stage.presses("guest", root, button)
    await stage.presses("ada", root, button)
    await stage.presses("grace", root, button)
    await stage.passes(5)
    await stage.passes(6)
    await stage.presses("grace", root, button)


async def cancel_too_early(stage: Stage) -> None:
    """Ask before any workflow has begun, and press while a setup workflow, which ended, is all there was."""
    await stage.plays("try/late-workflow", 5)
    await stage.types("ada", f"cancel acme/frontend #{stage.team.circleci.world.pipelines[-1].number}")
    setup = WorkflowPlan("setup", (JobPlan("generate-config", seconds=10),), setup=True)
    later = WorkflowPlan("backend", (JobPlan("test"),), starts_after=60)
    stage.team.circleci.world.set_scenario(SLUG, "fix/setup", Scenario((setup, later)))
    root = await stage.plays("fix/setup", 5)
    cancel = root.element(root.buttons[0])
    await stage.moves_on(15)
    await stage.presses("ada", root, cancel)


async def cancel_job(stage: Stage) -> None:
    await stage.plays("try/slow", 60)
    number = stage.team.circleci.world.pipelines[-1].runs[0].job_numbers["test"]
    (told,) = await stage.types("ada", f"cancel acme/frontend {number}")
    await stage.presses("ada", told, f"Cancel test ({number})")
    await stage.moves_on(5)
    await stage.presses("ada", told, f"Cancel test ({number})")


async def approve(stage: Stage) -> None:
    root = await stage.plays("try/on-hold", 46)
    hold = root.replies[-1]
    approve = hold.element("Approve hold-prod")  # it is taken away once somebody has
    for name in ("guest", "ada", "grace"):
        await stage.presses(name, hold, approve)
    await stage.passes(31)
    await stage.passes(6)
    number = stage.team.circleci.world.pipelines[-1].number
    await stage.types("ada", f"approve acme/frontend #{number}")


async def approve_when_asked(stage: Stage) -> None:
    """Approve a build that nobody follows: she alone is told."""
    stage.team.circleci.world.trigger(SLUG, branch="hold/prod", parameters={}, by="push")
    await stage.moves_on(46)
    (told,) = await stage.types("grace", "approve acme/frontend hold/prod")
    await stage.presses("grace", told, "Approve hold-prod")
    await stage.types("grace", "approve acme/frontend hold/prod")


async def show_log(stage: Stage) -> None:
    root = await stage.plays("try/failing-tests", *UNTIL_FAILED)
    await stage.presses("grace", root.replies[-1], "Show log")
    without = await stage.plays("try/infrastructure", *ONE_JOB)
    await stage.presses("grace", without.replies[-1], "Show log")
    many = await stage.plays("try/ninety-failures", *ONE_JOB)
    await stage.presses("grace", many.replies[-1], "Show log")


async def show_what_was(stage: Stage) -> None:
    """Ask for what an attempt left behind while the build runs again, and after it has passed."""
    job = JobPlan("unit", ends="failed", tests=failing(11), artifacts=("junit.xml",), log=("11 failed",))
    stage.team.circleci.world.set_scenario(SLUG, "fix/cart", Scenario((WorkflowPlan("build", (job,)),)))
    root = await stage.plays("fix/cart", 5, 31, 6)
    final = root.replies[-1]
    log, tests = final.element("Show log"), final.element("Show all 11 failures")
    await stage.presses("ada", final, "Rerun failed")
    await stage.moves_on(10)
    for button in (log, tests):
        await stage.presses("grace", final, button)
    await stage.moves_on(30, 6)
    stored = root.element("Artifacts")
    await stage.presses("grace", final, tests)
    await stage.presses("ada", final, final.element("Rerun all"))
    await stage.moves_on(10)
    await stage.presses("grace", root, stored)


def failing(number: int) -> tuple[TestPlan, ...]:
    return tuple(TestPlan(f"test_{one:02}", "tests/test_cart.py", f"expected {one}, got 0") for one in range(number))


async def show_tests(stage: Stage) -> None:
    job = JobPlan("unit", ends="failed", tests=failing(47))
    stage.team.circleci.world.set_scenario(SLUG, "fix/cart", Scenario((WorkflowPlan("build", (job,)),)))
    root = await stage.plays("fix/cart", 5, 31, 6)
    final = root.replies[-1]
    await stage.presses("grace", final, "Show all 47 failures")


async def show_artifacts(stage: Stage) -> None:
    root = await stage.plays("try/green", 5, 41, 20, 6)
    await stage.presses("grace", root, "Artifacts")
    without = await stage.plays("try/automatic-rerun", 5, 50, 50, 6)
    of_before = {"value": f'{{"pipeline_id":"{stage.team.circleci.world.pipelines[-1].id}"}}'}
    await stage.presses("grace", without, {**root.element("Artifacts"), **of_before})


async def send_log(stage: Stage) -> None:
    lines = tuple(f"line {number}" for number in range(200))
    job = JobPlan("test", ends="failed", log=lines)
    stage.team.circleci.world.set_scenario(SLUG, "fix/cart", Scenario((WorkflowPlan("build", (job,)),)))
    await stage.plays("fix/cart", 5, 31, 6)
    number = stage.team.circleci.world.pipelines[-1].runs[0].job_numbers["test"]
    (told,) = await stage.types("ada", f"logs acme/frontend {number}", "deploys")
    await stage.presses("ada", told, "Post the whole log here")


async def run_command(stage: Stage) -> None:
    (hello,) = await stage.types("ada", "hello", "deploys")
    await stage.presses("ada", hello, "How to deploy")
    await stage.plays("main", 5, 60, 6)
    (told,) = await stage.types("ada", "deploy acme/frontend maim", "deploys")
    await stage.presses("ada", told, "Deploy main")


async def nobody_hears(stage: Stage) -> None:
    """Deploy from a channel that the bot is not in, have it invited, and press what stood there before."""
    (asked,) = await stage.types("ada", "deploy acme/backend try/green env=prod", "random")
    (how,) = await stage.presses("ada", asked, "Invite me")
    (anew,) = await stage.presses("ada", how, "Deploy try/green here")
    workspace = stage.team.slack.workspace
    workspace.channel("random").members.append(workspace.bot_user_id)
    await stage.presses("ada", how, "Deploy try/green here")
    await stage.presses("ada", anew, "Tell me in direct messages")
    await stage.presses("ada", anew, "Invite me")
    await stage.types("grace", "watch acme/backend try/green", "random")
    workspace.channel("random").members.remove(workspace.bot_user_id)


async def deploy_again(stage: Stage) -> None:
    root = await stage.plays("try/no-workflow", 5, 120)
    await stage.presses("ada", root, "Deploy try/no-workflow again")
    await stage.presses("grace", root, "Deploy try/no-workflow again")


async def choose_definition(stage: Stage) -> None:
    (told,) = await stage.types("ada", "deploy circleci/5e0c5f62/9f1c2d7a main", "deploys")
    await stage.presses("ada", told, "nightly")
    await stage.presses("ada", told, "build")
    await stage.passes(5)


async def skip_ci(stage: Stage) -> None:
    await stage.types("ada", "deploy acme/frontend try/skip-ci", "deploys")


async def locks(stage: Stage) -> None:
    await stage.types("grace", "lock acme/frontend:main hotfix")
    (refused,) = await stage.types("ada", "deploy acme/frontend main", "deploys")
    await stage.presses("ada", refused, "Ask for it")
    await stage.presses("ada", refused, "Ask for it")
    (held,) = await stage.types("admin", "lock acme/frontend:main mine")
    await stage.presses("admin", held, "Tell me when it ends")
    await stage.presses("admin", held, "Tell me when it ends")
    await stage.presses("ada", refused, "Tell me when it ends")
    (taken,) = await stage.presses("ada", refused, "Take over")
    await stage.presses("admin", held, "Take over")
    await stage.presses("ada", taken, "Deploy main")
    (by_now,) = await stage.presses("grace", direct(stage, "grace", "Unlock"), "Unlock")
    await stage.presses("grace", by_now, "Unlock")
    await stage.presses("ada", taken, "Unlock")
    await stage.presses("ada", refused, "Take over")
    await stage.presses("ada", refused, "Ask for it")
    await stage.presses("ada", refused, "Tell me when it ends")


def direct(stage: Stage, name: str, button: str) -> Message:
    return next(one for one in stage.team.slack.person(name).direct_messages if button in one.buttons)


async def lock_ends(stage: Stage) -> None:
    await stage.types("grace", "lock acme/frontend main 2h migration", "deploys")
    (refused,) = await stage.types("ada", "deploy acme/frontend main env=prod", "deploys")
    await stage.presses("ada", refused, "Tell me when it ends")
    locks = stage.team.app.store.locks
    (held,) = (await locks.all())[0]
    await locks.take(held, held.model_copy(update={"until": utc_now()}))
    await stage.comes_to(END_LOCK, "two hours go by")


async def lock_refuses_a_button(stage: Stage) -> None:
    root = await stage.plays("try/no-workflow", 5, 120)
    await stage.types("grace", "lock acme/frontend incident 42")
    await stage.presses("ada", root, "Deploy try/no-workflow again")
    await stage.types("grace", "unlock acme/frontend")


async def old_button(stage: Stage) -> None:
    root = await stage.plays("try/green", 5, 41, 20, 6)
    await stage.presses("ada", root, {**root.element("Artifacts"), "action_id": "from_another_time"})
    await stage.presses("ada", root, {**root.element("Artifacts"), "value": "{}"})


async def open_link(stage: Stage) -> None:
    root = await stage.plays("try/config-error", 5)
    await stage.presses("ada", root, "Open in CircleCI")


async def webhook(stage: Stage) -> None:
    (told,) = await stage.types("admin", "webhook acme/frontend")
    await stage.presses("admin", told, "Set up the webhook")
    await stage.types("admin", "webhook acme/frontend")
    await stage.types("admin", "webhook acme/backend")
    for number in range(5):
        scope = {"id": stage.team.circleci.world.projects["gh/acme/cli"].id, "type": "project"}
        stage.team.circleci.webhooks.append(
            {**stage.team.circleci.webhooks[0], "url": f"https://{number}", "scope": scope}
        )
    await stage.types("admin", "webhook acme/cli")


async def variable(stage: Stage) -> None:
    (told,) = await stage.types("admin", "env set acme/frontend DEPLOY_TOKEN")
    view = await stage.opens("admin", told, "Type the value")
    await stage.fills_in("admin", view, {"value": "hunter2"})
    await stage.types("admin", "env acme/frontend")
    await stage.types("admin", "env acme/frontend DEPLOY_TOKEN")
    (told,) = await stage.types("admin", "env remove acme/frontend DEPLOY_TOKEN")
    remove = told.element("Remove DEPLOY_TOKEN")
    await stage.presses("admin", told, remove)
    await stage.presses("admin", told, remove)


async def variable_in_doubt(stage: Stage) -> None:
    (told,) = await stage.types("admin", "env set acme/frontend DEPLOY_TOKEN")
    stage.team.circleci.faults.add("POST", "*/envvar", status=500, body={"message": "hunter2"})
    view = await stage.opens("admin", told, "Type the value")
    await stage.fills_in("admin", view, {"value": "hunter2"})


async def checkout_key(stage: Stage) -> None:
    (told,) = await stage.types("admin", "keys add acme/frontend deploy-key")
    await stage.presses("admin", told, "Add deploy-key")
    await stage.types("admin", "keys acme/frontend")
    fingerprint = stage.team.circleci.classic.keys[SLUG][0]["fingerprint"]
    await stage.types("admin", f"keys show acme/frontend {fingerprint}")
    (told,) = await stage.types("admin", f"keys remove acme/frontend {fingerprint}")
    remove = told.element("Remove this key")
    await stage.presses("admin", told, remove)
    await stage.presses("admin", told, remove)


async def ssh_key(stage: Stage) -> None:
    (told,) = await stage.types("admin", "ssh-key add acme/frontend")
    for value in (
        {"private_key": "no key"},
        {"hostname": "prod.acme.example", "private_key": KEY},
        {"private_key": KEY},
    ):
        view = await stage.opens("admin", told, "Paste the key")
        await stage.fills_in("admin", view, value)


async def heroku_key(stage: Stage) -> None:
    (told,) = await stage.types("admin", "heroku-key add")
    for takes in (False, True):
        stage.team.circleci.classic.takes_heroku_keys = takes
        view = await stage.opens("admin", told, "Paste the key")
        await stage.fills_in("admin", view, {"key": "hunter2"})


async def agent(stage: Stage) -> None:
    await stage.types("ada", "agents", "deploys")
    for line in ("add", "add my_laptop", "add laptop words=approve", "add laptop days=999", "add laptop own", "dance"):
        await stage.types("ada", f"agent {line}", "deploys")
    (told,) = await stage.types("ada", "agent add laptop words=deploy,rerun days=30", "deploys")
    await stage.fills_in("ada", await stage.opens("ada", told, "Make the agent"), {})
    await stage.types("grace", "agent add laptop", "deploys")
    await stage.types("ada", "agents", "deploys")
    (told,) = await stage.types("admin", "agent add release-bot own channel=#deploys words=read", "general")
    await stage.fills_in("admin", await stage.opens("admin", told, "Make the agent"), {})
    await stage.types("stranger", "agent add theirs", "deploys")
    await stage.types("admin", "agents", "deploys")
    await stage.types("ada", "agent remove release-bot", "deploys")
    (told,) = await stage.types("admin", "agent remove laptop", "deploys")
    remove = told.element("Remove laptop")
    await stage.presses("grace", told, remove)
    await stage.presses("admin", told, remove)
    await stage.presses("admin", told, remove)
    await stage.types("admin", "agent remove laptop", "deploys")


async def cache(stage: Stage) -> None:
    (told,) = await stage.types("admin", "cache clear acme/frontend")
    clear = told.element("Clear the caches")
    for has_one in (False, True):
        stage.team.circleci.classic.has_build_cache = has_one
        await stage.presses("admin", told, clear)


async def recent(stage: Stage) -> None:
    await stage.plays("try/failing-tests", *UNTIL_FAILED)
    await stage.plays("try/green", 5)
    await stage.types("ada", "recent")
    await stage.types("ada", "recent acme/cli")


async def projects(stage: Stage) -> None:
    await stage.types("ada", "projects")
    await stage.types("ada", "projects front")
    await stage.types("ada", "projects zzz")


async def in_a_thread(stage: Stage) -> None:
    root = await stage.plays("try/timed-out-step", *ONE_JOB)
    for text in ("help", "status", "why-red", "unwatch", "dance"):
        await stage.mentions("grace", text, root)
    await stage.mentions("grace", "status", "general")


async def in_an_old_thread(stage: Stage) -> None:
    """Say in the thread of a build what is meant for its branch, perhaps, which was built anew since."""
    plans = (
        WorkflowPlan("checks", (JobPlan("test", ends="failed"),)),
        WorkflowPlan("release", (JobPlan("hold", approval=True),)),
    )
    stage.team.circleci.world.set_scenario(SLUG, "fix/old", Scenario(plans))
    root = await stage.plays("fix/old", 5, 31)
    await stage.plays("fix/old", 5)
    for text in ("approve", "cancel"):
        await stage.mentions("grace", text, root)
    (told,) = await stage.mentions("grace", "rerun", root)
    await stage.presses("grace", told, told.buttons[0])


async def direct_messages(stage: Stage) -> None:
    stage.notes("ada opens the direct messages with the bot")
    await stage.answers("ada", stage.team.ada.open_messages())
    await stage.writes("ada", "status acme/frontend nowhere")
    await stage.writes("ada", "deploy acme/frontend try/green")
    await stage.passes(5)
    await stage.writes("ada", "help")


async def not_all_of_it(stage: Stage) -> None:
    await stage.plays("try/setup", 5, 20, 61, 6)
    numbers = stage.team.circleci.world.pipelines[-1].runs[1].job_numbers
    stage.team.circleci.faults.add("GET", f"*/{numbers['test']}/tests", status=503, times=3)
    (told,) = await stage.types("ada", "tests acme/frontend try/setup")
    await stage.presses("ada", told, "Ask again")


async def artifact_get(stage: Stage) -> None:
    await stage.mentions("ada", "artifacts get acme/cli main linux-amd64", "deploys")


async def shared(stage: Stage) -> None:
    plan = WorkflowPlan("build", (JobPlan("test", ends="failed"),))
    stage.team.circleci.world.set_scenario(SLUG, "fix/shared", Scenario((plan,)))
    await stage.plays("fix/shared", *ONE_JOB)
    (told,) = await stage.types("ada", "status acme/frontend fix/shared", "deploys")
    share = told.element("Share here")
    await stage.presses("ada", told, share)
    stage.shows(told)
    await stage.presses("ada", told, share)
    (told,) = await stage.types("ada", "locks", "random")
    await stage.presses("ada", told, "Share here")


async def before_all(stage: Stage) -> None:
    """Ask by mention for more than fits before everybody, and for what the channel is told anyway."""
    plan = WorkflowPlan("build", tuple(JobPlan(f"test-{number}", seconds=10) for number in range(1, 25)))
    stage.team.circleci.world.set_scenario(SLUG, "try/wall", Scenario((plan,)))
    root = await stage.plays("try/wall", 5, 31, 6)
    await stage.mentions("grace", "status", root)
    await stage.presses("ada", stage.newest("Show me more"), "Show me more")
    await stage.mentions("grace", "lock acme/frontend try/wall database migration", root)
    await stage.mentions("ada", "locks", "deploys")
    await stage.mentions("grace", "unlock acme/frontend try/wall", "deploys")
    await stage.mentions("grace", "lock acme/frontend:try/walls", "deploys")
    await stage.mentions("grace", "unlock acme/frontend:try/walls", root)


SCENES: dict[str, Scene] = {
    "answer-recent": recent,
    "answer-projects": projects,
    "answer-in-a-thread": in_a_thread,
    "answer-in-direct-messages": direct_messages,
    "answer-not-all-of-it": not_all_of_it,
    "answer-artifacts-get": artifact_get,
    "course-skip-ci": skip_ci,
    "press-rerun-failed": rerun_failed,
    "press-rerun-fails-again": rerun_fails_again,
    "press-rerun-all": rerun_all,
    "press-cancel": cancel,
    "press-cancel-too-early": cancel_too_early,
    "press-cancel-job": cancel_job,
    "press-approve": approve,
    "press-approve-when-asked": approve_when_asked,
    "press-show-log": show_log,
    "press-show-what-was": show_what_was,
    "press-show-tests": show_tests,
    "press-show-artifacts": show_artifacts,
    "press-whole-log": send_log,
    "press-run-command": run_command,
    "press-where-nobody-hears": nobody_hears,
    "press-deploy-again": deploy_again,
    "press-choose-definition": choose_definition,
    "press-locks": locks,
    "press-lock-ends": lock_ends,
    "press-deploy-again-locked": lock_refuses_a_button,
    "press-old-button": old_button,
    "press-open-link": open_link,
    "press-webhook": webhook,
    "press-variable": variable,
    "press-variable-in-doubt": variable_in_doubt,
    "press-checkout-key": checkout_key,
    "press-ssh-key": ssh_key,
    "press-heroku-key": heroku_key,
    "press-clear-cache": cache,
    "answer-in-an-old-thread": in_an_old_thread,
    "answer-before-all": before_all,
    "press-share": shared,
    "answer-agent": agent,
}


async def test_every_press_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    settings: dict[str, Any] = {"circleci_webhook_secret": "webhook-secret", "public_url": "https://ci.acme.example"}
    async with staged(tmp_path, admins=("U0ADMIN",), agents=True, **settings) as stage:
        said = await played(stage, SCENES)
    compare(said, anew=golden)
