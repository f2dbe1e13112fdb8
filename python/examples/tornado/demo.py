"""Serves the example site with a development broker, in one process, until Ctrl-C.

python demo.py --port 8888
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import secrets
import signal
import sys
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from app import make_app
from portier_client import Client
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    import socket


def main() -> int:
    """Returns the exit status: 0 once it was stopped, 1 if it could not start."""
    port = parse_arguments()
    try:
        sockets = bind_sockets(port, "localhost")
    except OSError as error:
        print(f"demo: {complaint(port, error)}", file=sys.stderr)
        return 1
    try:
        with DevBroker() as broker:
            asyncio.run(serve(sockets, broker))
    except KeyboardInterrupt:
        pass
    return 0


def parse_arguments() -> int:
    parser = argparse.ArgumentParser(description="The example site, with a development broker.")
    parser.add_argument("--port", type=int, default=8888, help="where to serve (%(default)s)")
    port: int = parser.parse_args().port
    if port not in range(2**16):
        parser.error(f"a port is a number from 0 to 65535 port={port}")
    return port


def complaint(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; choose another one, such as PORT={port + 1}"
    return f"port {port} cannot be used: {error.strerror}"


async def serve(sockets: list[socket.socket], broker: DevBroker) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port = sockets[0].getsockname()[1]
    redirect_uri = f"http://localhost:{port}/verify"
    async with Client(redirect_uri, broker=broker.origin) as client:
        server = HTTPServer(make_app(client, secrets.token_bytes(32)))
        server.add_sockets(sockets)
        print(f"\n    Open http://localhost:{port}\n", flush=True)
        print("For development only: the broker asks for no proof. Ctrl-C stops it.", flush=True)
        await stopped.wait()
        server.stop()
        await server.close_all_connections()


if __name__ == "__main__":
    sys.exit(main())
