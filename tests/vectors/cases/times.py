"""When a token is valid."""

from .mint import (
    ABSENT,
    EXPIRES_AT,
    ISSUED_AT,
    LEEWAY,
    NOW,
    STARTED_AT,
    Case,
    accepted,
    case,
    claims,
    refused,
    sign,
    with_literal,
)
from .payloads import absent, spelt

DATE = "RFC 7519, section 2, NumericDate"
EXPIRY = "RFC 7519, section 4.1.4; OpenID Connect Core, section 3.1.3.7, item 9"
NOT_BEFORE = "RFC 7519, section 4.1.5"
ISSUED = "RFC 7519, section 4.1.6; OpenID Connect Core, section 3.1.3.7, item 10"
SESSION = "policy: an answer that is older than its login means that a clock is wrong"

NOT_A_TIME = {
    "null": "null",
    "string": '"1700000630"',
    "true": "true",
    "array": "[1700000630]",
    "object": '{"t":1700000630}',
    "negative": "-1",
    "too-large": "253402300800",
    "milliseconds": "1700000630000",
    "infinite": "1e400",
    "largest-integer": "18446744073709551615",
    "long": "9" * 400,
    "false": "false",
    "empty": '""',
    "minus-infinite": "-1e400",
    "tiny-negative": "-0.001",
    "date": '"2023-11-14T22:23:50Z"',
    "fraction-too-large": "253402300799.5",
    "beyond-double": "1" + "0" * 309,
    "number-token": '{"$serde_json::private::Number":"1700000630"}',
}
"""Values that are no time from 1970 to 9999, for every claim with a time."""


def forms() -> list[Case]:
    """Spellings of a time."""
    rows = [
        absent("exp", "token_claim", EXPIRY),
        absent("iat", "token_claim", ISSUED),
        *spelt("exp", NOT_A_TIME, "token_claim", DATE),
        *spelt("iat", NOT_A_TIME, "token_claim", DATE),
        *spelt("nbf", NOT_A_TIME, "token_claim", DATE),
        *spelt("auth_time", NOT_A_TIME, "token_claim", "OpenID Connect Core, section 2"),
    ]
    good = {
        "exp-fraction": ("exp", "1700000630.5", accepted()),
        "exp-exponent": ("exp", "1.70000063e9", accepted()),
        "exp-positive-exponent": ("exp", "170000063E+1", accepted()),
        "exp-many-digits": ("exp", "1700000630." + "0" * 400, accepted()),
        "exp-end-of-9999": ("exp", "253402300799", accepted()),
        "iat-fraction": ("iat", "1700000030.25", accepted(issued_at=1700000030.25)),
        "iat-exponent": ("iat", "17000000300e-1", accepted()),
        "nbf-zero": ("nbf", "0", accepted()),
        "nbf-past": ("nbf", "1700000059", accepted()),
        "auth-time": ("auth_time", "1700000020", accepted(auth_time=1700000020)),
        "auth-time-fraction": ("auth_time", "1700000020.5", accepted(auth_time=1700000020.5)),
        "auth-time-zero": ("auth_time", "0", accepted(auth_time=0)),
        "auth-time-future": ("auth_time", "4000000000", accepted(auth_time=4000000000)),
        "auth-time-before-session": ("auth_time", "1600000000", accepted(auth_time=1600000000)),
        "nbf-negative-zero": ("nbf", "-0", accepted()),
        "nbf-tiny": ("nbf", "1e-400", accepted()),
        "exp-fraction-of-9999": ("exp", "253402300798.999", accepted()),
    }
    rows += [
        case(name, f"{claim} as a broker may write it", token, outcome, DATE)
        for name, (claim, literal, outcome) in good.items()
        for token in [sign(payload=with_literal(claims(), claim, literal))]
    ]
    return rows


def ends() -> list[Case]:
    """Around the end of a token's validity."""
    early = STARTED_AT - 150
    rows = [
        ("next-second", "a second from now", NOW + 1, True),
        ("now", "now, which the leeway allows", NOW, True),
        ("leeway", "almost the leeway ago", NOW - LEEWAY + 1, True),
        ("leeway-fraction", "a little less than the leeway ago", NOW - LEEWAY + 0.5, True),
        ("leeway-over", "just the leeway ago", NOW - LEEWAY, False),
        ("past", "an hour ago", NOW - 3600, False),
        ("zero", "in 1970", 0, False),
    ]
    made = [
        case(
            f"exp-{name}",
            f"the token expires or has expired: {about}",
            sign(payload=claims(exp=expires_at, iat=early)),
            accepted(issued_at=early) if good else refused("token_expired", "exp"),
            EXPIRY,
        )
        for name, about, expires_at, good in rows
    ]
    order = "policy: a token is valid for some time"
    made += [
        case(
            "exp-is-iat",
            "the token expires when it is issued",
            sign(payload=claims(exp=ISSUED_AT)),
            refused("token_claim", "exp"),
            order,
        ),
        case(
            "exp-before-iat",
            "the token expires before it is issued",
            sign(payload=claims(exp=NOW, iat=NOW + 1)),
            refused("token_claim", "exp"),
            order,
        ),
        case(
            "exp-just-after-iat",
            "the token is valid for a quarter of a second",
            sign(payload=claims(exp=ISSUED_AT + 0.25)),
            accepted(),
            order,
        ),
    ]
    return made


