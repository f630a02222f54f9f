"""What a failure is, what changed, and what to press, in words."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import NamedTuple

from bot.models.build import Build
from bot.models.history import Advice, Fewer, Transition, Turn
from bot.triage.diagnosis import Triage
from bot.triage.verdicts import FEWEST, Kind, Verdict
from formatters.blocks import Block, code, context, link, literal, section
from formatters.links import Links
from formatters.words import count, duration


class _Words(NamedTuple):
    """What a verdict is called: behind the name of what failed, and where many are counted."""

    behind: str
    counted: str


def verdict_words(verdict: Verdict, base: str) -> str:
    """Return a verdict as it stands behind a test's name."""
    return _words(verdict, base).behind


def _words(verdict: Verdict, base: str) -> _Words:
    match verdict.kind:
        case Kind.NEW:
            return _Words("*new here*" + (f" since #{verdict.since}" if verdict.since else ""), "new here")
        case Kind.NOT_SURE:
            return _Words(f"*not sure*: {_doubt(verdict)}", "not sure")
        case Kind.RED_ON_BASE:
            red = f"already red on {literal(base, 60)}"
            return _Words(f"*{red}* since #{verdict.since}", red)
        case Kind.INFRASTRUCTURE:
            return _Words(f"*likely infrastructure*: {literal(verdict.cause, 60)}", "likely infrastructure")
        case Kind.FLAKE:
            return _Words(_flaky(verdict), "flaky")


def _flaky(verdict: Verdict) -> str:
    if not verdict.failed or verdict.looked < FEWEST:
        return f"*flaky*: it {_passed(verdict)}"
    failed = f"*known flake*, failed {verdict.failed} of the last {count(verdict.looked, 'build')}"
    if verdict.flips == 1 and (verdict.passed_today or verdict.passed_in):
        return f"{failed}, and {_passed(verdict)}"
    return failed + (f", {count(verdict.flips, 'time')} on code that also passed" if verdict.flips else "")


def _passed(verdict: Verdict) -> str:
    """Return where it passed on the very code that fails today."""
    if verdict.passed_today:
        return "passed in another attempt of this build"
    return f"passed on the same commit in #{verdict.passed_in}" if verdict.passed_in else "passed on the same commit"


def _doubt(verdict: Verdict) -> str:
    if verdict.cause:
        return literal(verdict.cause, 120)
    if verdict.looked == 0:
        return "never seen before"
    return f"it failed in {verdict.failed} of {count(verdict.looked, 'build')} before"


def transition_line(transition: Transition | None, build: Build, links: Links) -> str:
    """Return how it stands to the build before; empty text where that is no news."""
    if transition is None or transition.turn is Turn.STILL_GREEN:
        return ""
    same = _number(transition.same_commit_as, build, links) if transition.same_commit_as else ""
    if transition.workflow:
        return _of_workflow(transition, build, links)
    if transition.turn is Turn.BROKE:
        return f"It broke on the same commit: {same} passed." if same else "It broke: the build before passed."
    if transition.turn is Turn.FIXED:
        before = " before this one" if build.reruns else ""  # which may have failed itself, at first
        row = f"it had been red for {count(transition.times, 'build')}{before}{_since(transition, build, links)}."
        return f"Green again, on the same commit as {same}: {row}" if same else f"Fixed: {row}"
    time = ordinal(transition.times)
    if transition.unlike is not None:
        other = _number(transition.unlike, build, links)
        return f"Red for the {time} time in a row{_since(transition, build, links)}, but not by what failed in {other}."
    if transition.same_as is not None:
        where = _number(transition.same_as, build, links)
        since = "" if transition.since == transition.same_as else _since(transition, build, links)
        return f"Still broken, exactly as in {where}: the {time} time in a row{since}."
    return f"Still broken, the {time} time in a row{_since(transition, build, links)}."


def _of_workflow(transition: Transition, build: Build, links: Links) -> str:
    """Return how one workflow stands to its last runs, where other builds ended by other workflows."""
    name, since = literal(transition.workflow, 80, name=True), _since(transition, build, links)
    if transition.turn is Turn.BROKE:
        commit = " on the same commit" if transition.same_commit_as else ""
        return f"The workflow {name} broke{commit}: it passed when it last ran."
    if transition.turn is Turn.FIXED:
        return f"The workflow {name} passes again: it had failed {count(transition.times, 'time')} in a row{since}."
    same = f", exactly as in {_number(transition.same_as, build, links)}" if transition.same_as is not None else ""
    other = f", but not by what failed in {_number(transition.unlike, build, links)}" if transition.unlike else ""
    return f"The workflow {name} is red{same}{other}: the {ordinal(transition.times)} time in a row{since}."


