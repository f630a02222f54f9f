"""Tests that fail now and then, ranked."""

from collections.abc import Sequence
from datetime import timedelta

from bot.answers.branches import FlakyTests
from bot.models.circleci import ProjectSlug
from bot.models.history import Flake, Insight
from formatters.blocks import Message, assemble, clean, code, context, fit, link, literal, moment, section
from formatters.links import Links
from formatters.words import count, duration

MOST_SHOWN, MOST_INSIGHTS = 12, 3


def ranking(answer: FlakyTests, links: Links) -> Message:
    """Return the ranking, with how much was looked at and what CircleCI itself says."""
    flakes, last = answer.flakes, _last(answer)
    verdict = f"{count(len(flakes), 'test') if flakes else 'no test'} failed {_how_often(answer)}"
    if not answer.with_data:
        verdict = f"{last} stored no test results" if answer.builds == 1 else f"none of {last} stored test results"
    shown = [_words(flake, answer.project_slug, links) for flake in flakes[:MOST_SHOWN]]
    more = "and {} more: `over=` with a larger number shows the worst"
    return assemble(
        f"{clean(answer.title)} {code(answer.branch)}: {verdict}.",
        section(f"*{literal(answer.title)}* · {code(answer.branch)}: {verdict}."),
        section(fit(shown, 2900, more, total=len(flakes))) if shown else None,
        context(_extent(answer)),
        None if answer.is_closed else context(_insight(answer.insight, flakes)),
    )


def _last(answer: FlakyTests) -> str:
    if answer.builds == 1:
        return "the only finished build that I found" if answer.asked > 1 else "the last build"
    fewer = f" (I found only {answer.builds})" if answer.builds < answer.asked else ""
    return f"the last {answer.builds} builds{fewer}"


def _how_often(answer: FlakyTests) -> str:
    """Say above how many failures a test is named; of no more builds than that none can be."""
    if answer.builds > answer.over:
        return f"in more than {answer.over} of {_last(answer)}" if answer.over else f"at least once in {_last(answer)}"
    builds = count(answer.builds, "build")
    return f"in more than {answer.over} builds, because I found only {builds} that ended"


def _extent(answer: FlakyTests) -> str:
    said = (
        f"{answer.with_data} of {count(answer.builds, 'build')} had test data. Reruns count as attempts of one build."
    )
    unread = f" The results of {count(answer.unread, 'job')} could not be read." if answer.unread else ""
    steps = "" if answer.with_data else " Its jobs need the step `store_test_results`."
    return said + unread + steps


def _words(flake: Flake, slug: ProjectSlug, links: Links) -> str:
    test, ran = flake.test, len(flake.seen)
    name = code(test.name, 120) or code(test.classname, 120) or "a test without a name"
    where = literal(test.file or test.classname, 100)
    rate = f"failed in {flake.failed} of {ran} ({flake.failed / ran:.0%}, likely {flake.low:.0%} to {flake.high:.0%})"
    broken = flake.since is not None
    parts = [f"*broken since #{flake.since}*, not flaky", rate] if broken else [rate, _how(flake)]
    last = next(one for one in flake.seen if one.failed)
    url = links.job(slug, flake.last_pipeline_number, flake.last_workflow_id, flake.last_job_number)
    seen = f"last {moment(last.at)} in {link(url, f'#{last.number}')}"
    wasted = [f"{duration(flake.wasted)} of job time lost"] if flake.wasted >= timedelta(seconds=1) else []
    head = " · ".join(filter(None, [name, where, literal(flake.job_name, 60)]))
    return f"• {head}\n   {' · '.join([*parts, seen, *wasted])}"


def _how(flake: Flake) -> str:
    """Say on how many commits it both failed and passed, apart from those on which it only failed."""
    flips = f"{count(flake.flips, 'commit')} failed and passed" if flake.flips else "no flip on one commit"
    return f"{flips}, {count(flake.commits, 'commit')} only failed" if flake.commits else flips


def _insight(insight: Sequence[Insight] | None, flakes: Sequence[Flake]) -> str:
    if insight is None:
        return "CircleCI's own insight does not answer for this project."
    if not insight:
        return "CircleCI's own insight, over two weeks and all branches, knows no flaky test."
    ours = {flake.test.name for flake in flakes}
    ordered = sorted(insight, key=lambda one: (one.test_name not in ours, -one.times_flaked))
    named = [f"{code(one.test_name, 60)} {one.times_flaked} times{_age(one)}" for one in ordered[:MOST_INSIGHTS]]
    more = f" and {len(insight) - MOST_INSIGHTS} more" if len(insight) > MOST_INSIGHTS else ""
    return f"CircleCI's own insight, over two weeks and all branches: {', '.join(named)}{more}."


def _age(one: Insight) -> str:
    return f" (last {moment(one.workflow_created_at)})" if one.workflow_created_at else ""
