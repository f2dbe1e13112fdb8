"""Authlib's clients, for the frameworks that it has no integration for."""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING, Any

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from shared import DISCOVERY, ORIGIN, REDIRECT_URI, TLS, get_text

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Login:
    """The code flow, as the manuals of Authlib and joserfc show it."""

    def __init__(self) -> None:
        self._metadata = json.loads(get_text(DISCOVERY))
        self._keys = KeySet.import_key_set(json.loads(get_text(self._metadata["jwks_uri"])))
        self._options = {
            "client_id": ORIGIN,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid email",
            "token_endpoint_auth_method": "none",
        }
        self._client: Any = None

    def start(self, email: str) -> tuple[str, dict[str, str]]:
        """The URL to redirect to, and what the session has to keep."""
        nonce = secrets.token_urlsafe(16)
        url, state = self._client.create_authorization_url(
            self._metadata["authorization_endpoint"], nonce=nonce, login_hint=email
        )
        return url, {"state": state, "nonce": nonce}

    def _email(self, token: Mapping[str, str], nonce: str) -> str:
        claims = jwt.decode(token["id_token"], self._keys, algorithms=["RS256"]).claims
        JWTClaimsRegistry(
            iss={"essential": True, "value": self._metadata["issuer"]},
            aud={"essential": True, "value": ORIGIN},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        email: str = claims["email"]
        return email

    def _request(self, query: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
        if not secrets.compare_digest(query["state"], kept["state"]):
            raise ValueError("the state is another one")
        return {"url": self._metadata["token_endpoint"], "code": query["code"]}


class AsyncLogin(_Login):
    """With httpx, whose connections are kept."""

    def __init__(self) -> None:
        super().__init__()
        self._client = AsyncOAuth2Client(**self._options, verify=TLS)
        # Litestar writes the records of all packages.
        for name in ("httpx", "httpx2"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def email(self, query: Mapping[str, str], kept: Mapping[str, str]) -> str:
        """The address of the person who has signed in."""
        token = await self._client.fetch_token(**self._request(query, kept))
        return self._email(token, kept["nonce"])


class BlockingLogin(_Login):
    """With requests, whose connections are kept."""

    def __init__(self) -> None:
        super().__init__()
        self._client = OAuth2Session(**self._options)

    def email(self, query: Mapping[str, str], kept: Mapping[str, str]) -> str:
        """The address of the person who has signed in."""
        token = self._client.fetch_token(**self._request(query, kept))
        return self._email(token, kept["nonce"])
