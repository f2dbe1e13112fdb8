"""The login of the Bottle example, written with Authlib's client and Bottle's signed cookies."""

from __future__ import annotations

import json

from authlib_login import BlockingLogin
from bottle import Bottle, redirect, request, response
from shared import FORM, PORT, SECRET, serve_wsgi

app = Bottle()
portier = BlockingLogin()


@app.get("/")
def index() -> str:
    email: str = request.get_cookie("email", "", secret=SECRET)
    return email


@app.get("/login")
def form() -> str:
    return FORM.format("")


@app.post("/login")
def login() -> None:
    url, kept = portier.start(request.forms.getunicode("email"))
    response.set_cookie("login", json.dumps(kept), secret=SECRET, httponly=True, samesite="lax")
    redirect(url, 303)


@app.get("/verify")
def verify() -> None:
    kept = json.loads(request.get_cookie("login", secret=SECRET))
    email = portier.email(request.query, kept)
    response.delete_cookie("login")
    response.set_cookie("email", email, secret=SECRET, httponly=True, samesite="lax")
    redirect("/", 303)


if __name__ == "__main__":
    serve_wsgi(app, PORT)
