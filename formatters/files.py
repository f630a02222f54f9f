"""Artifacts that were asked for: as links, by folder or by name."""

from datetime import timedelta

from bot.answers.jobs import Artifacts, ArtifactTooLarge
from bot.models.files import told_apart, whole
from formatters import unread
from formatters.blocks import Message, assemble, clean, context, fit, link, literal, paragraphs, section
from formatters.report import artifact_words, group_artifacts
from formatters.stopped import stored_nothing
from formatters.words import count, duration

# https://circleci.com/docs/persist-data/#custom-storage-usage : the default, which an organisation may shorten
KEPT = timedelta(days=30)


def artifacts(answer: Artifacts) -> Message:
    """Return the files found as links, all of them by folder where no word was given; or ask which one is wanted."""
    told = _none(answer) if not answer.found else _which(answer) if answer.which else _list(answer)
    return unread.add(told, answer.unread)


def _none(answer: Artifacts) -> Message:
    title, words = literal(answer.title), " ".join(answer.wanted)
    known = stored_nothing(title, answer.build, "artifacts") if answer.build and not answer.stored else ""
    if answer.stored == 1 and not answer.more:
        text = f"The one artifact of {title}{_beyond(answer)} does not hold {literal(words)}."
    elif answer.stored:
        text = f"None of the {count(answer.stored, 'artifact')} of {title}{_beyond(answer)} holds {literal(words)}."
    else:
        text = known or f"{title} stored no artifacts{_beyond(answer)}."
    return assemble(text, section(text))


def _which(answer: Artifacts) -> Message:
    """Ask for more words where not exactly one file fits; or say why one that does is not sent."""
    if len(answer.found) == 1:
        others = f"I have not read all that {literal(answer.title)} stored{_not_asked(answer)}"
        text = f"I sent nothing: {others}, and another one may fit. Name its job, or take this one by its link."
        (name,) = told_apart(answer.found, whole)
        return assemble(text, section(text), section(f"• {link(answer.found[0].link, name, 200)}"))
    fit_it = f"{count(len(answer.found), 'artifact')} of {literal(answer.title)} fit"
    text = f"{fit_it}: say more of the path of the one you want."
    lines = [f"• {literal(name, 200, name=True)}" for name in told_apart(answer.found, whole)]
    return assemble(text, section(text), section(fit(lines, 2800)))


def _list(answer: Artifacts) -> Message:
    of = f"{len(answer.found)} of " if answer.wanted else ""
    found = f"{of}{count(answer.stored, 'artifact')}"
    if answer.wanted:
        names = told_apart(answer.found, whole)
        lines = [f"• {link(one.link, name, 200)}" for one, name in zip(answer.found, names, strict=True)]
    else:
        lines = [f"• {artifact_words(group)}" for group in group_artifacts(answer.found)]
    left = "" if answer.age is None else f" About {duration(max(KEPT - answer.age, timedelta()))} left."
    kept = context(f"CircleCI keeps them for {KEPT.days} days, unless your plan says less.{left}")
    heading = section(f"*{literal(answer.title)}* · {found}{_beyond(answer)}")
    shown, taken = paragraphs(lines)
    left_out = len(lines) - taken
    rest = f"and {left_out} more: words of a path behind the command find one." if left_out else ""
    return assemble(f"{found} of {clean(answer.title)}.", heading, *shown, context(rest) if rest else None, kept)


def _beyond(answer: Artifacts) -> str:
    """Say that there are more than were read."""
    more = " are those that I read, and there are more" if answer.more else ""
    return f"{more}{_not_asked(answer)}"


def _not_asked(answer: Artifacts) -> str:
    return f" ({count(answer.jobs_left_out, 'more job')} not asked)" if answer.jobs_left_out else ""


def too_large(answer: ArtifactTooLarge) -> Message:
    """Say that a file is larger than the operator allows to be sent, and give its link."""
    path, limit = answer.artifact.path, f"{answer.megabytes:g} MB"
    text = f"{link(answer.artifact.link, path, 200)} is larger than the {limit} that I may put into Slack."
    return assemble(f"{clean(path)} is too large for Slack.", section(text))
