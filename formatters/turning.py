"""Why a branch is red: the first bad build, who and what it was, what turned in it."""

from collections.abc import Iterator

from bot.answers.branches import WhyRed
from bot.models.circleci import Pipeline
from bot.models.history import PastBuild, Turned
from bot.triage.turning import failed_jobs
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    clean,
    code,
    context,
    link,
    link_button,
    literal,
    moment,
    section,
)
from formatters.buttons import newer_build
from formatters.links import Links
from formatters.report import failing
from formatters.words import count, listed

MOST_TESTS = 10


def why_red(answer: WhyRed, links: Links) -> Message:
    """Return the first bad build, its commit and author, the tests that turned, and how the base stands."""
    found = answer.turned
    if found is None:
        return _not_red(answer, links)
    first, number = found.first.pipeline, _number(found.first.pipeline, links)
    row = f", {count(found.red, 'build')} in a row" if found.red > 1 else ""
    unknown = "" if found.green else f" I found no green build before it, of {count(answer.builds, 'build')} looked at."
    how, rest = "is red since", f"{row}.{unknown}"
    if answer.builds == 1:
        how, rest = "is red: I found one build of it,", ", which failed."
    text = f"{clean(answer.title)} {code(answer.branch)} {how} #{first.number}{rest}"
    return assemble(
        text,
        section(f"❌ *{literal(answer.title)}* · {code(answer.branch)} {how} {number}{rest}"),
        section(_commit(first)),
        section(_same_commit(answer)) if answer.passed_before else None,
        section(_goes_on(answer.again, links)) if answer.again else None,
        *_what_turned(answer, found),
        *_base(answer, links),
        context(_before(found, links, answer.newer_number)),
        actions(*_buttons(found, links, blames=not answer.passed_before)),
    )


def _not_red(answer: WhyRed, links: Links) -> Message:
    """Say that the newest build with an outcome passed, or that a newer one has failed and has not ended."""
    pipeline, again = answer.newest.pipeline, answer.again
    where, shown = f"{clean(answer.title)} {code(answer.branch)}", f"*{literal(answer.title)}* · {code(answer.branch)}"
    if again is not None:
        passed = f" The newest build that ended, #{pipeline.number}, passed." if again != answer.newest else ""
        text = f"may be red: {_goes_on(again, None)}{passed}{newer_build(answer.newer_number)}"
        return assemble(f"{where} {text}", section(f"🔵 {shown} {text}"), *_base(answer, links))
    said = "is not red: its newest finished build"
    passed = f"passed.{newer_build(answer.newer_number)}"
    text = f"{where} {said} #{pipeline.number} {passed}"
    return assemble(text, section(f"✅ {shown} {said} {_number(pipeline, links)} {passed}"), *_base(answer, links))


def _goes_on(again: PastBuild, links: Links | None) -> str:
    number = _number(again.pipeline, links) if links else f"#{again.pipeline.number}"
    return f"{number} has failed and is not over: it runs again, or other workflows of it still run."


def _same_commit(answer: WhyRed) -> str:
    """Say that the commit alone is not what made it red."""
    return f"The same commit passed in #{answer.passed_before}, so it may not be what broke it: a rerun may pass."


def _commit(pipeline: Pipeline) -> str:
    commit = f"{code(pipeline.revision[:7])} {literal(pipeline.subject, 200)}".strip()
    author = f"by {literal(pipeline.actor, 60)}" if pipeline.actor else ""
    return " · ".join(filter(None, [commit, author, moment(pipeline.created_at)]))


def _what_turned(answer: WhyRed, found: Turned) -> Iterator[Block]:
    still, gone, jobs = answer.still_failing, answer.failing_no_more, failed_jobs(found.first)
    if not still and not gone:
        yield section(f"No test began to fail in it; what failed: {listed(jobs) if jobs else 'no job of its own'}.")
    if still:
        fail = "still fails" if len(still) == 1 else "still fail"
        yield section(f"{count(len(still), 'test')} began to fail in it and {fail}:")
        yield section(failing(still, MOST_TESTS))
    if gone:
        names = ", ".join(code(test.name, 80) for test in gone[:MOST_TESTS])
        more = f" and {len(gone) - MOST_TESTS} more" if len(gone) > MOST_TESTS else ""
        yield context(f"Failed in it as well, and not in the newest build any more: {names}{more}.")


def _base(answer: WhyRed, links: Links) -> Iterator[Block]:
    if answer.branch == answer.base:
        return
    if not answer.base_is_known:
        yield section(f"I found no build of {code(answer.base)} that passed or failed, to compare it with.")
    elif answer.base_turned is None:
        also = "" if answer.turned else " either"
        yield section(f"{code(answer.base)} is not red{also}.")
    else:
        also = " too" if answer.turned else ""
        yield section(f"{code(answer.base)} is red{also}, since {_number(answer.base_turned.first.pipeline, links)}.")


def _before(found: Turned, links: Links, newer: int) -> str:
    is_last = "" if not newer else " that passed or failed"
    newest = f"The newest{is_last} is {_number(found.newest.pipeline, links)}.{newer_build(newer)}"
    return f"The last good one was {_number(found.green.pipeline, links)}. {newest}" if found.green else newest


def _buttons(found: Turned, links: Links, *, blames: bool) -> Iterator[Block]:
    first = found.first.pipeline
    if url := links.commit(first):
        yield link_button(url, "Open the commit", style="primary" if blames else None)
    yield link_button(links.pipeline(first.project_slug, first.number), f"Open #{first.number}")


def _number(pipeline: Pipeline, links: Links) -> str:
    return link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
