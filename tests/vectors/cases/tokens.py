"""`tokens.json`: tokens, and what verifying each must lead to."""

from . import (
    confusions,
    ed25519,
    header_texts,
    headers,
    identities,
    paddings,
    payloads,
    signatures,
    structure,
    times,
)
from .keys import ED_A, ED_B, RSA_1024, RSA_3072, RSA_A, RSA_B, Jwk, base64url, number, without
from .mint import (
    BROKER,
    CLIENT_ID,
    EMAIL,
    LEEWAY,
    NONCE,
    NOW,
    REDIRECT_URI,
    STARTED_AT,
    in_families,
)

ABOUT = (
    "A client for `broker` and `redirect_uri`, with `leeway_seconds` and the case's options, gets "
    "`discovery` and `key_set` from the broker. At `session_started_at` it starts a login for "
    "`login_email`, whose nonce is `nonce`. At `now` it is given the case's token: the outcome is "
    "`expect`. Times are seconds since 1970. Written by generate.py."
)


FAMILIES = {
    "compact structure": [structure.parts, structure.sizes],
    "base64url": [structure.alphabet, structure.stray_bits],
    "header: algorithm": [headers.algorithms],
    "header: key id": [headers.key_ids],
    "header: type": [headers.types],
    "header: extensions and offered keys": [headers.extensions],
    "header: JSON": [header_texts.good, header_texts.json_texts],
    "confusion of keys": [confusions.public_keys_as_secrets, confusions.other_algorithms],
    "unusable keys": [confusions.unusable_keys],
    "signature: accepted": [signatures.good],
    "signature: RSA numbers": [signatures.numbers],
    "signature: RSA encodings and forgeries": [paddings.cases],
    "signature: Ed25519": [ed25519.cases],
    "payload: JSON": [payloads.json_texts, payloads.harmless],
    "claims: issuer": [payloads.issuers],
    "claims: audience": [payloads.audiences, payloads.parties],
    "claims: times": [times.forms, times.ends, times.starts, times.other_leeways],
    "claims: nonce": [identities.nonces],
    "claims: address": [identities.emails, identities.originals, identities.verified],
    "claims: identity providers": [identities.identity_providers],
    "order of the checks": [times.sessions],
}


def document() -> dict[str, object]:
    """The whole file."""
    return {"about": ABOUT, **setting(), "cases": in_families(FAMILIES)}


def setting() -> dict[str, object]:
    """The broker, the site, the login and the time."""
    return {
        "broker": BROKER,
        "redirect_uri": REDIRECT_URI,
        "client_id": CLIENT_ID,
        "nonce": NONCE,
        "login_email": EMAIL,
        "session_started_at": STARTED_AT,
        "now": NOW,
        "leeway_seconds": LEEWAY,
        "options": {},
        "discovery": discovery(),
        "key_set": {"keys": usable() + unusable()},
    }


def discovery() -> dict[str, object]:
    """The broker's discovery document."""
    return {
        "issuer": BROKER,
        "authorization_endpoint": f"{BROKER}/auth",
        "jwks_uri": f"{BROKER}/keys.json",
        "scopes_supported": ["openid", "email"],
        "response_types_supported": ["id_token"],
        "response_modes_supported": ["fragment", "form_post"],
        "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
        "accepts_id_token_signing_alg_query_param": True,
    }


def usable() -> list[Jwk]:
    """Keys a token may be signed with."""
    return [
        RSA_A.jwk("rsa-a"),
        RSA_B.jwk("rsa-b"),
        RSA_3072.jwk("rsa-3072", use="sig", key_ops=["verify"]),
        without(RSA_A.jwk("rsa-e3", e=number(3)), "use"),
        RSA_A.jwk(headers.LONG_KID),
        RSA_A.jwk("cl\u00e9"),
        ED_A.jwk("ed-a"),
        without(ED_B.jwk("ed-b"), "alg", "use"),
    ]


def unusable() -> list[Jwk]:
    """Keys that a client must ignore."""
    return [
        RSA_1024.jwk("rsa-1024"),
        without(RSA_A.jwk("rsa-without-alg"), "alg"),
        RSA_A.jwk("rsa-ps256", alg="PS256"),
        RSA_A.jwk("rsa-rs512", alg="RS512"),
        RSA_A.jwk("rsa-encryption", use="enc"),
        RSA_A.jwk("rsa-operations", key_ops=["encrypt"]),
        RSA_A.jwk("rsa-private", d=number(RSA_A.d)),
        RSA_A.jwk("twice"),
        RSA_B.jwk("twice"),
        RSA_A.jwk("mixed-twice"),
        RSA_1024.jwk("mixed-twice"),
        ED_A.jwk("ed-x25519", crv="X25519"),
        ED_A.jwk("ed-rs256", alg="RS256"),
        ED_A.jwk("ed-private", d=base64url(bytes(32))),
        ED_A.jwk("ed-small-order", x=base64url(bytes([1]) + bytes(31))),
        {"kty": "oct", "alg": "HS256", "kid": "hmac", "k": base64url(b"secret" * 6)},
        {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "ec", "x": "AQ", "y": "AQ"},
    ]
