"""The login of the Flask example, written with Authlib as its manual says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, request, session
from shared import DISCOVERY, FORM, ORIGIN, PORT, REDIRECT_URI, SECRET, serve_wsgi

if TYPE_CHECKING:
    from werkzeug import Response

app = Flask(__name__)
app.config["SECRET_KEY"] = SECRET
oauth = OAuth(app)
oauth.register(
    "portier",
    client_id=ORIGIN,
    server_metadata_url=DISCOVERY,
    client_kwargs={"scope": "openid email", "token_endpoint_auth_method": "none"},
)


@app.get("/")
def index() -> str:
    email: str = session.get("email", "")
    return email


@app.get("/login")
def form() -> str:
    return FORM.format("")


@app.post("/login")
def login() -> Response:
    answer: Response = oauth.portier.authorize_redirect(
        REDIRECT_URI, login_hint=request.form["email"]
    )
    return answer


@app.get("/verify")
def verify() -> Response:
    token = oauth.portier.authorize_access_token()
    session["email"] = token["userinfo"]["email"]
    return redirect("/", 303)


if __name__ == "__main__":
    serve_wsgi(app, PORT)
