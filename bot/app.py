"""Wiring: the only file that knows every part."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

import structlog
from docket import Docket, Worker
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

import commands
from bot import metrics
from bot.auditing import Auditor
from bot.budgets import Budget, Lane
from bot.circleci.history import History
from bot.circleci.logs import declare
from bot.circleci.reads import circleci_reads
from bot.circleci.transport import Transport
from bot.circleci.writes import circleci_writes
from bot.embedded import EmbeddedServer
from bot.errors import SlackError, StoreError
from bot.finding import Finder
from bot.messenger import TOKEN_GONE, Messenger, SlackBudgets
from bot.models.checkup import OLDEST_REDIS, Identity
from bot.models.circleci import PipelineId
from bot.permissions import Permissions
from bot.routing import Context, Router
from bot.server import Server
from bot.settings import BadSettings, Projects, Settings, load_policy
from bot.slack.dispatch import Dispatcher
from bot.slack.forms import Forms
from bot.slack.http import EventsHandler
from bot.slack.listeners import Listeners
from bot.slack.sockets import Sockets
from bot.store import Store
from bot.watching.acts import Acts
from bot.watching.engine import Engine, put_back
from bot.watching.gate import Gate
from bot.watching.knock import Knock
from bot.watching.operator import Operator
from bot.watching.starter import Starter
from bot.watching.teller import Teller
from bot.watching.triager import Past, Triager
from bot.watching.watcher import Sources, Watcher
from formatters.links import Links

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 5
PATIENCE = timedelta(seconds=10)  # how long a person's request waits for its turn at CircleCI
POLL_PATIENCE = timedelta(seconds=1)
HISTORY_PATIENCE = timedelta(minutes=2)
POSTS_AT_ONCE, UPDATES_AT_ONCE = 3, 10  # the short bursts that Slack tolerates


class Role(StrEnum):
    """What this process does: take in, do the work, or both."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