def starts() -> list[Case]:
    """Around the beginning of a token's validity."""
    rows = [
        ("now", "now", NOW, True),
        ("leeway", "after just the leeway", NOW + LEEWAY, True),
        ("leeway-over", "a second after the leeway", NOW + LEEWAY + 1, False),
        ("leeway-fraction", "a quarter of a second after the leeway", NOW + LEEWAY + 0.25, False),
        ("tomorrow", "tomorrow", NOW + 86_400, False),
    ]
    made = [
        case(
            f"iat-{name}",
            f"the token is issued {about}",
            sign(payload=claims(iat=time, exp=time + 600)),
            accepted(issued_at=time) if good else refused("token_not_yet_valid", "iat"),
            ISSUED,
        )
        for name, about, time, good in rows
    ]
    made += [
        case(
            f"nbf-{name}",
            f"the token is valid from {about}",
            sign(payload=claims(nbf=time, exp=time + 600)),
            accepted() if good else refused("token_not_yet_valid", "nbf"),
            NOT_BEFORE,
        )
        for name, about, time, good in rows
    ]
    return made


def other_leeways() -> list[Case]:
    """The same limits for clients with another leeway."""
    early, late = refused("token_clock", "iat"), refused("token_expired", "exp")
    rows = [
        ("exp-no-leeway", claims(exp=NOW + 1, iat=NOW), 0, accepted(issued_at=NOW)),
        ("exp-no-leeway-now", claims(exp=NOW, iat=NOW - 1), 0, late),
        ("exp-no-leeway-fraction", claims(exp=NOW + 0.25), 0, accepted()),
        ("exp-no-leeway-past", claims(exp=NOW - 0.25), 0, late),
        ("iat-no-leeway", claims(iat=NOW), 0, accepted(issued_at=NOW)),
        (
            "iat-no-leeway-fraction",
            claims(iat=NOW + 0.25),
            0,
            refused("token_not_yet_valid", "iat"),
        ),
        (
            "iat-no-leeway-next-second",
            claims(iat=NOW + 1),
            0,
            refused("token_not_yet_valid", "iat"),
        ),
        ("nbf-no-leeway", claims(nbf=NOW), 0, accepted()),
        (
            "nbf-no-leeway-next-second",
            claims(nbf=NOW + 1),
            0,
            refused("token_not_yet_valid", "nbf"),
        ),
        ("session-no-leeway", claims(iat=STARTED_AT), 0, accepted(issued_at=STARTED_AT)),
        ("session-no-leeway-before", claims(iat=STARTED_AT - 0.5), 0, early),
        ("exp-most-leeway", claims(exp=NOW - 299, iat=STARTED_AT - 290), 300, STARTED_AT - 290),
        ("exp-most-leeway-over", claims(exp=NOW - 300, iat=STARTED_AT - 290), 300, late),
        ("iat-most-leeway", claims(iat=NOW + 300, exp=NOW + 600), 300, NOW + 300),
        (
            "iat-most-leeway-over",
            claims(iat=NOW + 301, exp=NOW + 600),
            300,
            refused("token_not_yet_valid", "iat"),
        ),
        ("session-most-leeway", claims(iat=STARTED_AT - 300), 300, STARTED_AT - 300),
        ("session-most-leeway-over", claims(iat=STARTED_AT - 301), 300, early),
    ]
    return [
        case(
            f"leeway-{name}",
            "the edge of the leeway, for a client that has another than usual",
            sign(payload=payload),
            accepted(issued_at=outcome) if isinstance(outcome, int) else outcome,
            f"{EXPIRY}; policy: a leeway of at most 300 seconds",
            leeway_seconds=leeway,
        )
        for name, payload, leeway, outcome in rows
    ]


def sessions() -> list[Case]:
    """Tokens from before the login, and the order of the checks."""
    limit = STARTED_AT - LEEWAY
    first = "policy: cheap checks come before the signature, the others after it"
    other = sign().split(".")[2]
    expired = sign(payload=claims(exp=NOW - 3600, iat=NOW - 4200)).rpartition(".")[0]
    nameless = sign(payload=claims(email=ABSENT)).rpartition(".")[0]
    return [
        case(
            "iat-before-session-leeway",
            "the token is older than the login by just the leeway",
            sign(payload=claims(iat=limit)),
            accepted(issued_at=limit),
            SESSION,
        ),
        case(
            "iat-before-session",
            "the token is older than the login by more than the leeway",
            sign(payload=claims(iat=limit - 1)),
            refused("token_clock", "iat"),
            SESSION,
        ),
        case(
            "order-expired-before-signature",
            "the token has expired, and its signature does not hold",
            f"{expired}.{other}",
            refused("token_expired", "exp"),
            first,
        ),
        case(
            "order-expired-before-key",
            "the token has expired, and no key has its key id",
            sign({"alg": "RS256", "kid": "rsa-z"}, claims(exp=NOW - 3600, iat=NOW - 4200)),
            refused("token_expired", "exp"),
            first,
        ),
        case(
            "order-signature-before-email",
            "the token has no address, and its signature does not hold",
            f"{nameless}.{other}",
            "token_signature",
            first,
        ),
        case(
            "order-header-before-claims",
            "the header has no key id, and the token has expired",
            sign({"alg": "RS256"}, claims(exp=EXPIRES_AT - 86_400)),
            "token_header",
            first,
        ),
    ]
