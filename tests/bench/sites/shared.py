"""Shared code of the sites with other packages: settings, a form, and servers."""

from __future__ import annotations

import os
import secrets
import ssl
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "python/examples/shared"))
sys.path.append(str(Path(__file__).parents[1]))

from cache import Cache
from common import get_text
from example import listen, serve_asgi, serve_wsgi

__all__ = [
    "BROKER",
    "DISCOVERY",
    "FORM",
    "ORIGIN",
    "PORT",
    "REDIRECT_URI",
    "SECRET",
    "TLS",
    "Cache",
    "get_text",
    "listen",
    "serve_asgi",
    "serve_wsgi",
]

BROKER = os.environ["BROKER"]
DISCOVERY = f"{BROKER}/.well-known/openid-configuration"
PORT = int(os.environ["PORT"])
ORIGIN = f"http://localhost:{PORT}"
REDIRECT_URI = f"{ORIGIN}/verify"
SECRET = secrets.token_urlsafe(32)

# httpx reads the certificates of the system for each client that is not given them.
TLS = ssl.create_default_context()

FORM = """<!doctype html><title>Sign in</title>
<form method="post" action="/login">{}
<input type="email" name="email"><button>Sign in</button></form>
"""
