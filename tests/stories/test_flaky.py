"""Stories of people who ask which tests fail now and then."""

import re

import pytest

from tests.stories.team import Team
from tests.stories.test_looking import asks


def requests_about_history(team: Team) -> list[str]:
    return [seen.path for seen in team.circleci.requests]


async def test_test_results_of_the_last_10_builds_of_acme_backend_on_main_which_failed_in_more_than_2(
    team: Team,
) -> None:
    told = await asks(team, "flaky acme/backend main", "failed in more than 2")
    assert "2 tests failed in more than 2 of the last 10 builds" in told.visible
    assert "10 of 10 builds had test data" in told.visible
    charges, search = (told.visible.index(name) for name in ("test_charges_once", "test_search_finds_umlauts"))
    assert charges < search  # flips on one commit come first
    assert "failed in 4 of 10 (40%" in told.visible
    assert "3 commits failed and passed, 1 commit only failed" in told.visible
    assert "no flip on one commit, 3 commits only failed" in told.visible
    assert "of job time lost" in told.visible
    assert "test_total_is_exact" not in told.visible
    assert "insight does not answer" in told.visible


async def test_a_second_question_asks_only_for_what_may_have_changed(team: Team) -> None:
    await asks(team, "flaky acme/backend main", "failed in more than 2")
    first = requests_about_history(team)
    tests = [path for path in first if path.endswith("/tests")]
    assert len(tests) == len(set(tests)) >= 10
    team.circleci.requests.clear()
    await asks(team, "flaky acme/backend over=1", "failed in more than 1")
    second = requests_about_history(team)
    assert not [path for path in second if re.search(r"/tests|/job$", path)]
    assert len(second) <= 13, second  # the branch, its list, the insight, and each build, which may have been rerun


async def test_the_extent_can_be_chosen_and_circlecis_own_word_stands_beside_it(team: Team) -> None:
    flake = {
        "test_name": "test_charges_once",
        "classname": "tests.test_payment",
        "file": "tests/test_payment.py",
        "source": "pytest",
        "job_name": "test",
        "job_number": 100001,
        "workflow_name": "build-test",
        "workflow_id": "00000000-0000-4000-8000-00000000f1a7",
        "workflow_created_at": "2026-11-20T10:00:00Z",
        "pipeline_number": 1801,
        "times_flaked": 5,
        "time_wasted": 12,
    }
    team.circleci.insights["gh/acme/backend"] = [flake]
    told = await asks(team, "flaky acme/backend last=4 over=0", "failed at least once in the last 4 builds")
    assert "test_charges_once" in told.visible
    assert "5 times" in told.visible
    assert "Nov 20" in told.visible or "2026-11-20" in told.visible or "date" in told.visible


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("flaky", "Which project?"),
        ("flaky acme/backend last=0", "`last` is a number up to 50"),
        ("flaky acme/backend over=many", "`over` is a number up to 50"),
        ("flaky acme/backend tag:v1", "A tag has too few builds"),
        ("flaky acme/backend main other", "I expected a project and a branch"),
        ("flaky acme/backend no/such", "CircleCI knows no finished build"),
    ],
)
async def test_what_cannot_be_understood_is_said(team: Team, typed: str, words: str) -> None:
    await asks(team, typed, words)