class App:
    """`async with App(settings, projects) as app:` is the running bot; leaving drains and stops it.

    Raises BadSettings for a token Slack refuses, StoreError when there is no store, OSError for a taken port.
    """

    def __init__(self, settings: Settings, projects: Projects, role: Role = Role.ALL) -> None:
        self._settings = settings
        self._projects = projects
        self._policy = load_policy(settings.policy_file)
        self._role = role
        self._stack = AsyncExitStack()
        self._sockets: Sockets | None = None
        self._worker_task: asyncio.Task[None] | None = None
        self.server: Server | None = None
        self.docket: Docket
        self.store: Store

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
        await self._open_store()
        self.messenger = await self._stack.enter_async_context(
            Messenger(token=settings.slack_bot_token, api_url=settings.slack_api_url, budgets=self._slack_budgets())
        )
        identity = await self._who_am_i()
        asking = Budget(self.store.turns, "circleci", settings.circleci_requests_per_second)
        connections = await self._stack.enter_async_context(
            Transport(
                settings.circleci_url,
                settings.circleci_token,
                back_off=settings.back_off,
                tokens=self._projects.tokens,
                auth_header=self._projects.auth_header,
            )
        )
        transport = connections.on_lane(Lane(asking, patience=PATIENCE))
        engine = Engine(self.docket)
        lanes = _Lanes(
            looks=transport.on_lane(Lane(asking, patience=POLL_PATIENCE, polite=True)),
            history=transport.on_lane(Lane(asking, patience=HISTORY_PATIENCE, polite=True)),
        )
        context, tasks = self._parts(transport, lanes, engine, team_id=identity.team_id)
        engine.register(tasks)
        if self._role is not Role.WEB:
            await self.store.claims.release("tokens-checked")  # so that the first sweep looks at them
            await self._start_worker()
        if self._role is Role.WORKER:
            await self._start_answering()
        else:
            await self._start_intake(engine, context, identity)

    async def _open_store(self) -> None:
        url = self._settings.redis_url.get_secret_value() if self._settings.redis_url else None
        if url is None:
            if self._role is not Role.ALL:
                raise BadSettings([("REDIS_URL", f"`{self._role}` needs a Redis that all processes can reach")])
            embedded = await self._stack.enter_async_context(EmbeddedServer(self._settings.data_dir))
            url = embedded.url
        self.store = Store(url, retention=timedelta(days=self._settings.retention_days))
        self._stack.push_async_callback(self.store.close)
        await self._old_enough()
        self.docket = await self._stack.enter_async_context(Docket(name="ci-chatops", url=url))

    async def _old_enough(self) -> None:
        memory = await self.store.pulse.condition()
        if memory.is_too_old:
            old = f"it leads to version {memory.version}: Redis {OLDEST_REDIS}.0 or newer, or Valkey, is needed"
            raise BadSettings([("REDIS_URL", old)])

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

    def _parts(
        self, transport: Transport, lanes: "_Lanes", engine: Engine, *, team_id: str
    ) -> tuple[Context, "_Tasks"]:
        settings, store, messenger = self._settings, self.store, self.messenger
        classic = self._projects.classic
        circleci, writes = circleci_reads(transport, classic), circleci_writes(transport, classic)
        links = Links(web_url=settings.web_url)
        operator = Operator(messenger, store.claims, settings.operator_channel)
        teller = Teller(messenger, store.watches, links, operator)
        patterns = self._projects.patterns
        permissions = self.permissions = Permissions(
            self._policy, settings, self._projects, messenger, circleci, team_id=team_id
        )
        auditor = self._auditor()
        acts = Acts(settings, store, circleci, writes, teller, engine, permissions, auditor)
        context = Context(
            settings=settings,
            projects=self._projects,
            store=store,
            circleci=circleci,
            writes=writes,
            history=History(circleci, store.past),
            messenger=messenger,
            starter=Starter(settings, store, circleci, writes, messenger, engine),
            gate=Gate(settings, store, circleci, messenger, engine),
            acts=acts,
            finder=Finder(circleci, store),
            links=links,
            permissions=permissions,
            router=commands.register(Router()),
        )
        unhurried = circleci_reads(lanes.looks, classic)
        sources = Sources(unhurried, circleci, patterns)
        watcher = Watcher(settings, store, sources, teller, links, operator, engine)
        patient = circleci_reads(lanes.history, classic)
        past = Past(patient, History(patient, store.past))
        triager = Triager(settings, self._projects, store, past, teller, acts, links)
        dispatcher = Dispatcher(context, operator, auditor)
        check_tokens = partial(operator.check_tokens, circleci)
        tasks = _Tasks(context, dispatcher, watcher, triager, engine, check_tokens=check_tokens)
        return context, tasks

    def _auditor(self) -> Auditor:
        keep = timedelta(days=self._settings.audit_retention_days)
        return Auditor(self.store, keep, to_output=self._settings.audit_log)

    async def _start_worker(self) -> None:
        worker = await self._stack.enter_async_context(
            Worker(
                self.docket,
                concurrency=50,
                redelivery_timeout=self._settings.lease,
                reconnection_delay=timedelta(seconds=1),
                minimum_check_interval=timedelta(milliseconds=100),
                scheduling_resolution=timedelta(milliseconds=100),
                fallback_task=put_back,
            )
        )
        task = asyncio.create_task(worker.run_forever(), name="worker")
        self._stack.push_async_callback(_drain, task)
        self._worker_task = task

    async def _start_answering(self) -> None:
        """Let operators ask a worker too how it is; beside another process on this host, do without."""
        server = Server(self._settings.host, self._settings.port, not_ready=self._not_ready)
        try:
            await server.start()
        except OSError as error:
            log.warning("metrics_not_served", port=self._settings.port, error=error.strerror)
            await server.stop()
            return
        self.server = server
        self._stack.push_async_callback(server.stop)

    async def _start_intake(self, engine: Engine, context: Context, identity: Identity) -> None:
        bolt = self._bolt(identity)
        forms = Forms(context, self._auditor())
        self._stack.push_async_callback(forms.drain)
        Listeners(self.store.deliveries, engine, self.messenger, forms, bot_user_id=identity.user_id).register(bolt)
        secret, knock = self._settings.slack_signing_secret, self._settings.circleci_webhook_secret
        self.server = Server(
            self._settings.host,
            self._settings.port,
            not_ready=self._not_ready,
            slack_events=EventsHandler(bolt).handle if secret else None,
            webhook=Knock(knock.get_secret_value(), self.store, engine).handle if knock else None,
        )
        await self.server.start()
        self._stack.push_async_callback(self.server.stop)
        if self._settings.slack_app_token:
            await self._connect_socket(bolt, self._settings.slack_app_token)

    def _bolt(self, identity: Identity) -> AsyncApp:
        secret, token = self._settings.slack_signing_secret, self._settings.slack_bot_token
        known = AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id,
            bot_user_id=identity.user_id,
            bot_id=identity.bot_id,
            bot_token=token.get_secret_value(),
        )

        async def authorize() -> AuthorizeResult:
            return known  # auth.test was asked once, at the start

        return AsyncApp(
            client=self.messenger.client,
            authorize=authorize,
            # Bolt reads the environment itself when it is given none.
            signing_secret=secret.get_secret_value() if secret else "socket mode has no signatures",
        )

    async def _connect_socket(self, bolt: AsyncApp, app_token: SecretStr) -> None:
        try:
            # The sockets would go on trying with a refused token for ever.
            await self.messenger.try_app_token(app_token)
        except SlackError as error:
            raise BadSettings([("SLACK_APP_TOKEN", f"Slack refuses it: {error.code}")]) from error
        self._sockets = Sockets(bolt, app_token.get_secret_value())
        self._stack.push_async_callback(self._sockets.close)
        await self._sockets.connect()

    async def _not_ready(self) -> list[str]:
        problems = []
        try:
            async with asyncio.timeout(1):
                await self.store.ping()
        except (StoreError, TimeoutError):
            problems.append("Redis does not answer")
        if self.messenger.refused:
            problems.append(f"Slack refuses the bot token: {self.messenger.refused}")
        if self._sockets is not None and not await self._sockets.is_connected():
            problems.append("the socket to Slack is not connected")
        if self._worker_task is not None and self._worker_task.done():
            problems.append("the worker has stopped")
        return problems


