"""What somebody can do in a place now, by what is known without asking CircleCI: what waits, then a few words. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from bot.answers.lines import How
from bot.answers.ourselves import News, Row
from bot.grammar import aliased
from bot.masks import masked
from bot.models.build import State
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slack import Watch
from bot.models.slugs import spelled_alike
from bot.models.spelling import as_typed
from bot.policy import Word
from bot.settings import Projects
from bot.store.followed import Followed

MOST, LEAST_PLAIN = 6, 2
MOST_RED, MOST_WAITING = 3, 2  # of what was told here; the others are counted
LATELY = timedelta(days=2)  # so long a failure is news
MINE = "mine"
_GOES_ON = (State.WAITING, State.RUNNING, State.UNKNOWN)
_ENDED_BADLY = (State.FAILED, State.COULD_NOT_RUN)


class About(NamedTuple):
    """The project that is meant in a place, and the branch or tag if one is known; and how that was found.

    `line` is the deploy of it that was asked for, with all that was given, where that is meant.
    """

    slug: ProjectSlug
    title: str
    ref: Ref | None = None
    how: How = How.CHANNEL
    line: str = ""

    @classmethod
    def of(cls, watch: Watch) -> Self:
        """Return what a thread follows a build of."""
        return cls(watch.project_slug, watch.project_title, watch.ref)


class Red(NamedTuple):
    """A branch that is red in a channel `since` the build of this number; `key` is how the channel knows it."""

    about: About
    key: str
    since: int
    or_before: bool = False
    looking: str = ""
    snoozed_until: datetime | None = None


class Waits(NamedTuple):
    """A build of which a channel was told that these `jobs` wait for an approval."""

    about: About
    number: int
    jobs: tuple[str, ...] = ()


class Here(NamedTuple):
    """What is known of a place, of that what somebody may see: the builds it follows, newest first, and its project.

    By what it has subscribed to, these branches are `red` there, and these builds of others wait.

    `words` are the commands there are; `may` is what they may do: a permission, with a project and a branch or tag of
    it, or with neither for anywhere at all. Where it `is_cut` the place follows more builds that go on.
    """

    builds: Sequence[Followed]
    about: About | None
    words: frozenset[str]
    may: frozenset[tuple[str, str, Ref | None]]
    projects: Projects
    now: datetime
    is_direct: bool = False
    is_cut: bool = False
    red: Sequence[Red] = ()
    waits: Sequence[Waits] = ()


def places(builds: Sequence[Followed], about: About | None, waits: Sequence[Waits] = ()) -> list[About]:
    """Return all of which somebody's rights have to be known."""
    known = [*(About.of(one.watch) for one in builds), *(one.about for one in waits)]
    return list(dict.fromkeys([*known, *([about] if about else [])]))


def rows(here: Here) -> tuple[Row, ...]:
    """Return what can be done, the most urgent first: of each word what there is news of, else the word itself."""
    news = list(_news(here))
    urgent = {row.word for row in news}
    plain = _words(here, here.about) if here.about else _examples(here)
    left = [row for row in plain if row.word not in urgent]
    return (*news, *left[: max(MOST - len(news), LEAST_PLAIN)])


def newest(builds: Sequence[Followed]) -> list[Followed]:
    """Return the newest build of each branch and tag alone: what became of an older one is news to nobody."""
    found: dict[object, Followed] = {}
    for one in builds:
        of = spelled_alike(one.watch.project_slug), one.watch.ref or one.watch.pipeline_id
        if of not in found or one.watch.pipeline_number > found[of].watch.pipeline_number:
            found[of] = one
    return list(found.values())


def _news(here: Here) -> Iterator[Row]:
    """Yield what waits for an approval, what is red, what goes on, and what failed: of each the newest."""
    known, red = newest(here.builds), {(spelled_alike(one.about.slug), one.about.ref) for one in here.red}
    followed = {(spelled_alike(one.watch.project_slug), one.watch.pipeline_number) for one in here.builds}
    waits = [one for one in here.waits if (spelled_alike(one.about.slug), one.number) not in followed]
    if found := [one for one in known if _is_on_hold(one, here)]:
        yield _hold(found, here)
    yield from (_told_to_wait(one, here, _left(waits, at, MOST_WAITING)) for at, one in enumerate(waits[:MOST_WAITING]))
    yield from (_told_red(one, here, _left(here.red, at, MOST_RED)) for at, one in enumerate(here.red[:MOST_RED]))
    for states, make in ((_goes_on, _running), (_failed_lately, _failed)):
        found = [one for one in known if states(one, here)]
        if make is _failed:
            found = [one for one in found if (spelled_alike(one.watch.project_slug), one.watch.ref) not in red]
        if found:
            yield make(found, here)


