"""A site whose servers are written in two languages."""

from __future__ import annotations

import json
import os
import subprocess

from e2e.broker import ROOT
from portier_client import Client
from portier_client.web import SessionCookie

REDIRECT_URI = "https://example.com/verify"
SECRET = "9f0ZkqvB2nXcT7uLh1sWm4yEr8pJd5Ag"

PROGRAM = """
const { PortierClient, SessionCookie } = require("portier-client");
const { cookie, redirectUri, secret } = JSON.parse(process.argv[1]);
const sessions = new SessionCookie(new PortierClient({ redirectUri }), { secret });
const { email, id, signedInAt, expiresAt } = sessions.read(cookie) ?? {};
const [started, setCookie] = sessions.start("bob@example.com");
const read = [email, id, signedInAt, expiresAt];
console.log(JSON.stringify({ read, id: started.id, setCookie }));
"""


def visit_node(cookie: str) -> dict[str, object]:
    """Reads a session in Node, and starts another one there."""
    given = json.dumps({"cookie": cookie, "redirectUri": REDIRECT_URI, "secret": SECRET})
    command = [os.environ.get("NODE", "node"), "--eval", PROGRAM, given]
    result = subprocess.run(command, cwd=ROOT / "node", capture_output=True, check=True, timeout=60)
    seen: dict[str, object] = json.loads(result.stdout)
    return seen


def test_a_session_is_shared_by_servers_in_python_and_node() -> None:
    sessions = SessionCookie(Client(REDIRECT_URI), SECRET)
    session, set_cookie = sessions.start("alice@example.com")
    seen = visit_node(set_cookie.partition(";")[0])
    assert seen["read"] == [
        "alice@example.com",
        session.id,
        session.signed_in_at,
        session.expires_at,
    ]
    started = sessions.read(str(seen["setCookie"]).partition(";")[0])
    assert started is not None
    assert (started.email, started.id) == ("bob@example.com", seen["id"])


def test_a_session_of_another_secret_is_not_shared() -> None:
    _, set_cookie = SessionCookie(Client(REDIRECT_URI), SECRET[::-1]).start("alice@example.com")
    assert visit_node(set_cookie.partition(";")[0])["read"] == [None] * 4
