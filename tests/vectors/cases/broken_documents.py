"""`broken_documents.json`: discovery documents that are truncated, nested, repeated or too big."""

import json

from .mint import BROKER, Case, in_families

ABOUT = (
    "A client for `broker` gets `body` for its discovery document, and cannot use it, or can, with "
    "what `expect` has of it. Written by generate.py; discovery.json has what is written by hand."
)
JSON = "RFC 8259"
MEMBERS = "OpenID Connect Discovery, section 3"
DEPTH = "policy: at most 16 levels, 256 members, numbers of 1024 bytes"
REFUSED = {"code": "broker_document"}
GOOD = {"authorization_endpoint": f"{BROKER}/auth", "jwks_uri": f"{BROKER}/keys.json"}
ATTACKER = "https://evil.example/"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "discovery: cut off": [cut],
        "discovery: repeated members": [repeated],
        "discovery: depth and sizes": [sizes],
        "discovery: endpoints": [endpoints],
    }
    return {"about": ABOUT, "broker": BROKER, "cases": in_families(families)}


def case(identifier: str, about: str, body: str, expect: dict[str, str], basis: str) -> Case:
    """One case."""
    return {"id": identifier, "about": about, "body": body, "expect": expect, "basis": basis}


def plain(**members: object) -> str:
    """A document with the two endpoints, and added or replaced members."""
    return json.dumps({**GOOD, **members})


def cut() -> list[Case]:
    """The beginning of a document, as after a broken connection."""
    whole = plain(issuer=BROKER)
    places = sorted({len(whole) * part // 24 for part in range(1, 24)} | {len(whole) - 1})
    return [
        case(f"cut-{place}", f"the first {place} bytes", whole[:place], REFUSED, JSON)
        for place in places
    ]


def repeated() -> list[Case]:
    """A repeated member, of which a lax parser takes the first or the last."""
    whole = plain(issuer=BROKER)
    names = ["issuer", "authorization_endpoint", "jwks_uri"]
    made = []
    for name in names:
        escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
        short = name.replace("_", "-")
        rows = [
            ("first", f'{{"{name}":"{ATTACKER}",{whole[1:]}'),
            ("last", f'{whole[:-1]},"{name}":"{ATTACKER}"}}'),
            ("escaped-first", f'{{"{escaped}":"{ATTACKER}",{whole[1:]}'),
            ("escaped-last", f'{whole[:-1]},"{escaped}":"{ATTACKER}"}}'),
            ("null-last", f'{whole[:-1]},"{name}":null}}'),
        ]
        made += [
            case(f"twice-{short}-{which}", f"{name} twice", body, REFUSED, f"{JSON}, section 4")
            for which, body in rows
        ]
    return made


def sizes() -> list[Case]:
    """Documents at the limits, and just above."""
    many = {f"m{index}": index for index in range(254)}
    deep = [*"[" * 15]
    nested = "".join(deep) + "]" * 15
    rows = [
        ("16-levels", "as deep as it may be", plain()[:-1] + f',"x":{nested}}}', GOOD),
        ("17-levels", "a level deeper", plain()[:-1] + f',"x":[{nested}]}}', REFUSED),
        (
            "thousand-levels",
            "far deeper",
            plain()[:-1] + f',"x":{"[" * 1000}{"]" * 1000}}}',
            REFUSED,
        ),
        ("objects", "objects in objects", plain()[:-1] + f',"x":{"{" * 3}', REFUSED),
        ("256-members", "as many members as there may be", plain(**many), GOOD),
        ("257-members", "a member more", plain(**many, x=1), REFUSED),
        (
            "1024-digits",
            "a number as long as it may be",
            plain()[:-1] + f',"x":{"1" * 1024}}}',
            GOOD,
        ),
        ("1025-digits", "a digit more", plain()[:-1] + f',"x":{"1" * 1025}}}', REFUSED),
        ("long-text", "a long text nobody reads", plain(x="x" * 20_000), GOOD),
        ("long-name", "a long name nobody knows", plain(**{"x" * 20_000: 1}), GOOD),
        ("long-list", "a long list nobody reads", plain(x=[0] * 5_000), GOOD),
        ("white-space", "much white space", " " * 5_000 + plain() + "\n" * 5_000, GOOD),
    ]
    return [case(f"size-{name}", about, body, expect, DEPTH) for name, about, body, expect in rows]


def endpoints() -> list[Case]:
    """Misleading endpoints."""
    wrong = {
        "userinfo-like-host": f"{BROKER}@evil.example/",
        "userinfo-escaped": "https://broker.example%40x@evil.example/",
        "backslash-at": "https://evil.example\\@broker.example/",
        "leading-space": f" {BROKER}/auth",
        "nul": f"{BROKER}/auth\0",
        "tab-in-scheme": "ht\ttps://broker.example/auth",
        "crlf": f"{BROKER}/auth\r\nX: y",
        "upper-case-http": "HTTP://broker.example/auth",
        "no-slashes": "https:broker.example/auth",
        "three-slashes": "https:///broker.example/auth",
        "blob": f"blob:{BROKER}/x",
        "view-source": f"view-source:{BROKER}/",
        "websocket": "wss://broker.example/auth",
        "mailto": "mailto:alice@example.com",
        "fragment-empty": f"{BROKER}/auth#",
        "port-zero-like": "https://broker.example:x/",
        "port-too-large": "https://broker.example:65536/",
        "punycode-bad": "https://xn--a/",
        "script-upper-case": "JavaScript:alert(1)",
        "script-with-slashes": "javascript://broker.example/%0aalert(1)",
        "line-separator": f"{BROKER}/\u2028",
    }
    return [
        case(
            f"{name.replace('_', '-')}-{kind}",
            f"{name} is {text!a}",
            plain(**{name: text}),
            REFUSED,
            f"{MEMBERS}; RFC 6749, section 3.1",
        )
        for name in GOOD
        for kind, text in wrong.items()
    ]
