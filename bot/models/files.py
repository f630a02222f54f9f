"""What stored files are called, so that two of them are never called the same."""

from collections import Counter
from collections.abc import Callable, Sequence

from bot.models.circleci import Artifact

Name = Callable[[Artifact], str]


def told_apart(files: Sequence[Artifact], first: Name) -> list[str]:
    """Return a name for each: its `first` one, or as much more of it as tells it from the others."""
    names = [first(file) for file in files]
    several_jobs = len({file.job_name for file in files}) > 1
    for more in (_path, *([_with_job] if several_jobs else []), _with_run):
        times = Counter(names)
        names = [more(file, name) if times[name] > 1 else name for file, name in zip(files, names, strict=True)]
    return names


def short(file: Artifact) -> str:
    """Return a file's name without its folders."""
    return file.path.rpartition("/")[2] or file.path


def whole(file: Artifact) -> str:
    """Return a file's path."""
    return file.path


def _path(file: Artifact, name: str) -> str:
    return file.path if file.path.endswith(name) else name


def _with_job(file: Artifact, name: str) -> str:
    return f"{name} · {file.job_name}" if file.job_name else name


def _with_run(file: Artifact, name: str) -> str:
    """Return a name with the parallel run that stored it, counted from 1 as people do."""
    return f"{name} · run {file.node_index + 1}"
