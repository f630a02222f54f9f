"""Text that somebody made to be slow, broken or huge: what a build prints and names, and what is said to the bot."""

from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan

LONE = "\ud83d"  # half of an emoji, as a title that was cut has it
LINES = (
    "eyJ-" * 60_000,
    "-----BEGIN A PRIVATE KEY-----" * 4_000,
    "\x1b]0;" * 30_000,
    "https://a:" * 20_000,
    "authorization: " * 20_000,
    "a\b" * 50_000,
    "\u202e\u200b" * 40_000,
    f"{LONE}👩‍👩‍👧" * 10_000,
    "*_~`" * 40_000,
    "FAILED " * 30_000,
)
# What Slack carries at the most is told to be too long; what is shorter is taken apart.
SAID = (
    'x="=' * 999,
    'deploy x="="' + "=" * 3_900,
    "“" * 3_999,
    "<http://" * 480,
    "env " * 999,
    "🤖" * 1_900,
    "a" * 12_000,
)
COURSE = Scenario(
    (
        WorkflowPlan(
            f"build {LONE} <!channel>",
            (
                JobPlan(
                    f"unit {LONE} *tests*",
                    ends="failed",
                    tests=tuple(TestPlan(f"test_{number}{LONE}", line[:40], line) for number, line in enumerate(LINES)),
                    artifacts=("<!here>.html", "*_~`\u202e.txt"),
                    log=LINES,
                ),
            ),
        ),
    )
)
