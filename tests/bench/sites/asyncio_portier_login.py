"""A login with asyncio-portier, as its manual says, with its cache in memory."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from asyncio_portier import get_verified_email
from shared import BROKER, ORIGIN, REDIRECT_URI, Cache, get_text

LIFETIME_SECONDS = 900

CACHE = Cache({f"portier:jwks:{BROKER}": get_text(f"{BROKER}/keys.json")})


def url_of(email: str) -> str:
    """The URL to redirect to."""
    nonce = uuid4().hex
    CACHE.set(f"portier:nonce:{nonce}", "/", LIFETIME_SECONDS)
    query = {
        "login_hint": email,
        "scope": "openid email",
        "nonce": nonce,
        "response_type": "id_token",
        "response_mode": "form_post",
        "client_id": ORIGIN,
        "redirect_uri": REDIRECT_URI,
    }
    return f"{BROKER}/auth?{urlencode(query)}"


async def email_of(token: str) -> tuple[str, str]:
    """The address of the person who has signed in, and the page to return to."""
    email, place = await get_verified_email(BROKER, token, ORIGIN, BROKER, CACHE)
    return email, place
