"""A site on Flask, for the cases of all integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control import wsgi
from flask import Flask, Response
from flask.sessions import SecureCookieSession, SessionInterface

from portier_client.flask import Portier

if TYPE_CHECKING:
    from control import Control


class Forgetful(SessionInterface):
    """Sessions that set no cookie, because the cases list all cookies."""

    def open_session(self, app: Any, request: object) -> SecureCookieSession:
        return SecureCookieSession()

    def save_session(self, app: Any, session: object, response: object) -> None:
        pass


def make_app(control: Control) -> Flask:
    """The application with the options of the case."""
    app = Flask("site")
    app.session_interface = Forgetful()
    portier = Portier(
        app,
        control.made.client,
        health_path="/healthz",
        **control.hooks(lambda status, text, headers: Response(text, status, headers)),
        **control.made.flow_options,
    )

    @app.post("/start")
    def start() -> Response:
        return portier.start_login(*control.start)

    @app.get("/session")
    def session() -> dict[str, str | None]:
        return {"email": portier.email}

    @app.route("/members", methods=["GET", "POST"])
    @portier.login_required
    def members() -> str:
        return "for members"

    @app.after_request
    def set_cookie(response: Response) -> Response:
        if control.sets_cookies:
            response.set_cookie("seen", "1")
        return response

    return app


app = wsgi(make_app)