class _Lanes(NamedTuple):
    """The ways to CircleCI of those who let others go first."""

    looks: Transport
    history: Transport


class _Tasks:
    """The meaning of the engine's task names."""

    def __init__(
        self,
        context: Context,
        dispatcher: Dispatcher,
        watcher: Watcher,
        triager: Triager,
        engine: Engine,
        *,
        check_tokens: Callable[[], Awaitable[None]],
    ) -> None:
        self._check_tokens = check_tokens
        self._triager = triager
        self.expire = context.gate.expire
        self.handle = dispatcher.handle
        self.press = dispatcher.press
        self.look_for = context.starter.look_for
        self._watcher = watcher
        self._store = context.store
        self._engine = engine

    async def poll(self, pipeline_id: PipelineId) -> timedelta | None:
        """Look at a pipeline; an unexpected error costs one look, not the watch."""
        try:
            return await self._watcher.look(pipeline_id)
        except StoreError:
            return timedelta(seconds=5)  # the log has the outage's beginning, and will have its end
        except Exception:
            log.exception("look_failed", pipeline=pipeline_id)
            return timedelta(seconds=30)

    async def triage(self, pipeline_id: PipelineId, fingerprint: str) -> timedelta | None:
        """Compare a build with earlier ones; an unexpected error costs the comparison, and no more."""
        try:
            return await self._triager.triage(pipeline_id, fingerprint)
        except StoreError:
            return timedelta(seconds=5)
        except Exception:
            log.exception("triage_failed", pipeline=pipeline_id)
            return None

    async def sweep(self) -> None:
        """Give each watched pipeline a poll that has lost its own."""
        watching = await self._store.watches.watching()
        metrics.WATCHES.set(len(watching))
        for pipeline_id in watching:
            await self._engine.ensure_poll(pipeline_id)
        await self._check_tokens()


async def _drain(task: "asyncio.Task[None]") -> None:
    """Let running tasks end, for a while; what is cut off is redelivered."""
    task.cancel()
    with suppress(asyncio.CancelledError, TimeoutError):
        await asyncio.wait_for(task, DRAIN_SECONDS)
