"""The verdicts of this library and of others on a token: "accepted", or a reason."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwt
from cases.mint import (
    BROKER,
    CLIENT_ID,
    EMAIL,
    LEEWAY,
    NONCE,
    NOW,
    REDIRECT_URI,
    STARTED_AT,
)
from cases.tokens import discovery

from portier_client import PortierError
from portier_client.testing import ManualClock, MockTransport, mock_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mutants import Mutant

ACCEPTED = "accepted"
ALGORITHMS = ["RS256", "EdDSA"]
REQUIRED = ["iss", "aud", "exp", "iat", "nonce", "email"]
HERE = Path(__file__).parent
JOSE = [os.environ.get("NODE", "node"), str(HERE / "jose.mjs")]
JSONWEBTOKEN = [str(HERE.parents[1] / "target/debug/examples/second_opinion")]


def ours(mutant: Mutant) -> str:
    """The verdict of this library: the code and the message."""
    import base64

    transport = MockTransport()
    well_known = f"{BROKER}/.well-known/openid-configuration"
    transport.respond(well_known, json.dumps(discovery()).encode())
    transport.respond(f"{BROKER}/keys.json", mutant.key_set.encode("utf-8", "replace"))
    clock = ManualClock(STARTED_AT)
    client = mock_client(
        REDIRECT_URI,
        broker=BROKER,
        clock=clock,
        transport=transport,
        random=[base64.urlsafe_b64decode(NONCE)],
    )

    async def log_in() -> str:
        await client.authenticate(EMAIL)
        clock.set(NOW)
        try:
            await client.verify(mutant.token)
        except PortierError as error:
            return f"{error.code}: {error}"
        return ACCEPTED

    return asyncio.run(log_in())


def named(key_set: str, kid: object) -> list[str]:
    """The keys with an id. The other keys are left out for every library: some need a second for a
    key with a private exponent, and some refuse a set with one key that they cannot read."""
    keys = json.loads(key_set)["keys"]
    return [json.dumps(jwk) for jwk in keys if isinstance(jwk, dict) and jwk.get("kid") == kid]


class _Now(datetime.datetime):
    """Sets the time of the callback, for libraries that use the system's clock."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return datetime.datetime.fromtimestamp(NOW, tz)


def by_pyjwt(mutant: Mutant) -> None:
    """The verdict of PyJWT, used with a key set as its documentation says."""
    kid = jwt.get_unverified_header(mutant.token)["kid"]
    (jwk,) = named(mutant.key_set, kid)
    with mock.patch("jwt.api_jwt.datetime", _Now):
        jwt.decode(
            mutant.token,
            jwt.PyJWK(json.loads(jwk)),
            algorithms=ALGORITHMS,
            issuer=BROKER,
            audience=CLIENT_ID,
            leeway=LEEWAY,
            options={"require": REQUIRED, "strict_aud": True},
        )


def by_joserfc(mutant: Mutant) -> None:
    """The verdict of joserfc, with the key that the token names."""
    kid = joserfc.jws.extract_compact(mutant.token.encode()).headers()["kid"]
    (jwk,) = named(mutant.key_set, kid)
    key = joserfc.jwk.import_key(json.loads(jwk))
    token = joserfc.jwt.decode(mutant.token, key, algorithms=ALGORITHMS)
    essential: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    essential["iss"]["value"] = BROKER
    essential["aud"]["value"] = CLIENT_ID
    joserfc.jwt.JWTClaimsRegistry(now=NOW, leeway=LEEWAY, **essential).validate(token.claims)


def verdict(library: Callable[[Mutant], None], mutant: Mutant) -> str:
    """The verdict of a library that raises an exception if it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library(mutant)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ACCEPTED


def by_jose(mutants: Iterable[Mutant]) -> list[str]:
    """The verdicts of npm's jose on all tokens."""
    setting = {
        "issuer": BROKER,
        "audience": CLIENT_ID,
        "algorithms": ALGORITHMS,
        "clockTolerance": LEEWAY,
        "requiredClaims": REQUIRED,
    }
    return by_program(JOSE, {"now": NOW, "options": setting}, mutants)


def by_jsonwebtoken(mutants: Iterable[Mutant]) -> list[str]:
    """The verdicts of the crate jsonwebtoken on all tokens."""
    return by_program(JSONWEBTOKEN, [BROKER, CLIENT_ID], mutants)


def by_program(command: list[str], setting: object, mutants: Iterable[Mutant]) -> list[str]:
    """The verdicts of a program that reads and writes lines of JSON."""
    lines = [json.dumps(setting)]
    lines += [json.dumps([mutant.token, mutant.key_set]) for mutant in mutants]
    child = subprocess.run(
        command,
        input="\n".join(lines),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return [str(json.loads(line)) for line in child.stdout.splitlines()]
