"""Each course of the playground: its root as it ended, and every reply in its thread, in order."""

from pathlib import Path

from tests.golden import transcript
from tests.golden.playground import COURSES, Message
from tests.golden.records import compare
from tests.golden.stage import Stage, staged

# It starts nothing, and only where a definition is run: it is among the presses.
PLAYED = [name for name in COURSES if name != "skip-ci"]
# The bot looks so many seconds after they were all triggered.
LOOKS = (5, 20, 28, 34, 46, 52, 66, 72, 84, 90, 100, 106, 122, 196, 266, 272, 606, 612)


async def test_every_course_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path, past=True) as stage:
        roots = {name: await deployed(stage, name) for name in PLAYED}
        now = 0
        for second in LOOKS:
            await stage.moves_on(second - now)
            now = second
            if second == 46:
                held = next(reply for reply in roots["on-hold"].replies if "Approve hold-prod" in reply.buttons)
                await stage.presses("ada", held, "Approve hold-prod")
        compare({f"course-{name}": told(stage, name, root) for name, root in roots.items()}, anew=golden)


async def deployed(stage: Stage, name: str) -> Message:
    await stage.types("ada", f"deploy acme/frontend try/{name}", "deploys")
    return stage.team.deploys.roots[-1]


def told(stage: Stage, name: str, root: Message) -> str:
    """Return a course's whole thread, numbered as if nothing else had been built."""
    lines = [f"{COURSES[name]}.", "", f"» ada types: /ci deploy acme/frontend try/{name}", ""]
    for message in (root, *root.replies):
        lines += [*transcript.standing(message), ""]
    started = [one for one in stage.team.circleci.world.pipelines if one.branch == f"try/{name}"]
    return transcript.renumbered("\n".join(lines), started, started[0].created_at)
