"""Wiring: the only file that knows every part, and says what is connected to what."""

import asyncio
import platform
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

import structlog
from docket import Docket
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp

import commands
from bot.agents.desk import Desk, in_the_polite_lane
from bot.authors import Authors
from bot.budgets import Budget
from bot.circleci.history import History
from bot.circleci.reads import circleci_reads, classic_reads
from bot.circleci.transport import Transport
from bot.circleci.writes import circleci_writes, classic_writes
from bot.configuration import BadSettings, load_policy, why_not_served
from bot.door import room
from bot.embedded import EmbeddedServer
from bot.errors import SlackError
from bot.finding import Finder
from bot.health import Health
from bot.lag import measured
from bot.masks import declare
from bot.messenger import Messenger
from bot.models.checkup import OLDEST_REDIS, Identity
from bot.models.pace import bounds
from bot.models.refusals import TOKEN_GONE, passes, was_answered
from bot.operations import Operations
from bot.operations.hands import Hands
from bot.pacing import Lane, Paced
from bot.people import People
from bot.permissions import Permissions
from bot.record import Record
from bot.routing import Context, Router
from bot.server import AGENTS, EVENTS, READONLY, WEBHOOK, Handler, Server
from bot.settings import Projects, Settings
from bot.slack.bolt import bolt
from bot.slack.dispatch import Dispatcher
from bot.slack.forms import Forms
from bot.slack.http import EventsHandler
from bot.slack.listeners import RECORD_SECONDS, Listeners
from bot.slack.secrecy import brings_secret
from bot.slack.signs import Signs
from bot.slack.sockets import Sockets
from bot.slack_calls import SlackBudgets
from bot.store import Store
from bot.store.turns import CIRCLECI
from bot.tasks import Steadily, Sweep, Watching, counting, tasks
from bot.version import VERSION
from bot.watching.direct import Direct, Said
from bot.watching.engine import Engine
from bot.watching.fitting import Fits
from bot.watching.inbox import Inbox
from bot.watching.knock import Knock
from bot.watching.later import Later
from bot.watching.line import InLine
from bot.watching.lists import Lists
from bot.watching.mine import Owners
from bot.watching.news import Newsreader
from bot.watching.notices import Notices
from bot.watching.operator import Operator
from bot.watching.pings import Pings
from bot.watching.roots import Roots
from bot.watching.rounds import Rounds
from bot.watching.saying import Saying
from bot.watching.teller import Teller
from bot.watching.telling import Telling
from bot.watching.triager import Past, Triager
from bot.watching.watcher import Sources, Watcher
from bot.whereabouts import Whereabouts
from bot.worker import DRAIN_SECONDS, at_work, queue
from commands.mine import waits_of
from formatters.links import Links

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=10)  # how long a person's request waits where CircleCI asks for it
A_LOOK = timedelta(minutes=1)  # how long a look that has begun waits for a turn: begun anew, it would never end
IN_LINE = timedelta(minutes=3)  # how long it waits for its turn behind those of others
POLL_PATIENCE = 0.2  # poll intervals: a look that waits longer for its first turn comes back when it may be next
HISTORY_PATIENCE = timedelta(minutes=2)
POSTS_AT_ONCE, UPDATES_AT_ONCE = 3, 10  # the short bursts that Slack tolerates


