"""What is asked before a deploy: a second person, the target typed, a word over a red branch."""

from pathlib import Path

from bot.models.circleci import PipelineId
from bot.watching.engine import EXPIRE
from tests.golden.playground import Message
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged
from tests.operations.agents import deployment, made, speaking, waits
from tests.stories.test_gate import POLICY as WITHOUT_CANCELS

CANCELS = '[[rules]]\nname = "admins cancel"\nroles = ["admins"]\nwords = ["cancel"]\n'
POLICY = f"{WITHOUT_CANCELS}\n{CANCELS}"
MAIN, HOLD, RELEASE = "acme/frontend main", "acme/frontend hold/prod", "acme/frontend release/v2.0"


async def asked(stage: Stage, text: str = f"deploy {MAIN}") -> Message:
    await stage.types("ada", text, "deploys")
    return stage.newest("Agree and deploy")


async def agree(stage: Stage) -> None:
    request = await asked(stage, f"deploy {MAIN} env=prod")
    button = request.element("Agree and deploy")
    for name in ("ada", "guest", "grace", "admin"):
        await stage.presses(name, request, button)


async def agree_knowing_the_commits(stage: Stage) -> None:
    world = stage.team.circleci.world
    world.trigger("gh/acme/frontend", branch="main", parameters={}, by="ken")
    await stage.moves_on(70)
    for author in ("linus", "barbara"):
        world.trigger("gh/acme/frontend", branch="main", parameters={}, by=author)
    request = await asked(stage)
    await stage.presses("grace", request, "Agree and deploy")


