"""The evidence of a failure: failing tests, the failing step, the telling lines of its log, artifacts by folder."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from bot.models.build import FailingStep, JobReport, Report
from bot.models.circleci import Artifact, Job, TestResult
from bot.models.files import short, told_apart
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.keeping import key
from bot.triage.quoting import telling
from bot.triage.verdicts import Kind
from formatters.blocks import Block, clean, code, code_block, context, fit, fitting, link, literal, section
from formatters.verdicts import usual_words, verdict_words
from formatters.words import count, duration

MOST_TESTS = 10
LEAST_TESTS = 3
ROOM, LONGEST_REST = 2860, 30  # characters for a job's failing tests, and for how many more there are
MOST_JOBS = 10
MOST_RUNS = 10
SAID = 3  # lines of a test's message
MOST_FILES = 6
SMALL_FOLDER = 3
KILLED = 137  # 128 and the number of SIGKILL
Words = Callable[[TestResult], str]


class ArtifactGroup(NamedTuple):
    """One file, or a folder of many shown as one: `url` is that of its index.html, where it has one."""

    label: str
    files: int
    url: str


def group_artifacts(artifacts: Sequence[Artifact]) -> list[ArtifactGroup]:
    """Return single files and small folders as they are, and each large folder as one line."""
    folders: dict[str, list[Artifact]] = defaultdict(list)
    for artifact in artifacts:
        folder, slash, _ = artifact.path.strip("/").partition("/")
        folders[folder if slash else ""].append(artifact)
    large = {folder for folder, files in folders.items() if folder and len(files) > SMALL_FOLDER}
    single = [file for folder, files in folders.items() if folder not in large for file in files]
    names = {id(file): name for file, name in zip(single, told_apart(single, short), strict=True)}
    groups: list[ArtifactGroup] = []
    for folder, files in folders.items():
        if folder in large:
            groups += _of_folder(folder, files)
        else:
            groups += [ArtifactGroup(names[id(file)], 1, file.link) for file in files]
    return groups


def _of_folder(folder: str, files: Sequence[Artifact]) -> list[ArtifactGroup]:
    """Return a large folder as one; as one for each job and parallel run where these stored files of the same path."""
    if len({file.path for file in files}) == len(files):
        return [ArtifactGroup(folder, len(files), _index(files))]
    parts: dict[tuple[str, int], list[Artifact]] = defaultdict(list)
    for file in files:
        parts[file.job_name, file.node_index].append(file)
    names = told_apart([part[0] for part in parts.values()], lambda _: folder)
    return [ArtifactGroup(name, len(part), _index(part)) for name, part in zip(names, parts.values(), strict=True)]


def _index(files: Sequence[Artifact]) -> str:
    pages = [file for file in files if file.path.endswith("index.html")]
    return min(pages, key=lambda file: len(file.path)).link if pages else ""


def artifact_line(artifacts: Sequence[Artifact], most: int = MOST_FILES, *, more: bool = False) -> str:
    """Return the artifacts as one line of links; empty text for none. With `more` there are more than were read."""
    groups = group_artifacts(artifacts)
    if not groups:
        return ""
    kept = min(most, fitting([artifact_words(group) for group in groups], 2700))
    rest = [f"and {len(groups) - kept} more"] if len(groups) > kept else []
    beyond = [f"of the first {len(artifacts)} files, there are more"] if more else []
    return "Artifacts: " + " · ".join([*(artifact_words(group) for group in groups[:kept]), *rest, *beyond])


def artifact_words(group: ArtifactGroup) -> str:
    """Return one file or one folder with the count of its files."""
    shown = link(group.url, group.label, 100)
    return shown if group.files == 1 else f"{shown} ({count(group.files, 'file')})"


def failed_tests(report: Report) -> list[TestResult]:
    """Return the failing tests of all jobs looked into."""
    return [test for job in report.jobs for test in job.failed_tests]


def tests_words(report: Report) -> str:
    """Return how many tests failed of how many; of the first so many where there are more; empty text for none."""
    if not report.tests_failed:
        return ""
    total = count(report.tests_total, tests_noun(report))
    of = f"the first {total}" if report.more_tests else total
    return f"{report.tests_failed} of {of}" + (", there are more" if report.more_tests else "")


def tests_noun(report: Report) -> str:
    """Return what is counted: where a test failed in several jobs there are fewer tests than results."""
    failed = failed_tests(report)
    return "test" if len({key(test) for test in failed}) == len(failed) else "test result"


def evidence(report: Report, triage: Triage | None = None) -> Iterator[Block]:
    """Yield what stands under the headline of a failed build, with the verdicts of `triage` where there are some."""
    most = _most_of_each(report)
    for number, job in enumerate(report.jobs):
        same = next((one for one in report.jobs[:number] if _same_tests(one, job, triage)), None)
        yield from _of_job(job, most, triage, several=len(report.jobs) > 1, same=same)
    if left_out := [f"• {literal(job.name, 120)}{_job_verdict(job, triage)}" for job in report.jobs_left_out]:
        names = fit(left_out[:MOST_JOBS], 2700, total=len(left_out))
        yield section(f"{count(len(left_out), 'more failed job')}, not looked into:\n{names}")
    artifacts = [artifact for job in report.jobs for artifact in job.artifacts]
    if line := artifact_line(artifacts, more=any(job.more_artifacts for job in report.jobs)):
        yield section(line)


def failing(
    tests: Sequence[TestResult], most: int, *, total: int = 0, more: bool = False, words: Words | None = None
) -> str:
    """Return the failing tests with what tells in their messages, and how many of `total` were left out.

    `words` says what a test's failure is. With `more` there may be more of them than were read.
    """
    lines = [failure_line(test, words(test) if words else "") for test in tests[:most]]
    return fit(lines, ROOM, f"and {'at least ' if more else ''}{{}} more", total=max(total, len(tests)))


def all_fit(report: Report, triage: Triage | None = None) -> bool:
    """Say whether every failing test of a report is in its evidence."""
    most = _most_of_each(report)
    if any(job.tests_failed > most for job in report.jobs):
        return False
    for job in report.jobs:
        words = _words_for(job, triage)
        lines = [failure_line(test, words(test) if words else "") for test in job.failed_tests]
        if fitting(lines, ROOM - LONGEST_REST) < job.tests_failed:
            return False
    return True


def _most_of_each(report: Report) -> int:
    with_tests = [job for job in report.jobs if job.failed_tests]
    return max(MOST_TESTS // max(len(with_tests), 1), LEAST_TESTS)


def failure_line(test: TestResult, verdict: str = "") -> str:
    """Return a failing test with what tells in its message."""
    name = code(test.name, 120) or code(test.classname, 120) or "a test without a name"
    where = literal(test.file or test.classname, 120, name=True)
    said = " ".join(literal(line, 160) for line in telling(test.message, SAID))
    head = " · ".join(filter(None, [name, where, verdict]))
    return f"• {head}" + (f"\n   {said}" if said else "")


def _same_tests(one: JobReport, other: JobReport, triage: Triage | None) -> bool:
    """Say whether in two jobs the very same tests failed, and for the same that is known of them."""

    def told(job: JobReport) -> set[tuple[str, str]]:
        words = _words_for(job, triage)
        return {(key(test), words(test) if words else "") for test in job.failed_tests}

    return bool(one.failed_tests) and one.tests_failed == other.tests_failed and told(one) == told(other)


def _of_job(
    job: JobReport, most: int, triage: Triage | None, *, several: bool, same: JobReport | None = None
) -> Iterator[Block]:
    """Yield a job's failing tests and its failing step; the telling lines of the log where no test tells more."""
    usual = triage.usual.get(job.job.id) if triage else None
    verdict = _job_verdict(job.job, triage)
    step = _step_words(job.step, usual, judged=bool(verdict)).removesuffix("." if verdict else "") if job.step else ""
    step += verdict
    if several and (job.failed_tests or step or job.reasons):
        yield section(" · ".join(filter(None, [f"*{literal(job.job.name, 80, name=True)}*", step])))
    if same:
        yield section(f"The same {count(job.tests_failed, 'test')} as in {literal(same.job.name, 80, name=True)}.")
    elif job.failed_tests:
        tests = sorted(job.failed_tests, key=partial(_urgency, job, triage))
        words = _words_for(job, triage)
        yield section(failing(tests, most, total=job.tests_failed, more=job.more_tests, words=words))
    if job.flaky_tests:
        names = [code(test.name or test.classname, 80) for test in job.flaky_tests]
        passed = count(len(names), "test")
        yield context(f"Passed when tried again: {passed}. {fit(names, 400).replace(chr(10), ', ')}")
    if step and not several:
        yield section(step)
    if job.reasons:
        yield section(f"CircleCI says: {literal(' '.join(job.reasons), 1000)}")
    if job.step and job.step.lines and not job.failed_tests:
        yield section(code_block(job.step.lines))
    if said := " ".join(f"{problem[:1].upper()}{problem[1:].rstrip('.')}." for problem in job.problems):
        yield context(clean(f"{job.job.name}: {said}", 1500))


