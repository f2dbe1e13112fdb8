"""Serves logins from two forked processes, with a client that was made before the fork."""

from __future__ import annotations

import asyncio
import os

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes
from tornado.web import Application, RequestHandler

from portier_client import Client, PortierError


class Answer(RequestHandler):
    async def post(self, path: str) -> None:
        self.write(f"{os.getpid()} {await self.answer(path)}")

    async def answer(self, path: str) -> str:
        try:
            match path:
                case "start":
                    return await client.authenticate("alice@example.com")
                case "verify":
                    return await client.verify(self.get_argument("id_token"))
        except PortierError as error:
            return error.code
        return ""


async def serve() -> None:
    server = HTTPServer(Application([("/(.*)", Answer)]))
    server.add_sockets(sockets)
    await asyncio.Event().wait()


client = Client(
    "https://example.com/verify", broker=os.environ["BROKER"], store=os.environ["STORE"]
)
sockets = bind_sockets(int(os.environ["PORTS"]), "127.0.0.1")
fork_processes(2)
asyncio.run(serve())
