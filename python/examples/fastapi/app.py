"""A small site on FastAPI with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=fastapi` serves it together with a development broker, which sends no mail.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from portier_client import Client
from portier_client.fastapi import Portier, Session
from portier_client.web import Confirmation, Problem

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_asgi, settings

templates = Jinja2Templates(TEMPLATES)


def make_app(client: Client, secret: str, **options: Any) -> FastAPI:
    """Makes the application; `client` knows the broker."""

    def page(
        request: Request,
        name: str,
        session: Session | None = None,
        status: int = 200,
        **names: object,
    ) -> Response:
        names |= {"framework": "FastAPI", "email": session and session.email}
        headers = {
            "cache-control": "no-store",
            "content-security-policy": portier.flow.form_policy,
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        return templates.TemplateResponse(request, name, names, status, headers)

    def show_problem(request: Request, problem: Problem) -> Response:
        return page(request, "problem.html", status=problem.status, problem=problem)

    def show_confirmation(request: Request, confirmation: Confirmation) -> Response:
        return page(request, "confirm.html", confirmation=confirmation)

    portier = Portier(
        client,
        secret=secret,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )
    Visitor = Annotated[Session | None, Depends(portier.session)]  # noqa: N806
    Member = Annotated[Session, Depends(portier.require_login)]  # noqa: N806

    app = FastAPI(lifespan=portier.lifespan)
    portier.install(app)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/", response_class=HTMLResponse)
    async def index(request: Request, visitor: Visitor) -> Response:
        return page(request, "index.html", visitor)

    @app.get("/login", response_class=HTMLResponse)
    async def login(request: Request, visitor: Visitor, next: str = "") -> Response:  # noqa: A002
        return page(request, "login.html", visitor, next_page=next)

    @app.get("/members", response_class=HTMLResponse)
    async def members(request: Request, member: Member) -> Response:
        return page(request, "members.html", member)

    @app.get("/api/me")
    async def me(member: Member) -> dict[str, str]:
        return {"email": member.email}

    return app


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    serve_asgi(make_app(client, given.secret, **given.flow), given.port)
