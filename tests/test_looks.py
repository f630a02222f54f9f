"""What can be looked at: as it is asked for, asked again, and answered in JSON."""

import json
from types import ModuleType
from typing import get_args

import pytest

from bot.answers import Answer, File
from bot.answers.jobs import JobSteps
from bot.errors import UsageError
from bot.grammar import split
from bot.models.circleci import Action, ClassicBuild, ProjectSlug, Step, TestResult
from bot.models.target import Target
from bot.routing import Router, answer_of
from bot.settings import Projects
from bot.triage.attempts import settled
from commands import artifacts, evidence, flaky, job, status, tests, triage, why_red
from formatters.show import is_shown

PROJECTS = Projects()


@pytest.mark.parametrize(
    "text",
    [
        "acme/cli",
        "acme/cli main linux-amd64",
        'acme/cli "two words" dist/*',
        'acme/cli main "two words"',
        'acme/cli main "1842" "#7"',
        'acme/cli "1842"',
        'acme/cli "#7" “two words”',
        "acme/cli tag:v2.0 checksums.txt",
        "acme/cli #2403 dist/*",
        "acme/frontend 1842 linux",
        "get acme/cli main checksums.txt",
        "",
    ],
)
def test_what_is_asked_again_is_what_was_asked(text: str) -> None:
    asked = artifacts.parse(split(text), PROJECTS)
    assert artifacts.parse(split(asked.typed), PROJECTS) == asked


def test_a_job_alone_is_one_of_the_threads_project() -> None:
    asked = job.parse_step(split("1842 Run tests"), PROJECTS)
    assert (asked.target(PROJECTS), asked.step) == (Target(job_number=1842), "Run tests")
    with pytest.raises(UsageError):
        job.JobRequest(job=1842, branch="main").target(PROJECTS)


@pytest.mark.parametrize("text", ["acme/backend main last=30 over=1", "acme/backend", "over=0 acme/backend"])
def test_the_numbers_of_flaky_may_stand_anywhere(text: str) -> None:
    asked = flaky.parse(split(text), PROJECTS)
    assert asked.project == "gh/acme/backend"
    assert (asked.last, asked.over) in {(30, 1), (10, 2), (10, 0)}


def test_many_results_are_counted_and_the_first_failures_kept() -> None:
    results = [TestResult(name=f"t{n}", result="failure" if n % 2 else "skipped", run_time=n) for n in range(1000)]
    told = tests.summed_up("acme/frontend #2417", [settled(results)])
    assert (told.tests_total, told.tests_failed, told.tests_skipped, len(told.failed)) == (1000, 500, 500, 200)
    assert [test.name for test in told.slowest] == ["t999", "t998", "t997"]


@pytest.mark.parametrize("module", [artifacts, evidence, flaky, job, status, tests, triage, why_red])
def test_each_answer_can_be_shown_and_described(module: ModuleType) -> None:
    router = Router()
    module.register(router)
    commands, actions = router.commands.values(), router.actions.values()
    for handle in [*(command.handle for command in commands), *(action.handle for action in actions)]:
        for kind in get_args(answer_of(handle)) or (answer_of(handle),):
            assert issubclass(kind, Answer)
            assert kind is File or is_shown(kind)
            assert kind.model_json_schema(mode="serialization")["properties"]
    for command in commands:
        assert json.dumps(command.described())


def test_a_file_that_is_no_text_is_told_in_json() -> None:
    file = File(name="app.tar.gz", content=b"\x1f\x8b\xff")
    assert File.model_validate_json(file.model_dump_json()) == file
    assert file.model_dump(mode="json") == {"name": "app.tar.gz", "content": "H4v_"}


def test_what_is_described_is_what_comes_out() -> None:
    router = Router()
    job.register(router)
    assert "output_url" not in json.dumps(router.commands["job"].described()["answer"])


def test_the_address_of_a_log_stays_with_us() -> None:
    # Whoever has it reads the log without a token, and unmasked.
    step = Step(name="Run tests", actions=(Action(output_url="https://logs.example/signed"),))
    told = JobSteps(project_slug=ProjectSlug("gh/acme/frontend"), build=ClassicBuild(build_num=1842, steps=(step,)))
    assert "signed" not in told.model_dump_json()
