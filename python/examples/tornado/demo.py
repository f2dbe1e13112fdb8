"""Serves the example site with a development broker, until Ctrl-C.

    python demo.py --port 8888
    python demo.py --store sqlite:////tmp/logins.db

With a store that processes can share, two processes serve the site.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import multiprocessing
import secrets
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from app import make_app
from portier_client import Client, ConfigError
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    import socket

IN_MEMORY = "memory:"
PROCESSES = 2


class Site(NamedTuple):
    """The settings of a process that serves the site."""

    sockets: list[socket.socket]
    url: str
    broker: str
    store: str
    cookie_secret: bytes

    def client(self) -> Client:
        return Client(f"{self.url}/verify", broker=self.broker, store=self.store)


def main() -> int:
    """Returns the exit status: 0 if it was stopped, 1 if it could not start."""
    port, store = parse_arguments()
    try:
        sockets = bind_sockets(port, "localhost")
    except OSError as error:
        print(f"demo: {complaint(port, error)}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    url = f"http://localhost:{sockets[0].getsockname()[1]}"
    try:
        with DevBroker() as broker:
            site = Site(sockets, url, broker.origin, store, secrets.token_bytes(32))
            site.client()
            print(f"\n    Open {url}\n", flush=True)
            print(
                "For development only: the broker asks for no proof. Ctrl-C stops it.", flush=True
            )
            if store == IN_MEMORY:
                asyncio.run(serve(site))
            else:
                serve_from_processes(site)
    except ConfigError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def parse_arguments() -> tuple[int, str]:
    parser = argparse.ArgumentParser(description="The example site, with a development broker.")
    parser.add_argument("--port", type=int, default=8888, help="where to serve (%(default)s)")
    parser.add_argument(
        "--store", default=IN_MEMORY, help="the URL of the store of pending logins (%(default)s)"
    )
    arguments = parser.parse_args()
    port: int = arguments.port
    if port not in range(2**16):
        parser.error(f"a port is a number from 0 to 65535 port={port}")
    return port, arguments.store or IN_MEMORY


def complaint(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; choose another one, such as PORT={port + 1}"
    return f"port {port} cannot be used: {error.strerror}"


async def serve(site: Site) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if parent := multiprocessing.parent_process():
        # A process that serves for another one ends with it.
        asyncio.get_running_loop().add_reader(parent.sentinel, stopped.set)
    async with site.client() as client:
        server = HTTPServer(make_app(client, site.cookie_secret))
        server.add_sockets(site.sockets)
        await stopped.wait()
        server.stop()
        await server.close_all_connections()


def serve_from_processes(site: Site) -> None:
    # Not forked, because the broker has threads.
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=(site,)) for _ in range(PROCESSES)]
    # Signals are delayed, so that no worker is left behind half started.
    stopped: list[int] = []
    usual = {
        number: signal.signal(number, lambda number, _: stopped.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    # Only this process handles Ctrl-C, and then stops the others.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    for worker in workers:
        worker.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        for number, handler in usual.items():
            signal.signal(number, handler)
        if stopped:
            raise KeyboardInterrupt
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def work(site: Site) -> None:
    asyncio.run(serve(site))


if __name__ == "__main__":
    sys.exit(main())
