"""Code of a site for Flask, for type checkers; nothing runs it."""

from flask import Flask, redirect
from flask.typing import ResponseReturnValue

from portier_client import Login, PortierError
from portier_client.blocking import Client
from portier_client.flask import Portier, portier_logged_in
from portier_client.web import Confirmation, Problem


def on_login(login: Login) -> ResponseReturnValue:
    return redirect("/welcome") if login.email else ("", 403)


async def on_login_error(error: PortierError) -> None:
    assert error.code


def show_problem(problem: Problem) -> str:
    return problem.title


def show_confirmation(confirmation: Confirmation) -> ResponseReturnValue:
    return confirmation.email, 200


app = Flask(__name__)
portier = Portier(
    app,
    Client("https://example.com/verify"),
    on_login=on_login,
    on_login_error=on_login_error,
    show_problem=show_problem,
    show_confirmation=show_confirmation,
    url_prefix="/account",
    languages=["de", "en"],
    browser_binding="require",
    session_max_age=3600,
)
Portier().init_app(app)
app.before_request(portier.require_login)


@portier_logged_in.connect_via(app)
def greet(app: Flask, login: Login) -> None:
    assert login.email


@app.get("/members/<int:number>")
@portier.login_required
def members(number: int) -> str:
    session = portier.session
    return portier.email or (session.id if session else str(number))


@app.post("/in")
def start() -> ResponseReturnValue:
    return portier.start_login("alice@example.com", "/next")
