"""Serves logins from two forked processes, with a client that was made before the fork.

tornado_forks.py PORT BROKER STORE
"""

from __future__ import annotations

import asyncio
import os
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes
from tornado.web import Application, RequestHandler

from portier_client import Client, PortierError


class Who(RequestHandler):
    def get(self) -> None:
        self.write(str(os.getpid()))


class Start(RequestHandler):
    async def post(self) -> None:
        self.write(await client.authenticate("alice@example.com"))


class Verify(RequestHandler):
    async def post(self) -> None:
        try:
            self.write(await client.verify(self.get_argument("id_token")))
        except PortierError as error:
            self.write(error.code)


async def serve() -> None:
    server = HTTPServer(Application([("/who", Who), ("/start", Start), ("/verify", Verify)]))
    server.add_sockets(sockets)
    await asyncio.Event().wait()


port, broker, store = sys.argv[1:]
client = Client("https://example.com/verify", broker=broker, store=store)
sockets = bind_sockets(int(port), "127.0.0.1")
fork_processes(2)
asyncio.run(serve())
