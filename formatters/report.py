"""The evidence of a failure: failing tests, the failing step, the telling lines of its log, artifacts by folder."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from bot.models.build import FailingStep, JobReport, Report
from bot.models.circleci import Artifact, Job, TestResult
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.verdicts import Kind
from formatters.blocks import Block, clean, code, code_block, context, fit, link, literal, section
from formatters.verdicts import usual_words, verdict_words
from formatters.words import count, duration

MOST_TESTS = 10
LEAST_TESTS = 3
MOST_JOBS = 10
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
    groups = []
    for folder, files in folders.items():
        if folder and len(files) > SMALL_FOLDER:
            groups.append(ArtifactGroup(folder, len(files), _index(files)))
        else:
            groups += [ArtifactGroup(file.path.rpartition("/")[2] or file.path, 1, file.link) for file in files]
    return groups


def _index(files: Sequence[Artifact]) -> str:
    pages = [file for file in files if file.path.endswith("index.html")]
    return min(pages, key=lambda file: len(file.path)).link if pages else ""


def artifact_line(artifacts: Sequence[Artifact], most: int = MOST_FILES) -> str:
    """Return the artifacts as one line of links; empty text for none."""
    groups = group_artifacts(artifacts)
    if not groups:
        return ""
    more = f" · and {len(groups) - most} more" if len(groups) > most else ""
    return "Artifacts: " + " · ".join(artifact_words(group) for group in groups[:most]) + more


def artifact_words(group: ArtifactGroup) -> str:
    """Return one file or one folder with the count of its files."""
    shown = link(group.url, group.label, 100)
    return shown if group.files == 1 else f"{shown} ({count(group.files, 'file')})"


def failed_tests(report: Report) -> list[TestResult]:
    """Return the failing tests of all jobs looked into."""
    return [test for job in report.jobs for test in job.failed_tests]


def evidence(report: Report, triage: Triage | None = None) -> Iterator[Block]:
    """Yield what stands under the headline of a failed build, with the verdicts of `triage` where there are some."""
    with_tests = [job for job in report.jobs if job.failed_tests]
    most = max(MOST_TESTS // max(len(with_tests), 1), LEAST_TESTS)
    for job in report.jobs[:4]:
        yield from _of_job(job, most, triage, several=len(report.jobs) > 1)
    if left_out := [f"• {literal(job.name, 120)}{_job_verdict(job, triage)}" for job in report.jobs_left_out]:
        more = [f"and {len(left_out) - MOST_JOBS} more"] if len(left_out) > MOST_JOBS else []
        names = "\n".join([*left_out[:MOST_JOBS], *more])
        yield section(f"{count(len(left_out), 'more failed job')}, not looked into:\n{names}")
    artifacts = [artifact for job in report.jobs for artifact in job.artifacts]
    if line := artifact_line(artifacts):
        yield section(line)


def failing(tests: Sequence[TestResult], most: int, *, total: int = 0, words: Words | None = None) -> str:
    """Return the failing tests with the first lines of their messages, and how many of `total` were left out.

    `words` says what a test's failure is.
    """
    lines = [_test_line(test, words(test) if words else "") for test in tests[:most]]
    shown = fit(lines, 2840, "")
    kept = shown.count("•")
    left_out = max(total, len(tests)) - kept
    return shown.rstrip() + (f"\nand {left_out} more" if left_out else "")


def _test_line(test: TestResult, verdict: str) -> str:
    name = code(test.name, 120) or code(test.classname, 120) or "a test without a name"
    where = literal(test.file or test.classname, 120)
    said = " ".join(test.message.strip().splitlines()[:3])
    head = " · ".join(filter(None, [name, where, verdict]))
    return f"• {head}" + (f"\n   {literal(said, 240)}" if said else "")


def _of_job(job: JobReport, most: int, triage: Triage | None, *, several: bool) -> Iterator[Block]:
    """Yield a job's failing tests and its failing step; the telling lines of the log where no test tells more."""
    usual = triage.usual.get(job.job.id) if triage else None
    verdict = _job_verdict(job.job, triage)
    step = _step_words(job.step, usual, judged=bool(verdict)).removesuffix("." if verdict else "") if job.step else ""
    step += verdict
    if several and (job.failed_tests or step):
        yield section(" · ".join(filter(None, [f"*{literal(job.job.name, 80)}*", step])))
    if job.failed_tests:
        tests = sorted(job.failed_tests, key=partial(_urgency, job, triage))
        yield section(failing(tests, most, total=job.tests_failed, words=_words_for(job, triage)))
    if step and not several:
        yield section(step)
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
        runs = " and ".join(str(index + 1) for index in step.indexes[:10])
        parts.append(f"{'run' if len(step.indexes) == 1 else 'runs'} {runs} of {step.parallelism} failed")
    if step.cause and not judged:
        parts.append(f"which looks like infrastructure: {literal(step.cause, 60)}")
    if step.log_shortened:
        parts.append("the lines of its log that tell why")
    return ", ".join(parts) + "."
