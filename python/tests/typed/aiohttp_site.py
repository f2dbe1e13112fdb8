"""Code of a site for aiohttp, for type checkers; nothing runs it."""

import os

from aiohttp import web

from portier_client import Client, Login
from portier_client.aiohttp import PORTIER, Portier, require_login, setup
from portier_client.web import Problem, Session


async def on_login(request: web.Request, login: Login) -> web.Response | None:
    return web.Response(status=403) if login.email else None


def show_problem(request: web.Request, problem: Problem) -> str:
    return problem.title


@require_login
async def members(request: web.Request) -> web.Response:
    portier: Portier = request.config_dict[PORTIER]
    session: Session | None = await portier.session(request)
    return web.Response(text=session.id if session else await portier.email(request))


class Members(web.View):
    @require_login
    async def get(self) -> web.Response:
        return web.Response(text=await self.request.app[PORTIER].email(self.request))


async def start(request: web.Request) -> web.StreamResponse:
    return await request.app[PORTIER].start_login(request, "alice@example.com", "/next")


app = web.Application()
app.add_routes([web.get("/members", members), web.view("/view", Members), web.post("/in", start)])
setup(app, "https://example.com/verify", secret=[os.urandom(32)], login_path=None)
setup(
    app,
    Client("https://example.com/verify"),
    on_login=on_login,
    show_problem=show_problem,
    languages=["de", "en"],
)
