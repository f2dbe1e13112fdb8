"""A small site on Litestar with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=litestar` serves it together with a development broker, which sends no mail.
"""

import sys
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from portier_client import Client
from portier_client.asgi import FinishedResponse, PortierMiddleware, Visit
from portier_client.web import Session

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_asgi, settings


class LoginRequired(Exception):
    """Raised for a page that needs a login."""

    def __init__(self, response: FinishedResponse) -> None:
        super().__init__()
        self.response = response


def refuse(_: Request[Any, Any, Any], error: LoginRequired) -> Response[str]:
    """Makes the response for `LoginRequired`."""
    response = error.response
    return Response(response.body, status_code=response.status, headers=dict(response.headers))


async def session(request: Request[Any, Any, Any]) -> Session | None:
    """The session of a request."""
    return await Visit.of(request.scope).session()


async def member(
    request: Request[Any, Any, Any], session: NamedDependency[Session | None]
) -> Session:
    """The session of a request for a page that needs one."""
    if session is None:
        raise LoginRequired(Visit.of(request.scope).require_login())
    return session


def make_app(client: Client, secret: str, **options: Any) -> PortierMiddleware:
    """Makes the application; `client` knows the broker."""

    def page(name: str, session: Session | None, **names: object) -> Template:
        names |= {"framework": "Litestar", "email": session and session.email}
        headers = {
            "cache-control": "no-store",
            "content-security-policy": app.flow.form_policy,
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        return Template(name, context=names, headers=headers)

    @get("/")
    async def index(session: NamedDependency[Session | None]) -> Template:
        return page("index.html", session)

    @get("/login")
    async def login(
        request: Request[Any, Any, Any], session: NamedDependency[Session | None]
    ) -> Template:
        return page("login.html", session, next_page=request.query_params.get("next", ""))

    @get("/members")
    async def members(member: NamedDependency[Session]) -> Template:
        return page("members.html", member)

    site = Litestar(
        [index, login, members, create_static_files_router("/static", [STATIC])],
        dependencies={"session": Provide(session), "member": Provide(member)},
        exception_handlers={LoginRequired: refuse},
        template_config=TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine),
    )
    # Around the whole application: Litestar runs its own middleware only after routing.
    app = PortierMiddleware(site, client, secret=secret, login_url="/login", **options)
    return app


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    serve_asgi(make_app(client, given.secret, **given.flow), given.port)
