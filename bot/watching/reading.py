"""What a look asks CircleCI: no more than shows how a build stands, and all of it where there is news."""

from bot.circleci.reads import Reads
from bot.circleci.superseded import with_what_took_its_place
from bot.models.build import Build, Snapshot
from bot.models.circleci import PipelineId


async def read(looks: Reads, pipeline_id: PipelineId, snapshot: Snapshot, *, is_young: bool) -> Build:
    """Return the build as it is now; of one that was acted on just now the list of workflows shows what came of it."""
    before = _to_list(snapshot.build) if is_young else snapshot.build
    build = await looks.build(pipeline_id, before)
    if snapshot.has_news and snapshot.build is not None and _is_same(build, snapshot.build):
        build = await looks.build(pipeline_id, _to_list(build))  # the news is not about these jobs
    return await with_what_took_its_place(looks, build)


def _to_list(known: Build | None) -> Build | None:
    """Return what is known in such a way that its workflows are listed anew."""
    return known and known.model_copy(update={"listed_at": None})


def _is_same(build: Build, before: Build) -> bool:
    """Say whether only the jobs were looked at, and nothing was new."""
    return build.listed_at is not None and build.model_copy(update={"read_at": before.read_at}) == before
