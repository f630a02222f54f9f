"""Whether a newer pipeline took the place of a build that CircleCI cancelled: it says only that nobody did."""

from bot.circleci.reads import Reads
from bot.models.build import Build


async def with_what_took_its_place(reads: Reads, build: Build) -> Build:
    """Return a build with the newer one of its branch, where it was cancelled by nobody and there is one."""
    if not build.was_cancelled_by_nobody:
        return build
    newer = await reads.newer_pipeline(build)
    return build if newer is None else build.replaced_by(newer.number)
