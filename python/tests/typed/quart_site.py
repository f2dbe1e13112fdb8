"""Code of a site for Quart, for type checkers; nothing runs it."""

from quart import Quart, ResponseReturnValue, redirect, websocket

from portier_client import Client, Login
from portier_client.quart import Portier
from portier_client.web import Problem


async def on_login(login: Login) -> ResponseReturnValue | None:
    return redirect("/welcome") if login.email else None


def show_problem(problem: Problem) -> str:
    return problem.title


app = Quart(__name__)
portier = Portier(app, on_login=on_login, show_problem=show_problem, languages=["de", "en"])
Portier().init_app(app, Client("https://example.com/verify"))
app.before_request(portier.require_login)


@app.get("/members/<int:number>")
@portier.login_required
async def members(number: int) -> str:
    session = await portier.session
    return await portier.email or (session.id if session else str(number))


@app.post("/in")
async def start() -> ResponseReturnValue:
    return await portier.start_login("alice@example.com", "/next")


@app.websocket("/news")
@portier.login_required
async def news() -> None:
    await websocket.send(portier.flow.form_policy)
