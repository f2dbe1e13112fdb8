"""A site on aiohttp and its server, for the cases of all integrations."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from aiohttp import web
from control import Control

from portier_client.aiohttp import require_login, setup

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


def make_app(control: Control) -> web.Application:
    """The application with the options of the case."""

    def answer(status: int, text: str, headers: list[tuple[str, str]]) -> web.Response:
        return web.Response(status=status, text=text, headers=dict(headers))

    app = web.Application(middlewares=[set_cookie] if control.sets_cookies else [])
    portier = setup(
        app,
        control.made.client,
        health_path="/healthz",
        **control.hooks(answer),
        **control.made.flow_options,
    )

    async def start(request: web.Request) -> web.StreamResponse:
        return await portier.start_login(request, *control.start)

    async def session(request: web.Request) -> web.Response:
        is_on = control.made.flow_options.get("secret") is not None
        return web.json_response({"email": await portier.email(request) if is_on else None})

    @require_login
    async def members(request: web.Request) -> web.Response:
        return web.Response(text="for members")

    app.add_routes(
        [
            web.post("/start", start),
            web.get("/session", session),
            web.route("*", "/members", members),
        ]
    )
    return app


@web.middleware
async def set_cookie(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.set_cookie("seen", "1")
    return response


class Server:
    """Serves the application of the current case."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._runner = web.AppRunner(web.Application())

    def start(self, control: Control) -> web.AppRunner:
        """Start an application, and end the one before; called by the thread of the control."""
        runner = web.AppRunner(make_app(control))
        asyncio.run_coroutine_threadsafe(self._replace(runner), self._loop).result()
        return runner

    async def _replace(self, runner: web.AppRunner) -> None:
        await runner.setup()
        before, self._runner = self._runner, runner
        await before.cleanup()

    def connect(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        assert self._runner.server is not None
        return self._runner.server()


async def main() -> None:
    """Serves until it is told to stop."""
    server = Server()
    await server._runner.setup()
    loop = asyncio.get_running_loop()
    await loop.create_server(server.connect, "127.0.0.1", int(os.environ["SITE_PORT"]))
    Control(server.start).serve()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