async def agree_in_vain(stage: Stage) -> None:
    request = await asked(stage)
    stage.team.circleci.faults.add("POST", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    await stage.presses("grace", request, "Agree and deploy")


async def agree_under_a_lock(stage: Stage) -> None:
    request = await asked(stage)
    await stage.types("admin", "lock acme/frontend:main incident")
    await stage.presses("grace", request, "Agree and deploy")
    await stage.types("admin", "unlock acme/frontend:main")
    await stage.presses("grace", request, "Agree and deploy")


async def agree_to_all_of_it(stage: Stage) -> None:
    note = "it goes out before the fair, " * 12
    await stage.types("ada", f'deploy {MAIN} note="{note}" dry_run=false target=production-eu', "deploys")


async def agree_to_a_definition(stage: Stage) -> None:
    (which,) = await stage.types("ada", "deploy circleci/5e0c5f62/9f1c2d7a main", "deploys")
    await stage.presses("ada", which, "nightly")


async def decline(stage: Stage) -> None:
    request = await asked(stage)
    agree = request.element("Agree and deploy")
    view = await stage.opens("grace", request, "Decline")
    await stage.fills_in("grace", view, {"reason": "The freeze lasts until Monday"})
    await stage.presses("admin", request, agree)


async def expire(stage: Stage) -> None:
    await asked(stage)
    stage.notes("nobody presses, until it is too late")
    await stage.pulls_forward(EXPIRE)
    stage.notes_news()


async def type_it(stage: Stage) -> None:
    (told,) = await stage.types("ada", f"deploy {HOLD}", "deploys")
    for typed in ("hold/pord", "hold/prod"):
        view = await stage.opens("ada", told, "Type it")
        await stage.fills_in("ada", view, {"typed": typed})
    await stage.presses("ada", told, "Type it")


async def looks_alike(stage: Stage) -> None:
    (slip,) = await stage.types("ada", "deploy acme/frontend hold/\u0440rod", "deploys")
    await stage.presses("ada", slip, "Deploy it anyway")
    await stage.types("ada", "lock acme/frontend:hold/\u0440rod migration", "deploys")


async def over_red(stage: Stage) -> None:
    stage.team.circleci.world.trigger("gh/acme/frontend", branch="release/v2.0", parameters={}, by="barbara")
    await stage.moves_on(5, 195, 66, 6)
    await stage.types("ada", f"deploy {RELEASE}", "deploys")  # who may not approve is offered nothing to press
    (told,) = await stage.types("admin", f"deploy {RELEASE}", "deploys")
    await stage.presses("admin", told, "Deploy all the same")


async def beside(stage: Stage) -> None:
    await stage.types("ada", "deploy acme/frontend try/slow env=prod", "deploys")
    (told,) = await stage.types("grace", "deploy acme/frontend try/slow", "deploys")
    await stage.presses("grace", told, "Deploy it all the same")


async def agent(stage: Stage) -> None:
    laptop, hostile = await made(stage.team, stage.team.grace), "<!channel> *look* at `this` <https://evil.example|log>"
    stage.notes("grace's agent asks to deploy acme/frontend try/green")
    why = f"{hostile} {'and so on ' * 40}"
    await waits(stage.team.app.operations.deploy(speaking(laptop, "mcp:1", why), deployment("try/green", env="prod")))
    stage.notes_news()
    await stage.presses("grace", stage.newest("Agree and deploy"), "Agree and deploy")
    await stage.types("admin", "audit acme/frontend 1h")


async def agent_and_a_second_person(stage: Stage) -> None:
    desk = await made(stage.team, stage.team.grace, "desk")
    stage.notes("grace's agent asks to deploy acme/frontend main")
    await waits(stage.team.app.operations.deploy(speaking(desk, "mcp:2"), deployment("main")))
    stage.notes_news()
    request = stage.newest("Agree and deploy")
    await stage.presses("grace", request, "Agree and deploy")
    view = await stage.opens("admin", request, "Decline")
    await stage.fills_in("admin", view, {"reason": "The freeze lasts until Monday"})


async def agent_that_is_gone(stage: Stage) -> None:
    gone = await made(stage.team, stage.team.slack.person("admin"), "gone")
    await stage.plays("try/slow", 60)
    build = stage.team.circleci.world.pipelines[-1]
    stage.notes(f"admin's agent asks to cancel acme/frontend #{build.number}")
    await waits(stage.team.app.operations.cancel(speaking(gone, "mcp:3"), PipelineId(build.id)))
    stage.notes_news()
    await stage.team.app.store.agents.remove(gone)
    stage.notes("somebody removes the agent")
    await stage.presses("admin", stage.newest("Agree and cancel"), "Agree and cancel")


async def sign(stage: Stage) -> None:
    for name, text in (
        ("ada", "deploy acme/frontend try/slow env=prod"),
        ("ada", "status acme/frontend"),
        ("stranger", "deploy acme/frontend try/slow"),
    ):
        await stage.types_and_sees_the_sign(name, text, "deploys")


async def in_direct_messages(stage: Stage) -> None:
    await stage.writes("ada", f"deploy {MAIN}")


async def why(stage: Stage) -> None:
    for target in (MAIN, HOLD, RELEASE):
        await stage.types("ada", f"why deploy {target}")
    await stage.types("ada", f"why approve {MAIN}")


async def webhook(stage: Stage) -> None:
    await stage.types("admin", "webhook acme/frontend")


SCENES: dict[str, Scene] = {
    "gate-agree": agree,
    "gate-agree-knowing-the-commits": agree_knowing_the_commits,
    "gate-agree-in-vain": agree_in_vain,
    "gate-agree-under-a-lock": agree_under_a_lock,
    "gate-decline": decline,
    "gate-expire": expire,
    "gate-type-it": type_it,
    "gate-looks-alike": looks_alike,
    "gate-over-red": over_red,
    "gate-beside": beside,
    "answer-sign": sign,
    "gate-in-direct-messages": in_direct_messages,
    "gate-agree-to-all-of-it": agree_to_all_of_it,
    "gate-agree-to-a-definition": agree_to_a_definition,
    "gate-why": why,
    "answer-webhook-not-set-up": webhook,
    "gate-agent": agent,
    "gate-agent-and-a-second-person": agent_and_a_second_person,
    "gate-agent-that-is-gone": agent_that_is_gone,
}


async def test_every_question_before_a_deploy_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    async with staged(tmp_path / "data", policy_file=policy, admins="U0ADMIN") as stage:
        said = await played(stage, SCENES)
    compare(said, anew=golden)
