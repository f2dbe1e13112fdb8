"""Code of a WSGI site, for type checkers; nothing runs it."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from portier_client import Login
from portier_client.blocking import Client
from portier_client.web import Problem
from portier_client.wsgi import FinishedResponse, PortierMiddleware, Visit


def on_login(environ: WSGIEnvironment, login: Login) -> FinishedResponse:
    return FinishedResponse(303, [("location", "/welcome")], "")


def show_problem(environ: WSGIEnvironment, problem: Problem) -> str:
    return problem.title


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    visit = Visit.of(environ)
    if visit.session is None:
        return visit.require_login()(environ, start_response)
    return visit.start_login(visit.session.email, "/next")(environ, start_response)


app: WSGIApplication = PortierMiddleware(
    site,
    Client("https://example.com/verify"),
    on_login=on_login,
    show_problem=show_problem,
    secret=[os.urandom(32)],
    languages=["de", "en"],
)
