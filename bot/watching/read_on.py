"""Reads a list of builds on, page by page, as far as somebody has to know: one page is not all that there is."""

from collections.abc import Callable, Sequence

from bot.circleci.reads import Reads
from bot.models.circleci import Pipeline, ProjectSlug
from bot.models.rule_line import TAG
from bot.models.subscription import Subscription
from bot.policy.globs import is_plain

A_PAGE = 10  # builds, that a list has at the least where more of them follow
PAGES = (1, 2, 4, 8)


async def read_on(
    reads: Reads,
    slug: ProjectSlug,
    branch: str | None,
    is_enough: Callable[[Sequence[Pipeline]], bool],
    pages: Sequence[int] = PAGES,
) -> Sequence[Pipeline]:
    """Return the newest builds of a project or a branch until these are enough, or there are no more of them.

    Of more than the last of `pages` the newest are returned. Raises CircleCIError.
    """
    first, *more = pages
    listed: Sequence[Pipeline] = await reads.pipelines(slug, branch, pages=first)
    for most in more:
        if is_enough(listed):
            break
        # Few are all there are, unless those of forks stand between them, which a list of a branch leaves out.
        before, is_few = len(listed), len(listed) < A_PAGE
        if is_few and not branch:
            break
        listed = await reads.pipelines(slug, branch, pages=pages[-1] if is_few else most)
        if is_few or len(listed) == before:
            break
    return listed


def named_by(rule: Subscription) -> Sequence[str]:
    """Return the branches that a rule names in full; none where it is about others, too. Pure."""
    names = rule.branches or (rule.default_branch,)
    is_named = all(names) and all(is_plain(one) and not one.startswith(("!", TAG)) for one in names)
    return names if is_named else ()
