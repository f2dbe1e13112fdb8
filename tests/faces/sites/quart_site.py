"""A site on Quart, for the cases of all integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control import asgi
from quart import Quart, Response
from quart.sessions import SecureCookieSession, SessionInterface

from portier_client.quart import Portier

if TYPE_CHECKING:
    from control import Control


class Forgetful(SessionInterface):
    """Sessions that set no cookie, because the cases list all cookies."""

    async def open_session(self, app: Any, request: object) -> SecureCookieSession:
        return SecureCookieSession()

    async def save_session(self, app: Any, session: object, response: object) -> None:
        pass


def make_app(control: Control) -> Quart:
    """The application with the options of the case."""
    app = Quart("site")
    app.session_interface = Forgetful()
    portier = Portier(
        app,
        control.made.client,
        health_path="/healthz",
        **control.hooks(lambda status, text, headers: Response(text, status, dict(headers))),
        **control.made.flow_options,
    )

    @app.post("/start")
    async def start() -> Response:
        return await portier.start_login(*control.start)

    @app.get("/session")
    async def session() -> dict[str, str | None]:
        return {"email": await portier.email}

    @app.route("/members", methods=["GET", "POST"])
    @portier.login_required
    async def members() -> str:
        return "for members"

    @app.after_request
    async def set_cookie(response: Response) -> Response:
        if control.sets_cookies:
            response.set_cookie("seen", "1")
        return response

    return app


app = asgi(make_app)
