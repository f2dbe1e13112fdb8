"""The example sites, each beside the same site with the package that its users would take."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SITES = Path(__file__).with_name("sites")
NODE = os.environ.get("NODE", "node")


class Start(NamedTuple):
    """The request that starts a login, with the address in the form or in the query."""

    method: str
    path: str


FORM = Start("POST", "/login")


class Pair(NamedTuple):
    """An example site, and the site beside it."""

    title: str
    """The framework and the server."""
    package: str
    """What the other site uses."""
    ours: list[str]
    theirs: list[str]
    warm_up: int
    """The number of logins before the measurement."""
    flow: str = "code"
    their_start: Start = FORM


def _python(title: str, package: str, example: str, peer: str, **more: Any) -> Pair:
    ours = [sys.executable, str(ROOT / "python/examples" / example / "app.py")]
    theirs = [sys.executable, str(SITES / f"{peer}.py")]
    return Pair(title, package, ours, theirs, 100, **more)


def _node(title: str, package: str, example: str, peer: str, **more: Any) -> Pair:
    ours = [NODE, str(ROOT / "node/examples" / example / "app.mjs")]
    # The optimizing compiler of V8 takes its time.
    return Pair(title, package, ours, [NODE, str(SITES / f"{peer}.mjs")], 2000, **more)


def left_out() -> set[str]:
    """The programs of example sites without a site beside them."""
    programs = {
        str(path)
        for language in ("python", "node")
        for path in (ROOT / language / "examples").glob("*/app.*")
        if path.name in {"app.py", "app.mjs"}
    }
    return programs - {pair.ours[-1] for pair in PAIRS.values()}


LINK = Start("GET", "/start")

PAIRS = {
    "tornado": _python(
        "Tornado", "asyncio-portier", "tornado", "tornado_asyncio_portier", flow="implicit"
    ),
    "aiohttp": _python(
        "aiohttp", "asyncio-portier", "aiohttp", "aiohttp_asyncio_portier", flow="implicit"
    ),
    "starlette": _python("Starlette, uvicorn", "Authlib", "starlette", "starlette_authlib"),
    "fastapi": _python("FastAPI, uvicorn", "fastapi-sso", "fastapi", "fastapi_sso_site"),
    "litestar": _python("ASGI: Litestar, uvicorn", "Authlib", "litestar", "litestar_authlib"),
    "quart": _python("Quart, uvicorn", "Authlib", "quart", "quart_authlib"),
    "flask": _python("Flask, waitress", "Authlib", "flask", "flask_authlib"),
    "bottle": _python("WSGI: Bottle, waitress", "Authlib", "bottle", "bottle_authlib"),
    "django": _python(
        "Django, waitress",
        "mozilla-django-oidc",
        "django",
        "django_mozilla",
        their_start=LINK,
    ),
    "fastify_portier": _node(
        "Fastify", "npm `portier`", "fastify", "fastify_portier", flow="implicit"
    ),
    "fastify": _node("Fastify", "@fastify/oauth2 and jose", "fastify", "fastify_oauth2"),
    "express": _node("Express", "express-openid-connect", "express", "express_openid_connect"),
    "hono": _node("Hono", "@hono/oidc-auth", "hono", "hono_oidc_auth", their_start=LINK),
    "koa": _node("Koa", "openid-client", "koa", "koa_openid_client"),
    "node": _node("`node:http`", "openid-client", "node", "node_openid_client"),
    "web": _node("handler of `fetch`", "openid-client", "web", "web_openid_client"),
    "nest": _node(
        "NestJS on Express",
        "@nestjs/passport and openid-client",
        "nest",
        "nest_passport",
        their_start=LINK,
    ),
    "passport": _node(
        "Passport on Express",
        "openid-client",
        "passport",
        "passport_openid_client",
        their_start=LINK,
    ),
}