def _left(found: Sequence[object], at: int, most: int) -> int:
    """Return how many are not shown, behind the last one that is."""
    return max(len(found) - most, 0) if at == most - 1 else 0


def _told_to_wait(one: Waits, here: Here, others: int) -> Row:
    """Return what shows what waits, by buttons of its own; who may not approve it is shown the build."""
    word = "approve" if (Word.APPROVE, one.about.slug, one.about.ref) in here.may else "status"
    news = News(state=State.ON_HOLD, jobs=one.jobs, others=others)
    line, typed = (
        f"{word} {one.about.slug} #{one.number}",
        f"{word} {short(one.about.slug, here.projects)} #{one.number}",
    )
    about = one.about
    return Row(word=word, line=line, typed=typed, title=about.title, ref=about.ref, number=one.number, news=news)


def _told_red(one: Red, here: Here, others: int) -> Row:
    """Return what says since when a branch is red, and by whom."""
    news = News(
        state=State.FAILED,
        is_over=True,
        others=others,
        red=one.key,
        or_before=one.or_before,
        looking=one.looking,
        snoozed_until=one.snoozed_until,
    )
    if not _is_branch(one.about.ref):
        return Row(word="subscriptions", line="subscriptions", typed="subscriptions", title=one.about.title, news=news)
    return _row("why-red", one.about, here, news=news).model_copy(update={"number": one.since})


def _is_on_hold(one: Followed, _: Here) -> bool:
    return one.is_polled and one.state is State.ON_HOLD


def _goes_on(one: Followed, _: Here) -> bool:
    return one.is_polled and (one.state in _GOES_ON or (one.state in _ENDED_BADLY and not one.is_over))


def _failed_lately(one: Followed, here: Here) -> bool:
    return one.state in _ENDED_BADLY and one.is_over and here.now - one.watch.asked_at <= LATELY


def _hold(found: Sequence[Followed], here: Here) -> Row:
    """Return what shows who waits, by buttons of its own; who may not approve it is shown the build."""
    first = found[0]
    jobs = tuple(job.name for run in first.runs for job in run.holds)
    since = first.build.on_hold_since if first.build else None
    news = _of_several(found, here, News(state=State.ON_HOLD, jobs=jobs, since=since))
    return _of_build("approve" if _may(Word.APPROVE, first, here) else "status", first, here, news)


def _running(found: Sequence[Followed], here: Here) -> Row:
    first = found[0]
    since = first.build.started_at if first.build else None
    return _of_build("status", first, here, _of_several(found, here, News(state=first.state, since=since)))


def _failed(found: Sequence[Followed], here: Here) -> Row:
    first, ref = found[0], found[0].watch.ref
    jobs = tuple(job.name for run in first.runs for job in run.failed_jobs)
    since = first.build.stopped_at if first.build else None
    news = _of_several(found, here, News(state=first.state, jobs=jobs, since=since, is_over=True))
    if first.state is not State.FAILED:
        return _of_build("status", first, here, news)
    if not _is_branch(ref):
        return _of_build("triage", first, here, news)
    why_red = _row("why-red", About.of(first.watch), here, news=news)
    return why_red.model_copy(update={"number": first.watch.pipeline_number})


def _of_several(found: Sequence[Followed], here: Here, news: News) -> News:
    return news.model_copy(update={"others": len(found) - 1, "may_be_more": here.is_cut})


