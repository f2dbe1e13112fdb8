"""Makes valid and invalid tokens, and their cases."""

import json
from collections.abc import Callable, Mapping

from .keys import RSA_A, base64url

BROKER = "https://broker.example"
REDIRECT_URI = "https://rp.example/verify"
CLIENT_ID = "https://rp.example"
NONCE = base64url(bytes(range(1, 25)))
EMAIL = "alice@example.com"
STARTED_AT = 1_700_000_000
NOW = STARTED_AT + 60
LEEWAY = 180
ISSUED_AT = STARTED_AT + 30
EXPIRES_AT = ISSUED_AT + 600

Case = dict[str, object]
Part = Mapping[str, object] | str | bytes

ABSENT = object()
"""As the value of a member: leave it out."""


def header(**changes: object) -> dict[str, object]:
    """The header of a broker's token, changed."""
    return changed({"alg": "RS256", "kid": "rsa-a", "typ": "JWT"}, changes)


def claims(**changes: object) -> dict[str, object]:
    """The payload of a broker's token, changed."""
    usual = {
        "iss": BROKER,
        "aud": CLIENT_ID,
        "nonce": NONCE,
        "iat": ISSUED_AT,
        "exp": EXPIRES_AT,
        "sub": EMAIL,
        "email": EMAIL,
        "email_original": EMAIL,
        "email_verified": True,
    }
    return changed(usual, changes)


def changed(usual: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """The members with the changes made."""
    members = {**usual, **changes}
    return {name: value for name, value in members.items() if value is not ABSENT}


def text(members: Mapping[str, object]) -> str:
    """A JSON object in its shortest form."""
    return json.dumps(members, separators=(",", ":"))


def with_literal(members: Mapping[str, object], name: str, literal: str) -> str:
    """A JSON object in which the value of one member has a given spelling."""
    return text({**members, name: "\0"}).replace('"\\u0000"', literal)


def as_bytes(part: Part) -> bytes:
    """A part of a token, before base64url."""
    if isinstance(part, Mapping):
        part = text(part)
    return part.encode("utf-8") if isinstance(part, str) else part


def sign(
    head: Part | None = None,
    payload: Part | None = None,
    signer: Callable[[bytes], bytes] = RSA_A.sign,
) -> str:
    """A compact token with any header and payload, signed by `signer`."""
    head = header() if head is None else head
    payload = claims() if payload is None else payload
    return seal(base64url(as_bytes(head)), base64url(as_bytes(payload)), signer)


def seal(head: str, payload: str, signer: Callable[[bytes], bytes] = RSA_A.sign) -> str:
    """A compact token from encoded parts, valid or not."""
    signed = f"{head}.{payload}"
    return f"{signed}.{base64url(signer(signed.encode('utf-8')))}"


def accepted(**login: object) -> dict[str, object]:
    """The result of a valid token; `login` has the differences from the usual one."""
    usual = {
        "email": EMAIL,
        "email_original": EMAIL,
        "issued_at": ISSUED_AT,
        "auth_time": None,
    }
    return {**usual, **login}


def refused(code: str, claim: str, reason: str = "check_failed") -> dict[str, object]:
    """The error for a claim."""
    return {"code": code, "claim": claim, "reason": reason}


def case(
    identifier: str,
    about: str,
    token: str,
    expect: str | dict[str, object],
    basis: str,
    **options: object,
) -> Case:
    """One case; `expect` is the code of an error, or a result of `refused` or `accepted`."""
    outcome = {"code": expect} if isinstance(expect, str) else expect
    made: Case = {"id": identifier, "about": about, "token": token}
    if options:
        made["options"] = options
    return {**made, "expect": outcome, "basis": basis}


def in_families(families: Mapping[str, list[Callable[[], list[Case]]]]) -> list[Case]:
    """All cases, each with the name of its family."""
    return [
        {"id": made["id"], "family": family, **made}
        for family, makers in families.items()
        for make in makers
        for made in make()
    ]


def flipped(signature: bytes) -> bytes:
    """The signature with one bit in its middle flipped."""
    middle = len(signature) // 2
    return signature[:middle] + bytes([signature[middle] ^ 1]) + signature[middle + 1 :]
