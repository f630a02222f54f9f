"""The evidence of a failure: failing tests, the failing step, the end of its log, artifacts by folder."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.models.build import FailingStep, JobReport, Report
from bot.models.circleci import Artifact, TestResult
from formatters.blocks import Block, clean, code, code_block, context, fit, link, literal, section
from formatters.words import count, duration

MOST_TESTS = 10
LEAST_TESTS = 3
MOST_JOBS = 10
MOST_FILES = 6
SMALL_FOLDER = 3


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
            groups += [ArtifactGroup(file.path.rpartition("/")[2] or file.path, 1, file.url) for file in files]
    return groups


def _index(files: Sequence[Artifact]) -> str:
    pages = [file for file in files if file.path.endswith("index.html")]
    return min(pages, key=lambda file: len(file.path)).url if pages else ""


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


def evidence(report: Report) -> Iterator[Block]:
    """Yield what stands under the headline of a failed build."""
    with_tests = [job for job in report.jobs if job.failed_tests]
    most = max(MOST_TESTS // max(len(with_tests), 1), LEAST_TESTS)
    for job in report.jobs[:4]:
        yield from _of_job(job, most, several=len(report.jobs) > 1)
    if left_out := [f"• {literal(job.name, 120)}" for job in report.jobs_left_out]:
        more = [f"and {len(left_out) - MOST_JOBS} more"] if len(left_out) > MOST_JOBS else []
        names = "\n".join([*left_out[:MOST_JOBS], *more])
        yield section(f"{count(len(left_out), 'more failed job')}, not looked into:\n{names}")
    artifacts = [artifact for job in report.jobs for artifact in job.artifacts]
    if line := artifact_line(artifacts):
        yield section(line)


def failing(tests: Sequence[TestResult], most: int, limit: int = 2900) -> str:
    """Return the failing tests with the first lines of their messages, and how many were left out."""
    lines = [_test_line(test) for test in tests[:most]]
    shown = fit(lines, limit - 60, "")
    kept = shown.count("•")
    left_out = len(tests) - kept
    return shown.rstrip() + (f"\nand {left_out} more" if left_out else "")


def _test_line(test: TestResult) -> str:
    name = code(test.name, 120) or code(test.classname, 120) or "a test without a name"
    where = literal(test.file or test.classname, 120)
    said = " ".join(test.message.strip().splitlines()[:3])
    return f"• {name}" + (f" · {where}" if where else "") + (f"\n   {literal(said, 240)}" if said else "")


def _of_job(job: JobReport, most: int, *, several: bool) -> Iterator[Block]:
    """Yield a job's failing tests and its failing step; the end of the log where no test tells more."""
    step = _step_words(job.step) if job.step else ""
    if several and (job.failed_tests or step):
        yield section(" · ".join(filter(None, [f"*{literal(job.job.name, 80)}*", step])))
    if job.failed_tests:
        yield section(failing(job.failed_tests, most))
    if step and not several:
        yield section(step)
    if job.step and job.step.tail and not job.failed_tests:
        yield section(code_block(job.step.tail))
    if said := " ".join(f"{problem[:1].upper()}{problem[1:].rstrip('.')}." for problem in job.problems):
        yield context(clean(f"{job.job.name}: {said}", 1500))


def _step_words(step: FailingStep) -> str:
    parts = [f"Step {code(step.name, 120) or 'without a name'}"]
    if step.status == "timedout":
        parts.append("timed out")
    if step.exit_code is not None:
        parts.append(f"exit code {step.exit_code}")
    if step.run_time is not None:
        parts.append(duration(step.run_time))
    if step.parallelism > 1 and step.indexes:
        runs = " and ".join(str(index + 1) for index in step.indexes[:10])
        parts.append(f"{'run' if len(step.indexes) == 1 else 'runs'} {runs} of {step.parallelism} failed")
    if step.log_shortened:
        parts.append("the log was shortened, this is its end")
    return ", ".join(parts) + "."
