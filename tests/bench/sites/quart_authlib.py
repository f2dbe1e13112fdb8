"""The login of the Quart example, written with Authlib's client and Quart's sessions."""

from __future__ import annotations

from authlib_login import AsyncLogin
from quart import Quart, Response, redirect, request, session
from shared import FORM, PORT, SECRET, serve_asgi

app = Quart(__name__)
app.config["SECRET_KEY"] = SECRET
portier = AsyncLogin()


@app.get("/")
async def index() -> str:
    email: str = session.get("email", "")
    return email


@app.get("/login")
async def form() -> str:
    return FORM.format("")


@app.post("/login")
async def login() -> Response:
    fields = await request.form
    url, session["login"] = portier.start(fields["email"])
    return redirect(url, 303)


@app.get("/verify")
async def verify() -> Response:
    session["email"] = await portier.email(request.args, session.pop("login"))
    return redirect("/", 303)


if __name__ == "__main__":
    serve_asgi(app, PORT)
