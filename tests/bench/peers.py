"""Other packages that verify the same tokens, each set up as its manual recommends for speed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

import jwt
from asyncio_portier import get_verified_email
from authlib.jose import JsonWebKey, JsonWebToken
from cache import Cache
from common import get_text
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet
from jwt.utils import base64url_decode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Verify = Callable[[str], object]
    VerifyLater = Callable[[str], Awaitable[object]]

LEEWAY = 180


class Peers:
    """Verifiers with the broker's keys in the cache.

    Only asyncio-portier checks nonces. The others stop after the claims, so they do less than a
    login needs.
    """

    def __init__(self, broker: str, client_id: str) -> None:
        self._broker = broker
        self._client_id = client_id
        self._key_set = get_text(f"{broker}/keys.json")
        self._keys = json.loads(self._key_set)["keys"]

    def all(self) -> dict[str, Verify]:
        """The synchronous verifiers by name."""
        verifiers = {
            "cryptography": self._cryptography(),
            "pyjwt": self._pyjwt(),
            "joserfc": self._joserfc(),
            "authlib": self._authlib(),
        }
        if find_spec("ryjwt"):
            verifiers["ryjwt"] = self._ryjwt()
        return verifiers

    def _cryptography(self) -> Verify:
        """Verifies only the signature."""
        keys = {key["kid"]: jwt.PyJWK(key).key for key in self._keys}
        padding, hashing = PKCS1v15(), SHA256()

        def verify(token: str) -> None:
            signed, _, signature = token.rpartition(".")
            header = json.loads(base64url_decode(signed.partition(".")[0]))
            keys[header["kid"]].verify(
                base64url_decode(signature), signed.encode(), padding, hashing
            )

        return verify

    def _pyjwt(self) -> Verify:
        keys = {key["kid"]: jwt.PyJWK(key) for key in self._keys}

        def verify(token: str) -> object:
            return jwt.decode(
                token,
                keys[jwt.get_unverified_header(token)["kid"]],
                algorithms=["RS256"],
                audience=self._client_id,
                issuer=self._broker,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "nonce", "email"]},
            )

        return verify

    def _joserfc(self) -> Verify:
        keys = KeySet.import_key_set(json.loads(self._key_set))
        rules = joserfc_jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._broker},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
        )

        def verify(token: str) -> object:
            decoded = joserfc_jwt.decode(token, keys, algorithms=["RS256"])
            rules.validate(decoded.claims)
            return decoded.claims

        return verify

    def _authlib(self) -> Verify:
        keys = JsonWebKey.import_key_set(json.loads(self._key_set))
        decoder = JsonWebToken(["RS256"])
        rules = {
            "iss": {"essential": True, "value": self._broker},
            "aud": {"essential": True, "value": self._client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }

        def verify(token: str) -> object:
            claims = decoder.decode(token, keys, claims_options=rules)
            claims.validate(leeway=LEEWAY)
            return claims

        return verify

    def _ryjwt(self) -> Verify:
        """It has no wheels for CPython 3.11."""
        import ryjwt

        keys = {"keys": [key for key in self._keys if key["kty"] == "RSA"]}
        verifier = ryjwt.PublicKey.from_jwks(
            keys, algorithms=["RS256"], audience=self._client_id, issuer=self._broker
        )
        return lambda token: verifier.decode(token, leeway=LEEWAY)

    def asyncio_portier(self) -> tuple[Callable[[str], None], VerifyLater]:
        """Functions that remember a nonce and complete a login; the cache is a dictionary."""
        cache = Cache({f"portier:jwks:{self._broker}": self._key_set})

        def remember(nonce: str) -> None:
            cache.set(f"portier:nonce:{nonce}", "/", 900)

        async def verify(token: str) -> object:
            return await get_verified_email(
                self._broker, token, self._client_id, self._broker, cache
            )

        return remember, verify