def _since(transition: Transition, build: Build, links: Links) -> str:
    return f", since {_number(transition.since, build, links)}" if transition.since else ""


def _number(number: int, build: Build, links: Links) -> str:
    return link(links.pipeline(build.pipeline.project_slug, number), f"#{number}")


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ends.get(number % 10, 'th')}"


def advice_line(triage: Triage, links: Links, build: Build) -> str:
    """Return what the evidence says to do; empty text where there is none."""
    takes = f" It takes about {duration(triage.rerun_takes)}." if triage.rerun_takes else ""
    match triage.advice:
        case Advice.RERUN:
            return f"*Worth a rerun*: {_excuse(triage)}.{takes}"
        case Advice.OPEN_COMMIT:
            if triage.transition and triage.transition.same_as is not None:
                return "*Look at the commits* before this one: what fails here began with one of them."
            return "*Look at the commit*: something fails here that did not before."
        case Advice.WAIT:
            since = f" since {_number(triage.wait_for, build, links)}" if triage.wait_for else ""
            return f"*Wait*: {code(triage.extent.base)} is red{since}. A rerun cannot help until that is repaired."
        case Advice.LOOK:
            if triage.attempts > 1:
                return (
                    f"*Look at the log*: it failed in {triage.attempts} attempts, so that a rerun may not help.{takes}"
                )
            judged = bool(triage.tests or triage.jobs)
            return f"A rerun takes about {duration(triage.rerun_takes)}." if judged and triage.rerun_takes else ""


def _excuse(triage: Triage) -> str:
    verdicts = [*triage.tests.values(), *triage.jobs.values()]
    kinds = {verdict.kind for verdict in verdicts}
    if kinds == {Kind.INFRASTRUCTURE}:
        causes = dict.fromkeys(literal(verdict.cause, 60) for verdict in verdicts)
        return f"it looks like infrastructure ({', '.join([*causes][:FEW])})"
    return f"all that failed is {' or '.join(words for words, _ in _counted(verdicts, triage.extent.base))}"


FEW = 3  # verdicts that are seen without counting them


def counts_line(triage: Triage) -> str:
    """Return how many of the failing tests are what; empty text for few."""
    counted = ", ".join(f"{number} {words}" for words, number in _counted(triage.tests.values(), triage.extent.base))
    different = len({name.partition(":")[2] or name for name in triage.tests})
    if len(triage.tests) <= FEW:
        return ""
    if different < len(triage.tests):
        return f"Of the {len(triage.tests)} failing results, of {count(different, 'test')}: {counted}."
    return f"Of the failing tests: {counted}."


def _counted(verdicts: Collection[Verdict], base: str) -> list[tuple[str, int]]:
    """Return what each kind is called and how often it is there, the most urgent first."""
    of_kind = {kind: [one for one in verdicts if one.kind is kind] for kind in Kind}
    return [(_words(of[0], base).counted, len(of)) for of in of_kind.values() if of]


def extent_line(triage: Triage) -> Block:
    """Return how much was looked at."""
    extent = triage.extent
    if triage.problem:
        return context(f"Not compared with earlier builds: {literal(triage.problem)}.")
    if not extent.builds:
        return context("There are no earlier builds to compare with.")
    unread = f" The results of {count(extent.unread, 'job')} could not be read." if extent.unread else ""
    data = f" {extent.with_data} of them had test data." if triage.tests else ""
    return context(
        f"Compared with {count(extent.builds, 'earlier build')} of {code(extent.base)} and this branch.{data}{unread}"
    )


def comparing() -> Block:
    """Say that the verdicts will stand here soon."""
    return context("I am comparing it with earlier builds; what they tell will stand here.")


def fewer_line(fewer: Fewer) -> str:
    """Return how much less a job's passing says than its failing did."""
    now = f"{count(fewer.now, 'test result')}" if fewer.now else "no test results"
    name = literal(fewer.job_name, 80, name=True)
    return f"⚠️ {name} passed, but stored {now} this time; it stored {fewer.before} when it failed."


def usual_words(took: timedelta, usual: timedelta | None) -> str:
    """Return how a time stands to the usual one, in brackets; empty text where that is not known."""
    if usual is None:
        return ""
    near = abs(took - usual) <= max(usual / 5, timedelta(seconds=1))
    return " (as usual)" if near else f" (usually {duration(usual)})"


def summary(triage: Triage | None, build: Build, links: Links) -> Iterator[Block]:
    """Yield what goes between the headline and the evidence."""
    if triage is None:
        return
    turned = transition_line(triage.transition, build, links)
    lines = [
        line
        for line in (turned, *map(fewer_line, triage.fewer), advice_line(triage, links, build), counts_line(triage))
        if line
    ]
    if lines:
        yield section("\n".join(lines))
