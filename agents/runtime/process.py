"""Runs agents: all of them in one process (embedded), or each in its own (a worker).

One event loop runs the Faust apps and the HTTP server; the embedded broker is a child process. Every shutdown
is the same: stop the server, stop the apps, close open resources, stop the broker. Interrupted work is not
lost, because it was not acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import structlog

from agents.consumer.consumer import Consumer
from agents.instance.last_answers import keep_summary
from agents.instance.running_instance import announced, beginning
from agents.runtime import dependencies
from agents.runtime.health import Health, ProgressWatch, measure_disks
from agents.runtime.wiring import NAMES, SharedResources, build
from streams.errors import Misconfigured, Unavailable
from streams.kafka.admin import Cluster, group_of
from streams.kafka.app import Outlet, attach, build_app
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.kafka.tracing import Tracing, tracing_of
from streams.settings import Settings
from streams.state.attempts import Attempts
from streams.state.crashes import AtWork, CrashRecord, crashes
from streams.store import rollups
from streams.store.operations.damage import CURE, damaged_parts, missing_rows
from streams.store.warehouse import Warehouse

if TYPE_CHECKING:
    from fastapi import FastAPI

log = structlog.get_logger()
STOP_S = 7.0
"""Timeout of a clean stop of the apps (seconds); then the process ends anyway, without loss."""
BROKER_S = 10.0
"""How long to wait for the broker at the start before the process says so (seconds); then it waits on."""
LOOK_S = 5.0
"""Interval of the checks of lag and progress (seconds)."""


class Runtime:
    """A process of Groundswell: some agents (or none) and an HTTP server."""

    def __init__(self, settings: Settings, names: Sequence[str] = NAMES, *, page: bool = True) -> None:
        """Choose the agents to run; `page`: also serve the page, otherwise only health and metrics."""
        self.settings = settings
        self.names = tuple(names)
        self.page = page
        self.parts = SharedResources(settings)
        self.health = Health()
        self.url = ""
        self.bootstrap = settings.broker
        self._stages: dict[str, Consumer] = {}
        self.exit_code = 0
        self._web: FastAPI | None = None
        self._stopping = asyncio.Event()

    @property
    def first_sign_in(self) -> str | None:
        """Link with which the study's first curator signs in; None if it has curators, or there is no page.

        Raises:
            Misconfigured: the curators cannot be read.
        """
        if self._web is None or not self.page:
            return None
        link: str | None = self._web.state.access.first.link(self.settings.web_url or self.url)
        return link

    def stop(self, error: BaseException | None = None) -> None:
        """Ask the process to end; with an error, `run` raises it."""
        if error is not None and self.health.fatal is None:
            self.health.fatal = error
        self.health.tell("start", "stopping")
        self._stopping.set()

    async def run(self, on_ready: Callable[[Runtime], None]) -> None:
        """Serve until a signal, `stop`, or an error.

        Raises:
            Exception: the error that ended it.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        serving = asyncio.create_task(self._serve(on_ready))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():  # even while it is still waiting for a broker
            serving.cancel()
            log.info("stopping")
            with suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(_quietly(serving)), STOP_S + 2)
        elif (error := serving.exception()) is not None:
            raise error
        if self.health.fatal is not None:
            raise self.health.fatal

    async def _serve(self, on_ready: Callable[[Runtime], None]) -> None:
        async with self.serving():
            on_ready(self)
            await asyncio.Event().wait()

    def _interrupted(self) -> None:
        if self._stopping.is_set():
            os._exit(130)  # a second Ctrl-C ends the process at once
        self.exit_code = 130
        self.stop()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Runtime]:
        """Yield this process while its agents and server run."""
        async with AsyncExitStack() as stack:
            tracing = tracing_of(self.settings)
            stack.push_async_callback(asyncio.to_thread, tracing.close)
            stack.callback(self._close_warehouse)
            measure_disks(self.settings)
            await stack.enter_async_context(self._server())
            found = dependencies.checks(self.settings, self.names, self.page, stack)
            self._background(stack, dependencies.watch(self.health, found))
            if self.names:
                await self._start_agents(stack, tracing)
            elif self.page and self.settings.embedded_clickhouse:  # nobody else can make its tables
                await asyncio.to_thread(rollups.migrate, self.parts.warehouse)
            if not self._stopping.is_set():
                self.health.tell("start", None)
            stack.enter_context(self._announced())
            yield self

    async def _start_agents(self, stack: AsyncExitStack, tracing: Tracing) -> None:
        if self.settings.embedded_broker:
            broker = stack.enter_context(EmbeddedBroker())
            self.bootstrap = self.parts.bootstrap = broker.bootstrap
            self._background(stack, self._watch_broker(broker))
        cluster = stack.enter_context(Cluster(self.settings, self.bootstrap))
        await self._prepare(cluster)
        record = await self._crash_record(stack)
        watch = ProgressWatch(cluster, self.health, self.settings.stall_s, self.stop)
        for group, names in self._groups().items():
            app = build_app(self.settings, group, self.bootstrap)
            outlet = Outlet(app, self.settings, tracing)
            for name in names:
                stage = await asyncio.to_thread(self._stage, name, outlet, record.of(name), tracing)
                self._stages[name] = stage
                attach(app, self.settings, name, stage.agent.reads, stage.run)
            watch.add(group, app, {name: self._stages[name] for name in names})
            stack.push_async_callback(_stop_app, app, [self._stages[name] for name in names])
            if "alert" in names:
                self._open_office(stack, outlet)
            await _start_app(app)
        self._background(stack, watch.run(LOOK_S))

    def _open_office(self, stack: AsyncExitStack, outlet: Outlet) -> None:
        """Start the alert service beside the alert agent, if this process has the database."""
        if self.settings.embedded_clickhouse and "store" not in self.names:
            log.warning("alerts are not sent here: another process holds the embedded ClickHouse")
            return
        from agents.alerting.service import PATIENCE_S, AlertService

        warehouse = self.parts.warehouse
        if not self.settings.embedded_clickhouse:
            warehouse = stack.enter_context(Warehouse(self.settings, patience_s=PATIENCE_S))
        where = self.url if self.page else ""
        office = AlertService(self.settings, self.parts.blobs, warehouse, now=self.parts.now, web_url=where)
        stack.callback(office.close)
        self._background(stack, office.run(outlet.send))

    def _groups(self) -> dict[str, list[str]]:
        """Return the agents of each consumer group."""
        groups: dict[str, list[str]] = {}
        for name in self.names:
            groups.setdefault(group_of(self.settings, name), []).append(name)
        return groups

    async def _prepare(self, cluster: Cluster) -> None:
        """Wait for the broker, create topics, get the logs' identities, migrate the database."""
        while True:
            try:
                await asyncio.to_thread(cluster.wait, BROKER_S)
                await asyncio.to_thread(cluster.ensure_topics)
                self.parts.log_ids = await asyncio.to_thread(cluster.log_ids)
                self.health.tell("broker", None)
                break
            except Unavailable as error:
                self.health.tell("broker", error.cause)
                await asyncio.sleep(1.0)
        if {"store", "discover"} & set(self.names):
            await asyncio.to_thread(rollups.migrate, self.parts.warehouse)
            if damaged := await asyncio.to_thread(damaged_parts, self.parts.warehouse):
                log.error(missing_rows(damaged), cure=CURE)

    async def _crash_record(self, stack: AsyncExitStack) -> CrashRecord:
        """Count the crashes of earlier processes, and return the record for a crash of this one."""
        folder = self.settings.study_home / "crashes"
        for crash in crashes(folder):
            await Attempts(self.parts.blobs, crash.agent).died(crash.event_ids, crash.why, crash.traceback)
        record = CrashRecord(folder)
        stack.callback(record.close)
        return record

    def _stage(self, name: str, outlet: Outlet, at_work: AtWork, tracing: Tracing) -> Consumer:
        return Consumer(
            build(name, self.parts),
            outlet=outlet,
            blobs=self.parts.blobs,
            study=self.settings.study,
            log_ids=self.parts.log_ids,
            now=self.parts.now,
            ceiling=self.settings.dead_letter_ceiling,
            on_fatal=self.stop,
            at_work=at_work,
            tracing=tracing,
        )

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[None]:
        """Run the HTTP server: the page, or a worker's health and metrics."""
        import uvicorn

        from agents.web.app import build_web, end
        from agents.web.server import bound, configured

        host, port, setting = self._address()
        self._web = web = build_web(self)
        config = configured(web, host, port, self.settings.web_proxies)
        server = uvicorn.Server(config)
        server.capture_signals = nullcontext  # type: ignore[method-assign, assignment] # we handle signals
        try:
            listening = bound(config)
        except SystemExit as error:
            raise Misconfigured(
                f"the port {port} of {host} is in use", f"stop its process, or set {setting} to another port"
            ) from error
        shown = "127.0.0.1" if host == "0.0.0.0" else host
        self.url = f"http://{shown}:{listening.getsockname()[1]}"
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield
        finally:
            end(web)
            server.should_exit = True
            with suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(serving, 2.0)

    def _address(self) -> tuple[str, int, str]:
        if self.page:
            return self.settings.web_host, self.settings.web_port, "GROUNDSWELL_WEB_PORT"
        return self.settings.ops_host, self.settings.ops_port, "GROUNDSWELL_OPS_PORT"

    def _background(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine until the process ends; its failure ends the process."""
        task = asyncio.create_task(work)
        stack.callback(task.cancel)

        def check(ended: asyncio.Task[None]) -> None:
            if not ended.cancelled() and (error := ended.exception()) is not None:
                self.stop(error)

        task.add_done_callback(check)

    def _close_warehouse(self) -> None:
        if "warehouse" in self.parts.__dict__:
            if self.settings.embedded_clickhouse and self.health.fatal is None:
                self._keep_summary()
            self.parts.warehouse.close()

    def _keep_summary(self) -> None:
        from agents.queries.registry import VIEWS
        from agents.web.dependencies import ask

        with suppress(Exception):  # such as missing tables at an early stop; the next command asks itself
            keep_summary(
                self.settings,
                lambda view, **parameters: ask(self.parts.warehouse, VIEWS[view], **parameters),
            )

    async def _watch_broker(self, broker: EmbeddedBroker) -> None:
        while broker.running:
            await asyncio.sleep(0.5)
        self.stop(
            Unavailable("the embedded broker ended", "start groundswell again: it resumes unfinished work")
        )

    @contextmanager
    def _announced(self) -> Iterator[None]:
        """Write running.json while serving the page, so that the command line finds this process."""
        if not self.page:
            yield
            return
        path = self.settings.running_file
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "pid": os.getpid(),
            "url": self.url,
            "broker": self.bootstrap if self.names else "",
            "began": beginning(os.getpid()),
        }
        whole = path.with_suffix(".new")  # readers never see half a file
        whole.write_text(json.dumps(about))
        whole.replace(path)
        try:
            yield
        finally:
            if (now := announced(self.settings)) is not None and now.pid == os.getpid():
                path.unlink()


async def _quietly(task: asyncio.Task[None]) -> None:
    with suppress(asyncio.CancelledError):
        await task


async def _start_app(app: Any) -> None:
    from faust.contrib.asgi import bind_to_running_loop

    bind_to_running_loop(app)
    app.finalize()
    await app.maybe_start()


async def _stop_app(app: Any, stages: Sequence[Consumer]) -> None:
    for stage in stages:
        with suppress(Exception):
            await stage.stop()
    with suppress(asyncio.TimeoutError, asyncio.CancelledError, Exception):
        await asyncio.wait_for(app.stop(), STOP_S)
