"""A site on Flask with its own sessions, whose URLs are those of browsers."""

from flask import Flask, request
from settings import BROKER, PREFIX, REDIRECT_URI, SECRET
from werkzeug.middleware.proxy_fix import ProxyFix

from portier_client.flask import Portier

app = Flask(__name__)
app.config.from_mapping(
    APPLICATION_ROOT=PREFIX or "/",
    SECRET_KEY=SECRET,
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=True,
    PORTIER_BROKER=BROKER,
    PORTIER_REDIRECT_URI=REDIRECT_URI,
)
app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_prefix=1)  # type: ignore[method-assign]
portier = Portier(app)


@app.get("/")
def index() -> str:
    return "sign in"


@app.get("/members")
@portier.login_required
def members() -> str:
    return f"{portier.email} at {request.url}"
