"""Artifacts that were asked for: as links, by folder or by name."""

from collections.abc import Sequence
from datetime import timedelta

from bot.models.circleci import Artifact
from formatters.blocks import Message, assemble, clean, context, fit, link, literal, section
from formatters.report import artifact_words, group_artifacts
from formatters.words import count, duration

# https://circleci.com/docs/persist-data/#custom-storage-usage : the default, which an organisation may shorten
KEPT = timedelta(days=30)


def artifacts(
    title: str, found: Sequence[Artifact], *, wanted: Sequence[str], of: int, age: timedelta | None
) -> Message:
    """Return the files found as links; all of them by folder where no word was given."""
    if not found:
        return _none(title, wanted, of)
    if not wanted:
        lines = [f"• {artifact_words(group)}" for group in group_artifacts(found)]
    else:
        lines = [f"• {link(one.url, one.path, 200)}" for one in found]
    text = f"{count(len(found), 'artifact')} of {clean(title)}."
    left = "" if age is None else f" About {duration(max(KEPT - age, timedelta()))} left."
    kept = context(f"CircleCI keeps them for {KEPT.days} days, unless your plan says less.{left}")
    heading = section(f"*{literal(title)}* · {count(len(found), 'artifact')}")
    return assemble(text, heading, section(fit(lines, 2900)), kept)


def _none(title: str, wanted: Sequence[str], of: int) -> Message:
    words = " ".join(wanted)
    text = (
        f"None of the {count(of, 'artifact')} of {literal(title)} holds {literal(words)}."
        if of
        else f"{literal(title)} stored no artifacts."
    )
    return assemble(text, section(text))


def which(title: str, found: Sequence[Artifact], *, wanted: Sequence[str], of: int) -> Message:
    """Ask for more words where not exactly one file fits."""
    if not found:
        return _none(title, wanted, of)
    text = f"{count(len(found), 'artifact')} of {literal(title)} fit: say more of the path of the one you want."
    lines = [f"• {literal(one.path, 200)}" for one in found]
    return assemble(text, section(text), section(fit(lines, 2800)))


def too_large(artifact: Artifact, megabytes: float) -> Message:
    """Say that a file is larger than the operator allows to be sent, and give its link."""
    text = f"{link(artifact.url, artifact.path, 200)} is larger than the {megabytes:g} MB that I may put into Slack."
    return assemble(f"{clean(artifact.path)} is too large for Slack.", section(text))