def _urgency(job: JobReport, triage: Triage | None, test: TestResult) -> int:
    verdict = triage.tests.get(failure_id(job, test)) if triage else None
    return [*Kind].index(verdict.kind) if verdict else 0


def _words_for(job: JobReport, triage: Triage | None) -> Words | None:
    if triage is None:
        return None

    def words(test: TestResult) -> str:
        verdict = triage.tests.get(failure_id(job, test))
        return verdict_words(verdict, triage.extent.base) if verdict else ""

    return words


def _enumerated(words: Sequence[str]) -> str:
    """Return `1`, `1 and 3`, `1, 3 and 4`; of many the first, and how many more."""
    if len(words) > MOST_RUNS:
        words = [*words[: MOST_RUNS - 1], f"{len(words) - MOST_RUNS + 1} more"]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _job_verdict(job: Job, triage: Triage | None) -> str:
    verdict = triage.jobs.get(job.id) if triage else None
    if verdict and verdict.kind is Kind.NOT_SURE and not verdict.looked:
        return ""  # a job nobody has seen before; the last line says how much was looked at
    return f" · {verdict_words(verdict, triage.extent.base)}" if triage and verdict else ""


def _step_words(step: FailingStep, usual: timedelta | None, *, judged: bool) -> str:
    parts = [f"Step {code(step.name, 120) or 'without a name'}"]
    if step.status == "timedout":
        parts.append("timed out")
    if step.exit_code is not None:
        killed = " (killed, most often for its memory)" if step.exit_code == KILLED else ""
        parts.append(f"exit code {step.exit_code}{killed}")
    if step.run_time is not None:
        parts.append(f"{duration(step.run_time)}{usual_words(step.run_time, usual)}")
    if step.parallelism > 1 and step.indexes:
        runs = _enumerated([str(index + 1) for index in step.indexes])
        which = "number " if len(step.indexes) == 1 else ""
        parts.append(f"{len(step.indexes)} of {step.parallelism} parallel runs failed ({which}{runs})")
    if step.cause and not judged:
        parts.append(f"which looks like infrastructure: {literal(step.cause, 60)}")
    if step.log_shortened:
        parts.append("the lines of its log that tell why")
    return ", ".join(parts) + "."
