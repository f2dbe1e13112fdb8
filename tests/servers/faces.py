"""The integrations, each with a secret, without a store, and with two workers of a usual server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .servers import HYPERCORN, UVICORN, gunicorn, module, pm2, script, uwsgi

if TYPE_CHECKING:
    from .running import Server

EXAMPLES = Path(__file__).parents[2] / "python" / "examples"


def face(name: str, interface: str, server: Server) -> Server:
    """The example of an integration in Python; `interface` is what the server calls."""
    return replace(server, variables={**server.variables, "FACE": name, "INTERFACE": interface})


def node(name: str, server: Server) -> Server:
    return replace(server, variables={**server.variables, "FACE": name})


IN_UVICORN = module(*UVICORN, "--workers=2", "face:application")
IN_HYPERCORN = module(*HYPERCORN, "--workers=2", "face:application")
ASGI_IN_GUNICORN = gunicorn("--worker-class=uvicorn.workers.UvicornWorker", site="face")
IN_NODE = ("express", "fastify", "hono", "koa", "nest", "node", "passport", "web")

FACES = {
    "tornado fork_processes": script("face_tornado.py"),
    "litestar uvicorn": face("litestar", "asgi", IN_UVICORN),
    "starlette uvicorn": face("starlette", "asgi", IN_UVICORN),
    "starlette gunicorn": face("starlette", "asgi", ASGI_IN_GUNICORN),
    "fastapi uvicorn": face("fastapi", "asgi", IN_UVICORN),
    "quart hypercorn": face("quart", "asgi", IN_HYPERCORN),
    "django gunicorn": face("django", "wsgi", gunicorn(site="face")),
    "django uvicorn": face("django", "asgi", IN_UVICORN),
    "django asgi gunicorn": face("django", "asgi", ASGI_IN_GUNICORN),
    "flask gunicorn --preload": face("flask", "wsgi", gunicorn("--preload", site="face")),
    "bottle gunicorn": face("bottle", "wsgi", gunicorn(site="face")),
    "bottle uwsgi": face("bottle", "wsgi", uwsgi(site="face")),
    "aiohttp gunicorn": face(
        "aiohttp", "aiohttp", gunicorn("--worker-class=aiohttp.GunicornWebWorker", site="face")
    ),
    **{f"{name} cluster": node(name, script("face.mjs", hands_out=True)) for name in IN_NODE},
    **{f"{name} pm2": node(name, pm2("face.mjs", "--instances=2")) for name in IN_NODE},
}
