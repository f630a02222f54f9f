"""What a branch's earlier builds tell, as agents read it."""

from collections.abc import Sequence

from bot.answers.branches import FlakyTests, WhyRed
from bot.models.circleci import Pipeline, TestResult
from bot.models.history import Flake, Insight, PastBuild, Turned
from bot.triage.turning import failed_jobs
from formatters.links import Links
from formatters.told.words import (
    OF_BRANCH,
    SAID,
    Data,
    address,
    call,
    commit_of,
    fitted,
    known,
    listing,
    quoted,
    span,
    when,
)

MOST, MOST_INSIGHTS, MOST_JOBS = 10, 3, 5


def why_red(answer: WhyRed, links: Links) -> Data:
    """Return the first bad build, its commit and author, the tests that turned, and how the base stands."""
    found, again = answer.turned, answer.again

    def made(room: int) -> Data:
        return {
            "quoted_project": quoted(answer.title),
            "quoted_branch": quoted(answer.branch),
            "is_red": True if found else "maybe" if again else False,
            "looked_at": answer.builds,
            **(_turned(answer, found, room, links) if found else {}),
            **known(failed_and_goes_on=again.pipeline.number if again else None),
            **known(newest=answer.newest.pipeline.number, newer_pipeline=answer.newer_number or None),
            **_base(answer),
            **known(next=_next(answer, found, again)),
        }

    return fitted(made, OF_BRANCH)


def _turned(answer: WhyRed, found: Turned, room: int, links: Links) -> Data:
    first, still, gone = found.first.pipeline, answer.still_failing, answer.failing_no_more
    jobs = failed_jobs(found.first)
    return {
        "red_in_a_row": found.red,
        "first_bad": _pipeline(first, links),
        **known(last_good=found.green.pipeline.number if found.green else None),
        **known(the_same_commit_passed_in=answer.passed_before or None),
        **(listing("began_to_fail_and_still_fail", still, min(room, MOST), _test) if still else {}),
        **(listing("quoted_failing_no_more", gone, min(room, 5), lambda one: quoted(_name(one))) if gone else {}),
        **(listing("quoted_failed_jobs", jobs, min(room, MOST_JOBS), quoted) if not still and not gone else {}),
    }


def _pipeline(pipeline: Pipeline, links: Links) -> Data:
    return known(
        pipeline=pipeline.number,
        **commit_of(pipeline.revision, pipeline.subject),
        quoted_author=quoted(pipeline.actor, 60),
        at=when(pipeline.created_at),
        link=address(links.pipeline(pipeline.project_slug, pipeline.number)),
        commit_link=address(links.commit(pipeline)),
    )


def _test(test: TestResult) -> Data:
    return known(
        quoted_test=quoted(_name(test)), quoted_file=quoted(test.file), quoted_message=quoted(test.message, SAID // 2)
    )


def _name(test: TestResult) -> str:
    return test.name or test.classname


def _base(answer: WhyRed) -> Data:
    if answer.branch == answer.base:
        return {}
    red_since = answer.base_turned.first.pipeline.number if answer.base_turned else None
    is_red = answer.base_turned is not None if answer.base_is_known else "unknown"
    return {"quoted_base": quoted(answer.base), "base_is_red": is_red, **known(base_red_since=red_since)}


def _next(answer: WhyRed, found: Turned | None, again: PastBuild | None) -> Sequence[Data]:
    slug = answer.newest.pipeline.project_slug
    if found:
        return [call("triage", "the first bad build in full", project=slug, pipeline=found.first.pipeline.number)]
    return [call("follow", project=slug, pipeline=again.pipeline.number)] if again else []


def flaky(answer: FlakyTests, links: Links) -> Data:
    """Return the ranking, with how much was looked at and what CircleCI itself says."""

    def made(room: int) -> Data:
        tests = listing("tests", answer.flakes, min(room, MOST), lambda one: _flake(one, answer, links, room))
        more = answer.over + 1
        worst = call("flaky", "the worst alone", project=answer.project_slug, branch=answer.branch, over=more)
        return {
            "quoted_project": quoted(answer.title),
            "quoted_branch": quoted(answer.branch),
            **known(builds=answer.builds, asked_for=answer.asked or None, with_test_results=answer.with_data),
            **known(named_above_failures=answer.over, jobs_unread=answer.unread or None),
            **tests,
            **(_insight(answer.insight, min(room, MOST_INSIGHTS)) if answer.insight else {}),
            **known(next=[worst] if tests.get("tests_left_out") else []),
        }

    return fitted(made, OF_BRANCH)


def _flake(flake: Flake, answer: FlakyTests, links: Links, room: int) -> Data:
    url = links.job(answer.project_slug, flake.last_pipeline_number, flake.last_workflow_id, flake.last_job_number)
    broken = flake.since is not None
    return known(
        quoted_test=quoted(_name(flake.test)),
        quoted_file=quoted(flake.test.file),
        quoted_job=quoted(flake.job_name, 60),
        failed=f"{flake.failed} of {len(flake.seen)}",
        broken_not_flaky_since=flake.since,
        commits_on_which_it_also_passed=flake.flips if not broken else None,
        last_failed_in=flake.last_pipeline_number,
        time_lost=span(flake.wasted) if flake.wasted.total_seconds() >= 1 else "",
        link=address(url) if room > MOST // 2 else "",
    )


def _insight(insight: Sequence[Insight], most: int) -> Data:
    ordered = sorted(insight, key=lambda one: -one.times_flaked)
    return listing(
        "circleci_says", ordered, most, lambda one: {"quoted_test": quoted(one.test_name), "times": one.times_flaked}
    )