class Role(StrEnum):
    """What this process does: take in, do the work, or both."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


class App:
    """`async with App(settings, projects) as app:` is the running bot; leaving drains and stops it.

    `record_seconds` is how long Redis may take before a delivery is refused, `drain_seconds` how long a stop waits.
    Raises BadSettings for a token Slack refuses and a taken port, StoreError when there is no store.
    """

    def __init__(
        self,
        settings: Settings,
        projects: Projects,
        role: Role = Role.ALL,
        *,
        record_seconds: float = RECORD_SECONDS,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._settings = settings
        self._record_seconds = record_seconds
        self._drain_seconds = drain_seconds
        self._projects = projects
        self._policy = load_policy(settings.policy_file)
        self._role = role
        self._stack = AsyncExitStack()
        self.server: Server | None = None
        self.docket: Docket
        self.engine: Engine
        self.store: Store
        self.desk: Desk
        self.messenger: Messenger
        self.permissions: Permissions
        self.telling: Telling
        self.notices: Notices
        self.later: Later

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.info("stopping")
        await self._stack.aclose()

    async def _open(self) -> None:
        settings = self._settings
        declare((*settings.secrets, *(token.get_secret_value() for token in self._projects.tokens.values())))
        await self._stack.enter_async_context(measured())
        await self._open_store()
        self.messenger = await self._stack.enter_async_context(
            Messenger(token=settings.slack_bot_token, api_url=settings.slack_api_url, budgets=self._slack_budgets())
        )
        identity = await self._who_am_i()
        lanes = await self._lanes()
        self._health = Health(self.store, self.messenger)
        engine = self.engine = Engine(self.docket, self.store.looks, settings.pace)
        context = self._connected(lanes, engine, team_id=identity.team_id)
        self._stack.callback(asyncio.create_task(counting(self.store)).cancel)
        if self._role is not Role.WEB:
            await self._operator.forget_check()
            self._stack.callback(asyncio.create_task(_tried(self._sweep)).cancel)  # the next sweep may be a minute away
            work = at_work(self.docket, self._rounds, settings.lease, self._drain_seconds)
            self._health.worker_stopped = await self._stack.enter_async_context(work)
        if self._role is Role.WORKER:
            await self._start_answering()
        else:
            await self._start_intake(engine, context, identity)
        log.info("started", version=VERSION, role=str(self._role), python=platform.python_version())

    def _connected(self, lanes: "_Lanes", engine: Engine, *, team_id: str) -> Context:
        """Connect all parts, give the tasks their meaning, and return what handlers are given."""
        settings, projects, store, messenger = self._settings, self._projects, self.store, self.messenger
        circleci, looks, past, patient = (circleci_reads(lane, classic_reads(lane, projects.classic)) for lane in lanes)
        writes = circleci_writes(lanes.people, classic_writes(lanes.people, projects.classic))
        links = Links(web_url=settings.web_url)
        operator = self._operator = Operator(messenger, store.claims, settings.operator_channel)
        permissions = self.permissions = Permissions(
            self._policy, settings, projects, People(messenger), circleci, team_id=team_id, agents=store.agents
        )
        authors = Authors(projects.people, messenger, store.news.mail)
        teller = Teller(messenger, store.watches, links, operator, permissions)
        finder = Finder(circleci, store, permissions, projects)
        sources = Sources(looks, circleci, projects.patterns, projects)
        whereabouts = Whereabouts(messenger)
        pings = Pings(store.claims, authors, permissions, whereabouts)
        telling = self.telling = Telling(store, messenger, permissions, sources, links, operator, pings)
        roots, saying = Roots(store, messenger, telling, links), Saying(store, messenger)
        kept = timedelta(days=settings.audit_retention_days)
        self._record = Record(store, kept, messenger.user_name, to_output=settings.audit_log)
        operations = self.operations = Operations(
            Hands(
                settings=settings,
                projects=projects,
                store=store,
                reads=circleci,
                writes=writes,
                finder=finder,
                permissions=permissions,
                record=self._record,
                messenger=messenger,
                teller=teller,
                roots=roots,
                saying=saying,
                engine=engine,
            )
        )
        context = Context(
            settings=settings,
            projects=projects,
            store=store,
            circleci=circleci,
            history=History(past, store.past),
            messenger=messenger,
            authors=authors,
            whereabouts=whereabouts,
            finder=finder,
            permissions=permissions,
            operations=operations,
            router=commands.register(Router()),
        )
        watcher = Watcher(settings, store, sources, teller, links, operator, engine)
        triager = Triager(settings, projects, store, Past(patient, History(patient, store.past)), teller, engine, links)
        inbox = self._inbox = Inbox(store, engine, settings.settle)
        direct, said = Direct(store, messenger, permissions, operator), Said(links, finder.title)
        own = self.notices = Notices(store, looks, Owners(store, authors), direct, pings, said, telling.evidence)
        news = Newsreader(settings, store, looks, telling, own, operator)
        later = self.later = Later(store, direct, said, partial(waits_of, context))
        lists = Lists(settings, store, looks, inbox, operator, roots)
        signs = self.signs = Signs(context)
        self._stack.push_async_callback(signs.drain)
        dispatcher = Dispatcher(context, operator, self._record, links, signs, engine)
        sweep = self._sweep = Sweep(store, engine, operator, circleci, Fits(store, circleci, projects), later)
        self._rounds = Rounds(settings, store, Steadily(watcher.look, "look_failed", most=None), engine.woke)
        watching = Watching(triager, news, lists, roots, saying)
        engine.register(tasks(dispatcher, signs, operations, watching, sweep, store.questions, engine.wake))
        self.desk = Desk(in_the_polite_lane(context, past), self._record, links, brings_secret)
        self._links = links
        return context

    async def _open_store(self) -> None:
        url = self._settings.redis_url.get_secret_value() if self._settings.redis_url else None
        if url is None:
            if self._role is not Role.ALL:
                raise BadSettings([("REDIS_URL", f"`{self._role}` needs a Redis that all processes can reach")])
            embedded = await self._stack.enter_async_context(EmbeddedServer(self._settings.data_dir))
            url = embedded.url
        self.store = Store(url, retention=timedelta(days=self._settings.retention_days))
        self._stack.push_async_callback(self.store.close)
        memory = await self.store.pulse.condition()
        if memory.is_too_old:
            old = f"it leads to version {memory.version}: Redis {OLDEST_REDIS}.0 or newer, or Valkey, is needed"
            raise BadSettings([("REDIS_URL", old)])
        self.docket = await self._stack.enter_async_context(queue(url))

    async def _who_am_i(self) -> Identity:
        """Ask Slack who the token belongs to, now rather than at the first command."""
        try:
            return await self.messenger.identity()
        except SlackError as error:
            if error.code not in TOKEN_GONE:
                raise
            raise BadSettings([("SLACK_BOT_TOKEN", f"Slack refuses it: {error.code}")]) from error

    def _slack_budgets(self) -> SlackBudgets:
        settings, turns = self._settings, self.store.turns
        return SlackBudgets(
            posts=Budget(turns, "slack:posts", settings.slack_posts_per_second_per_channel, burst=POSTS_AT_ONCE),
            updates=Budget(turns, "slack:updates", settings.slack_updates_per_minute / 60, burst=UPDATES_AT_ONCE),
            others=Budget(turns, "slack"),
        )

    async def _lanes(self) -> "_Lanes":
        settings = self._settings
        asking = Paced(self.store.turns, CIRCLECI, bounds(settings.circleci_requests_per_second))
        connections = await self._stack.enter_async_context(
            Transport(
                settings.circleci_url,
                settings.circleci_token,
                back_off=settings.back_off,
                tokens=self._projects.tokens,
                auth_header=self._projects.auth_header,
            )
        )
        return _Lanes(
            people=connections.on_lane(Lane(asking, patience=PATIENCE, in_line=IN_LINE)),
            looks=connections.on_lane(
                InLine(
                    asking,
                    self.store.line,
                    to_begin=settings.poll_interval * POLL_PATIENCE,
                    to_go_on=A_LOOK,
                )
            ),
            past=connections.on_lane(Lane(asking, patience=PATIENCE, polite=True)),
            history=connections.on_lane(Lane(asking, patience=HISTORY_PATIENCE, polite=True)),
        )

    async def _start_answering(self) -> None:
        """Let operators ask a worker too how it is; beside another process on this host, do without."""
        server = self._server()
        try:
            await server.start()
        except OSError as error:
            log.warning("metrics_not_served", port=self._settings.port, error=error.strerror)
            return
        self.server = server
        self._stack.push_async_callback(server.stop)

    def _server(self, taken: Mapping[str, Handler] | None = None) -> Server:
        settings = self._settings
        return Server(
            settings.host,
            settings.port,
            not_ready=self._health.problems,
            metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
            taken=taken,
        )

    async def _start_intake(self, engine: Engine, context: Context, identity: Identity) -> None:
        settings, secret = self._settings, self._settings.slack_signing_secret
        app = bolt(self.messenger.client, identity, settings.slack_bot_token, secret)
        forms = Forms(context, self._record, self._links)
        self._stack.push_async_callback(forms.drain)
        Listeners(context, engine, forms, bot_user_id=identity.user_id, record_seconds=self._record_seconds).register(
            app
        )
        self.server = self._server(await self._taken(app, engine))
        try:
            await self.server.start()
        except OSError as error:
            raise why_not_served(error, settings) from error
        self._stack.push_async_callback(self.server.stop)
        if settings.slack_app_token:
            await self._connect_socket(app, settings.slack_app_token)

    async def _taken(self, app: AsyncApp, engine: Engine) -> dict[str, Handler]:
        """Return who takes what is POSTed, by path."""
        settings, secret = self._settings, self._settings.slack_signing_secret
        taken: dict[str, Handler] = {EVENTS: EventsHandler(app, secret).handle} if secret else {}
        if settings.circleci_webhook_secret:
            secret_of_hooks = settings.circleci_webhook_secret.get_secret_value()
            taken[WEBHOOK] = Knock(secret_of_hooks, self.store, engine, self._inbox).handle
        return taken | (await self._for_agents() if settings.agents else {})

    async def _for_agents(self) -> dict[str, Handler]:
        # Nobody else is to wait for their library, or to bear its 35 MB.
        from bot.agents.bridge import Bridge  # noqa: PLC0415
        from bot.agents.crowd import Crowd  # noqa: PLC0415
        from bot.agents.face import Face  # noqa: PLC0415

        public_url = self._settings.public_url
        crowd = Crowd(room(), self._settings.agent_calls_per_minute)
        bridge = Bridge(Face(self.desk), self.store.agents, crowd, public_url=public_url)
        await self._stack.enter_async_context(bridge)
        if public_url is None:
            log.warning("agents_from_this_machine_alone", fix="set PUBLIC_URL to the address that agents reach")
        return dict.fromkeys((AGENTS, READONLY), bridge.handle)

    async def _connect_socket(self, app: AsyncApp, app_token: SecretStr) -> None:
        try:
            # The sockets would go on trying with a refused token for ever.
            await self.messenger.try_app_token(app_token)
        except SlackError as error:
            if not was_answered(error.code) or passes(error.code):
                raise
            raise BadSettings([("SLACK_APP_TOKEN", f"Slack refuses it: {error.code}")]) from error
        sockets = self._health.sockets = Sockets(app, app_token.get_secret_value())
        self._stack.push_async_callback(sockets.close)
        await sockets.connect()


async def _tried(sweep: Sweep) -> None:
    await sweep.locks()
    await sweep.tokens()


class _Lanes(NamedTuple):
    """The ways to CircleCI: people wait for an answer, looks and all that walks through many builds let them go first.

    Who asks about the `past` waits for the answer; `history` is compared with when there is time.
    """

    people: Transport
    looks: Transport
    past: Transport
    history: Transport