def _words(here: Here, about: About) -> Iterator[Row]:
    """Yield the words that everybody needs, filled with the project: those of them that this person may say."""
    slug, ref = about.slug, about.ref if _can_be_typed(about.ref) else None
    meant, whole = about._replace(ref=ref), about._replace(ref=None)
    if (Word.DEPLOY, slug, about.ref) in here.may:
        yield _deploy(meant, here)
    yield _row("status", meant, here)
    failed = [one for one in newest(here.builds) if _failed_lately(one, here) and _may(Word.RERUN, one, here)]
    failed = [one for one in failed if one.state is State.FAILED]
    if failed:
        yield _of_build("rerun", failed[0], here)
    elif ref and not _is_well(meant, here) and (Word.RERUN, slug, about.ref) in here.may:
        yield _row("rerun", meant, here)
    if (Word.APPROVE, slug, about.ref) in here.may:
        yield _row("approve", whole, here)
    yield _row("why-red", meant if _is_branch(ref) else whole, here)
    if MINE in here.words:
        yield Row(word=MINE, line=MINE, typed=MINE)


def _deploy(meant: About, here: Here) -> Row:
    """Return the deploy of a branch, with what it was asked for with; without a button where none may carry that."""
    row = _row("deploy", meant, here)
    given = meant.line.removeprefix(row.line) if meant.line.startswith(f"{row.line} ") else ""
    if not meant.ref or masked(given) != given:
        return Row(word="deploy", typed=f"deploy {short(meant.slug, here.projects)}")
    return row.model_copy(update={"line": f"{row.line}{given}", "typed": f"{row.typed}{given}"})


def _examples(here: Here) -> Iterator[Row]:
    """Yield what there is to do where no project is known: how to name one."""
    if (Word.DEPLOY, "", None) in here.may:
        yield Row(word="deploy", typed="deploy acme/frontend main")
    yield Row(word="status", typed="status acme/frontend")
    if not here.is_direct and (Word.DEPLOY, "", None) in here.may:
        yield Row(word="use", typed="use acme/frontend main")
    yield Row(word="projects", line="projects", typed="projects")
    if MINE in here.words:
        yield Row(word=MINE, line=MINE, typed=MINE)


def _is_branch(ref: Ref | None) -> bool:
    return ref is not None and not ref.is_tag and not ref.pull_request and _can_be_typed(ref)


def _can_be_typed(ref: Ref | None) -> bool:
    """Say whether a button may carry a name: what looks like a secret is kept nowhere."""
    return ref is not None and ref.is_proper and masked(ref.name) == ref.name


def _is_well(about: About, here: Here) -> bool:
    """Say whether nothing of a branch is to run again: the newest build that is followed here goes on, or just passed.

    What was pushed since nobody here knows.
    """
    of_it = [one for one in newest(here.builds) if (one.watch.project_slug, one.watch.ref) == (about.slug, about.ref)]
    if not of_it:
        return False
    passed = of_it[0].state is State.PASSED and here.now - of_it[0].watch.asked_at <= LATELY
    return passed or _is_on_hold(of_it[0], here) or _goes_on(of_it[0], here)


def _may(word: str, one: Followed, here: Here) -> bool:
    return (word, one.watch.project_slug, one.watch.ref) in here.may


def _of_build(word: str, one: Followed, here: Here, news: News | None = None) -> Row:
    """Return a row about one build, by its number."""
    about, number = About.of(one.watch), one.watch.pipeline_number
    line, typed = f"{word} {about.slug} #{number}", f"{word} {short(about.slug, here.projects)} #{number}"
    return Row(word=word, line=line, typed=typed, title=about.title, ref=about.ref, number=number, news=news)


def _row(word: str, about: About, here: Here, news: News | None = None) -> Row:
    """Return a row about a branch or a tag, or about all of a project."""
    named = [as_typed(str(about.ref))] if about.ref else []
    line = " ".join([word, about.slug, *named])
    typed = " ".join([word, short(about.slug, here.projects), *named])
    return Row(word=word, line=line, typed=typed, title=about.title, ref=about.ref, news=news)


def short(slug: ProjectSlug, projects: Projects) -> str:
    """Return a project as it is typed: by its alias, or without the code host that goes without saying."""
    alike = spelled_alike(slug)
    aliases = [alias for alias, entry in projects.projects.items() if spelled_alike(entry.slug) == alike]
    known = [alias for alias in aliases if aliased(alias, projects) is not None]
    return min(known, key=len, default=slug.removeprefix(f"{projects.default_vcs}/"))
