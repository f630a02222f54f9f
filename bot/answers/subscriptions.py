"""What a channel hears of a project, whoever started its builds: what changed, what there is, which is meant."""

from datetime import datetime

from bot.answers import Answer, Changed, Found
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug, Ref
from bot.models.fields import Model, Time
from bot.models.subscription import Event, Subscription
from bot.models.told import Reason


class Posted(Model):
    """What a channel would have been told of a build of a branch, or a tag, that ended then."""

    event: Event
    number: int
    ref: str
    at: Time


class Lately(Model):
    """What it would have been told in the last week, or only `since` then, as older builds were not read.

    `is_least` says that builds ran again: what they were before is not known. These branches are `red` now.
    """

    posted: tuple[Posted, ...] = ()
    since: Time | None = None
    is_least: bool = False
    red: tuple[str, ...] = ()


class Unseen(Model):
    """What of a line none of the newest builds fits, and what is `near` that and some do, as it is typed."""

    options: tuple[str, ...]
    near: tuple[str, ...] = ()


class Subscribed(Changed):
    """One began, was `changed` from what it was `before`, was there `already`, or has `ended`, as `act` says.

    CircleCI has built nothing of the branches in `unbuilt`, and of late nothing that fits what is `unseen`; `fitting`
    are the projects that a pattern means now;
    they are not `is_all` while it is unknown what others are called. `lately` is what it would have been told before,
    where that is known. `heard` are others of the channel that tell the same already, each with that alone. `told` says
    that the channel has been told, so that nobody needs an answer.
    """

    act: str
    subscription: Subscription
    before: Subscription | None = None
    unbuilt: tuple[str, ...] = ()
    unseen: Unseen | None = None
    fitting: tuple[str, ...] = ()
    is_all: bool = True
    lately: Lately | None = None
    heard: tuple[Subscription, ...] = ()
    told: bool = False
    entry: Entry


class Snoozed(Changed):
    """A channel hears nothing of a red branch `until` then, or again where that is none; `notes` as for a lock.

    `told` says that who asked sees it anyway.
    """

    project_slug: ProjectSlug
    project_title: str
    branch: str
    until: datetime | None = None
    notes: tuple[str, ...] = ()
    told: bool = False
    entry: Entry


class Subscriptions(Found):
    """What a channel has subscribed to, as far as who asks may read it: one of several pages, and how many in all."""

    subscriptions: tuple[Subscription, ...]
    total: int
    page: int = 1
    pages: int = 1


class WhyTold(Found):
    """Why a channel was told of a build, or was not: as it was decided for it (`here`), or for all that subscribed.

    `link` is the message that told it, and `links_before` are those that did before that, in the same order as there,
    empty text for one that is gone; `root` is that about its branch, which is red. `rules` are those of the channel
    that are about it now, which ask for these `events`, and it was told by those in `told_by`; where there are none,
    `nearest` are others of its project, and `is_hidden` says that who asks may not read some that are about it. It
    `waits` for an approval as it is now. Where nothing was decided, it `would` be this now; the build `is_missed` where
    more came than were read back, `is_earlier` than the rules, or `is_unread` where the list of its project was not
    read as far, which failed so often in a row.
    """

    project_slug: ProjectSlug
    project_title: str
    number: int
    ref: Ref | None = None
    here: Reason | None = None
    of_all: Reason | None = None
    link: str = ""
    links_before: tuple[str, ...] = ()
    root: str = ""
    rules: tuple[Subscription, ...] = ()
    told_by: tuple[Subscription, ...] = ()
    nearest: tuple[Subscription, ...] = ()
    events: tuple[Event, ...] = ()
    is_hidden: bool = False
    waits: bool = False
    would: Reason | None = None
    is_missed: bool = False
    is_earlier: bool = False
    is_unread: bool = False
    list_failures: int = 0


class WhichSubscription(Answer):
    """Nothing has ended: there are several of a project, and no one was named; or none is as it was named.

    These `are_near` then, in the place of what was named.
    """

    project_title: str
    subscriptions: tuple[Subscription, ...]
    are_near: bool = False
