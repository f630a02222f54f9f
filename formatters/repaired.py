"""What a channel reads of a repair that only earlier builds show, or that is followed in another channel."""

from bot.models.build import Build
from bot.models.heard import Heard
from bot.models.history import Transition
from bot.models.slack import Watch
from formatters.blocks import Message, assemble, clean, link, section
from formatters.final import for_the_channel
from formatters.links import Links
from formatters.verdicts import transition_line
from formatters.words import ref_words


def repaired(build: Build, watch: Watch, turned: Transition, links: Links) -> Message:
    """Say to the channel what a build that passed repairs; its thread has all else, and has pinged whom it is for."""
    which = for_the_channel(build, watch, links).words
    line = transition_line(turned, build, links)
    what = f"{clean(watch.project_title)} {ref_words(build.pipeline.ref or watch.ref, build)}"
    return assemble(f"{what} passes again.", section(f"✅ *Passed* · {which}\n{line}"))


def repairs(build: Build, watch: Watch, before: Heard, links: Links) -> Message:
    """Say to a channel in which nobody follows a build that it repairs what the channel has heard of last."""
    which = for_the_channel(build, watch, links).words
    failed = link(links.pipeline(build.pipeline.project_slug, before.number), f"#{before.number}")
    is_rerun = before.number == build.pipeline.number
    line = "Run again, it is repaired." if is_rerun else f"It repairs what had failed here in {failed}."
    what = f"{clean(watch.project_title)} {ref_words(build.pipeline.ref or watch.ref, build)}"
    return assemble(f"{what} passes again.", section(f"✅ *Passed* · {which}\n{line}"))
