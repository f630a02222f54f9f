"""What is answered to every command: where it does as asked, where it finds nothing, and where it refuses."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.golden.records import compare
from tests.golden.stage import Stage, staged

# Built before anybody asks, in this order: #2417 and so on. {failing-tests/unit-tests} is the number of that job.
BUILT = ("green", "failing-tests", "on-hold", "timed-out-step", "slow")
LOOKS = (5, 41, 6, 14, 6, 126, 70, 6)  # seconds, until all but the slow one have come to an end

# Help, for which CircleCI is asked for nothing: where nothing is known of a project, and in a channel at work.
HELPING: dict[str, tuple[str, tuple[str, ...]]] = {
    "answer-help": (
        "general",
        (
            "ada: ",
            "guest: help",
            "ada: help all",
            "guest: help all",
            "admin: help all",
            "ada: help deploy",
            "guest: deploy acme/frontend --help",
            "ada: heroku-key --help",
            "ada: help dance",
        ),
    ),
    "answer-help-here": ("deploys", ("ada: ", "guest: ", "ada: ship help", "guest: help all")),
}
# Who says what. What only looks is here, and what is refused before anything happens.
LOOKING: dict[str, tuple[str, ...]] = {
    "answer-hello": ("ada: hello",),
    "answer-unknown-word": ("ada: deplyo acme/frontend main", "ada: ship acme/frontend", "ada: xyzzy"),
    "answer-sentence": (
        "ada: how is acme/frontend try/slow doing?",
        "ada: could you ship acme/frontend try/slow please?",
        "ada: which tests keep failing in acme/frontend try/failing-tests and who did it",
        "ada: is it green",
        "ada: ship it",
        "ada: retry",
        "ada: nobody deploys acme/cli for now",
        "ada: what waits for approval in acme/frontend?",
        "ada: is acme/frontend relase/v2.0 green?",
        "guest: please deploy acme/frontend main",
        "ada: something with the failed build of acme/frontend try/slow",
        "guest: something with the failed build of acme/frontend try/slow",
        "ada: tell me a joke",
    ),
    "answer-status": (
        "ada: status acme/frontend try/failing-tests",
        "ada: status acme/frontend #2418",
        "ada: status acme/frontend #2419",
        "ada: status acme/frontend try/slow",
        "ada: status acme/frontend {on-hold/test}",
        "ada: status acme/frontend #1",
        "ada: status acme/frontend relase/v2.0",
        "ada: status acme/frontend tag:v9",
        "ada: status acme/nothing",
        "ada: status",
        "ada: status https://app.circleci.com/pipelines/github/acme/frontend/2417",
    ),
    "answer-tests": (
        "ada: tests acme/frontend try/failing-tests",
        "ada: tests acme/frontend #2417",
        "ada: tests acme/frontend {failing-tests/unit-tests}",
        "ada: tests acme/cli #2402",
        "ada: tests acme/frontend 1",
    ),
    "answer-build": (
        "ada: job acme/frontend {failing-tests/unit-tests}",
        "ada: build acme/frontend {slow/test}",
        "ada: build acme/frontend 7",
        "ada: build acme/frontend",
    ),
    "answer-logs": (
        "ada: logs acme/frontend {failing-tests/unit-tests}",
        'ada: logs acme/frontend {failing-tests/unit-tests} "Run tests"',
        "ada: logs acme/frontend {failing-tests/unit-tests} nonsense",
        "ada: logs acme/frontend {green/test}",
        "ada: logs acme/frontend try/slow",
        "ada: logs acme/frontend try/on-hold",
        "ada: logs acme/frontend 7",
        "ada: logs acme/frontend",
    ),
    "answer-artifacts": (
        "ada: artifacts acme/cli",
        "ada: artifacts acme/cli main",
        "ada: artifacts acme/cli main linux",
        "ada: artifacts acme/cli main windows",
        "ada: artifacts acme/cli #2403",
        "ada: artifacts acme/frontend #2419",
        "ada: artifacts acme/frontend try/failing-tests",
        "ada: artifacts get acme/cli main linux",
        "ada: artifacts get acme/cli",
    ),
    "answer-me": ("ada: me",),
    "answer-mine": ("ada: mine", "ada: what did I deploy?", "grace: meine Builds", "ada: mine acme/frontend"),
    "answer-triage": (
        "ada: triage acme/frontend try/failing-tests",
        "ada: triage acme/frontend try/timed-out-step",
        "ada: triage acme/frontend try/green",
        "ada: triage acme/frontend try/slow",
        "ada: triage acme/frontend nowhere",
    ),
    "answer-flaky": (
        "ada: flaky acme/backend main",
        "ada: flaky acme/frontend main last=40",
        "ada: flaky acme/frontend try/green",
        "ada: flaky acme/frontend nowhere",
        "ada: flaky acme/backend last=1000",
    ),
    "answer-why-red": (
        "ada: why-red acme/frontend try/failing-tests",
        "ada: why-red acme/backend",
        "ada: why-red acme/frontend",
        "ada: why-red acme/frontend try/green",
        "ada: why-red acme/frontend nowhere",
    ),
    "answer-why": (
        "ada: may deploy acme/frontend main",
        "admin: why deploy acme/frontend pull/7",
        "ada: why deploy acme/frontend m\u0430in",
        "ada: why lock acme/frontend",
        "ada: why audit",
        "ada: why secrets acme/frontend",
        "admin: why secrets acme/frontend",
        "guest: why rerun",
        "ada: why dance",
        "ada: may",
    ),
    "answer-doctor": ("admin: doctor", "ada: doctor"),
    "answer-webhook": ("admin: webhook acme/frontend", "admin: webhook", "ada: webhook acme/frontend"),
    "answer-typed-secret": (
        "admin: env set acme/frontend DEPLOY_TOKEN hunter2",
        "admin: env set acme/frontend DEPLOY_TOKEN=hunter2",
        "admin: ssh-key add acme/frontend hunter2",
        "admin: heroku-key add hunter2",
        "admin: -----BEGIN OPENSSH PRIVATE KEY-----",
        "admin: please set the env var DEPLOY_TOKEN of acme/frontend to hunter2",
        f"ada: deploy acme/frontend {'ghp_' + 'a1B2' * 9}",
        "ada: status https://circleci.com/api/v1.1/project/gh/acme/cli/7/artifacts?circle-token=hunter2",
    ),
    "answer-env": (
        "admin: env acme/frontend",
        "admin: env set acme/frontend DEPLOY_TOKEN",
        "admin: env remove acme/frontend DEPLOY_TOKEN",
        "admin: env acme/frontend DEPLOY_TOKEN",
        "admin: env set acme/frontend",
        "admin: env set acme/frontend what?",
        "admin: env",
        "ada: env acme/frontend",
    ),
    "answer-keys": (
        "admin: keys acme/frontend",
        "admin: keys add acme/frontend deploy-key",
        "admin: keys add acme/frontend user-key",
        "admin: keys add acme/frontend",
        "admin: keys show acme/frontend",
        "admin: keys show acme/frontend c9:0b:1c",
        "admin: keys",
        "ada: keys acme/frontend",
    ),
    "answer-ssh-key": ("admin: ssh-key add acme/frontend", "admin: ssh-key", "ada: ssh-key add acme/frontend"),
    "answer-heroku-key": ("admin: heroku-key add", "admin: heroku-key", "ada: heroku-key add"),
    "answer-cache": ("ada: cache clear acme/frontend", "ada: cache", "guest: cache clear acme/frontend"),
    "answer-approve": (
        "ada: approve acme/frontend try/on-hold",
        "ada: approve acme/frontend try/green",
        "ada: approve acme/frontend nowhere",
        "guest: approve acme/frontend try/on-hold",
    ),
    "answer-cancel": (
        "ada: cancel acme/frontend try/slow",
        "ada: cancel acme/cli",
        "ada: cancel acme/frontend {slow/test}",
        "ada: cancel acme/frontend {green/test}",
        "ada: cancel acme/frontend nowhere",
        "guest: cancel acme/frontend try/slow",
    ),
    # What a lock does to a deploy, and its buttons: the presses.
    "answer-lock": (
        "grace: lock acme/frontend:main database migration, ask me first",
        "grace: lock acme/frontend:main",
        "grace: lock acme/frontend main 2h",
        "grace: lock acme/frontend main until tomorrow 9:00 incident 42",
        "grace: lock acme/frontend main until I am back",
        "ada: lock acme/frontend:main mine",
        "ada: lock acme/backend",
        "ada: lock acme/frontend on main 2h",
        "ada: lock acme/frontend try/slow again",
        "ada: lock acme/frontend main",
        "ada: lock acme/frontend:TRY/parallel",
        "ada: lock acme/frontend:",
        "ada: lock acme/nowhere",
        "ada: lock",
        "guest: lock acme/frontend",
    ),
    "answer-locks": ("ada: locks",),
    "answer-unlock": (
        "ada: unlock acme/frontend:main",
        "ada: unlock acme/frontend:main",
        "ada: unlock acme/backend",
        "ada: unlock acme/frontend main",
        "ada: unlock acme/frontend why not",
        "ada: locks",
    ),
    "answer-audit": (
        "admin: audit acme/backend 7d",
        "admin: audit acme/cli 12h",
        "admin: audit yesterday",
        "ada: audit",
    ),
}
# What begins something, or brings something into the channel: said in #deploys.
DOING: dict[str, tuple[str, ...]] = {
    "answer-deploy": (
        "ada: deploy",
        "ada: deploy acme/nothing main",
        "ada: deploy acme/frontend relase/v2.0",
        "ada: deploy acme/frontend tag:v9",
        "ada: deploy acme/frontend main extra words",
        "ada: deploy acme/frontend main to production",
        "ada: deploy acme/frontend #2417 env=prod",
        "ada: deploy acme/frontend env=prod",
        "ada: deploy acme/frontend tag=v2.0",
        "ada: deploy https://github.com/acme/frontend/blob/main/a.py",
        "ada: deploy https://github.com/acme/frontend/pull/12",
        "ada: deploy acme/frontend main env=",
        "guest: deploy acme/frontend main",
        "stranger: deploy acme/frontend main",
        "ada: deploy acme/frontend tag:v2.0 env=prod",
        "ada: deploy acme/frontend main definition:nightly",
        "ada: deploy circleci/5e0c5f62/9f1c2d7a main definition:weekly",
        "ada: deploy circleci/5e0c5f62/9f1c2d7a definition:nightly",
        "ada: deploy circleci/5e0c5f62/9f1c2d7a main Definition:Nightly",
        "ada: deploy acme/frontend",
    ),
    "answer-again": ("ada: again", "ada: again env=prod", "ada: again main", "grace: again"),
    "answer-rerun": (
        "ada: rerun acme/frontend try/slow",
        "ada: rerun acme/frontend #2420 everything",
        "ada: rerun acme/frontend #2420 all failed",
        "ada: rerun acme/frontend #2417 ssh",
        "admin: rerun acme/frontend #2417 ssh",
        "ada: rerun acme/frontend nowhere",
        "guest: rerun acme/frontend #2420",
        "ada: rerun acme/frontend #2420",
        "ada: rerun acme/frontend #2420",
    ),
    "answer-watch": (
        "ada: watch acme/cli main",
        "ada: watch acme/cli #2402",
        "ada: watch acme/frontend #2421",
        "ada: watch acme/frontend nowhere",
        "ada: watch",
    ),
    "answer-short-names": (
        "ada: status frontend try/green",
        "ada: status fronted",
        "ada: deploy frontend",
        "ada: deploy main to frontend env=prod",
        "ada: deploy fronted try/green",
        "ada: rerun #2420",
        "ada: cancel frontend",
        "ada: use",
        "ada: use nothing",
        "guest: use acme/frontend",
        "grace: use frontend try/green",
        "grace: use",
        "grace: help",
        "ada: status",
        "ada: deploy",
        "ada: deploy try/slow",
        "ada: rerun #2417 all",
        "ada: approve",
        "ada: why-red",
        "grace: use nothing",
    ),
    "answer-subscribe": (
        "ada: subscriptions",
        "ada: subscribe acme/frontend",
        "ada: subscribe acme/frontend",
        "grace: subscribe acme/frontend main release/* !release/old nowhere broke failed channel mention=S0ONCALL",
        "grace: subscribe acme/frontend main release/* !release/old nowhere failed broke thread",
        "ada: subscribe acme/frontend waiting?",
        "ada: subscribe acme/frontend fixd",
        "ada: subscribe acme/frontend mention=@oncall",
        "ada: subscribe acme*/web",
        "ada: subscribe acne/*",
        "ada: subscribe acme/* !acme/legacy main tag:v* by=octo-ada workflow=deploy",
        "ada: unsubscribe acme/*",
        "ada: subscribe acme/frontend by=@ada",
        "ada: subscribe acme/frontend by=me",
        "ada: subscribe acme/nowhere",
        "ada: subscribe frontend * !renovate/* still-red passed",
        "ada: subscibe acme/frontend main",
        "grace: subscriptions",
        "grace: unsubscribe acme/frontend",
        "guest: unsubscribe acme/frontend broke fixed",
        "grace: unsubscribe gh/acme/frontend main release/* !release/old nowhere broke failed",
        "grace: unsubscribe acme/backend",
        "grace: subscriptions",
    ),
    "answer-unwatch": (
        "ada: unwatch acme/frontend",
        "ada: unwatch acme/frontend try/slow",
        "ada: unwatch acme/frontend try/slow",
        "ada: unwatch acme/frontend #2420",
        "ada: unwatch acme/frontend #2420",
        "ada: unwatch",
        "guest: unwatch acme/frontend #2421",
    ),
}


@asynccontextmanager
async def built(data_dir: Path) -> AsyncIterator[Stage]:
    """Start a team for whom all this has been built."""
    settings = {
        "circleci_webhook_secret": "webhook-secret",
        "public_url": "https://ci.acme.example",
        "metrics_token": "a-token-for-prometheus",
    }
    async with staged(data_dir, past=True, admins=("U0ADMIN",), **settings) as stage:
        for name in BUILT:
            await stage.types("ada", f"deploy acme/frontend try/{name}", "deploys")
        await stage.moves_on(*LOOKS)
        stage.takes_down()
        yield stage


async def test_every_command_is_answered_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with built(tmp_path) as stage:
        requests = len(stage.team.circleci.requests)
        said = {name: await asked(stage, lines, where) for name, (where, lines) in HELPING.items()}
        assert len(stage.team.circleci.requests) == requests
        said |= {name: await asked(stage, lines, "general") for name, lines in LOOKING.items()}
        said |= {name: await asked(stage, lines, "deploys") for name, lines in DOING.items()}
    compare(said, anew=golden)


async def asked(stage: Stage, lines: tuple[str, ...], where: str) -> str:
    for name, text in spoken(stage, lines):
        await stage.types(name, text, where)
    return stage.takes_down()


def spoken(stage: Stage, lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield who says what, with the numbers of the jobs that were built."""
    numbers = {
        f"{branch}/{job}": number
        for branch, pipeline in zip(BUILT, stage.team.circleci.world.pipelines, strict=False)
        for run in pipeline.runs
        for job, number in run.job_numbers.items()
    }
    for line in lines:
        name, _, text = line.partition(": ")
        yield name, text.format_map(numbers)
