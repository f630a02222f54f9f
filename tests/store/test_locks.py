"""A lock holds for a project, or for one branch of it."""

from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock
from bot.models.slack import utc_now
from bot.store import Store

SLUG = ProjectSlug("gh/acme/frontend")


def lock(holder_id: str, ref: Ref | None = None) -> Lock:
    return Lock(project_slug=SLUG, project_title="acme/frontend", ref=ref, holder_id=holder_id, since=utc_now())


async def test_the_first_lock_holds_for_the_project_and_its_branches(store: Store) -> None:
    adas = await store.locks.lock(lock("U0ADA"))
    assert await store.locks.lock(lock("U0GRACE")) == adas
    assert await store.locks.on(SLUG, Ref(name="main")) == adas
    graces = await store.locks.lock(lock("U0GRACE", Ref(name="main")))
    assert await store.locks.on(SLUG, Ref(name="main")) == graces
    assert await store.locks.all() == [adas, graces]
