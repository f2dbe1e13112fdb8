"""`sealed_logins.json`: pending logins that travel through the browser."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import tokens
from .mint import (
    BROKER,
    CLIENT_ID,
    EMAIL,
    ISSUED_AT,
    NONCE,
    NOW,
    REDIRECT_URI,
    Case,
    claims,
    in_families,
    sign,
)
from .sealed import NEW, OLD, OTHER, decode, encode, with_lengths

ABOUT = (
    "A site at `redirect_uri` has `secrets` for pending logins, the first of which seals, and no "
    "store. At `now` a callback arrives with `params`, in a client with this `flow`. `browser` is "
    "the secret of the browser. At its token endpoint, the broker gives `token` for any code; if "
    "that is null, there must be no request. The first case of a family of genuine logins is "
    "sealed with zeros as the random bytes. Written by generate.py."
)
LABEL = b"portier-client:login:1"
TOKEN_ENDPOINT = f"{BROKER}/token"
TTL = 1800
HERE, THERE = "the secret of a browser", "the secret of another"
PAGE = "/members"

FORMAT = (
    "policy: version, key id, nonce, ciphertext and tag of AES-256-GCM; keys by HKDF (RFC 5869)"
)
CONTENT = "policy: kind, tag of the browser, flags, start in milliseconds, texts with their lengths"
BOUND = "policy: a login is sealed for one broker, redirect URI, flow and version"
ROTATION = "policy: the first secret seals, all of them open"
TIMES = "policy: session_ttl; five minutes for the clocks of several machines"
ONE_ANSWER = "policy: what nobody here has sealed gets one answer"
SINGLE = "policy: without a shared store, only the browser of a login completes it"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "login: genuine": [genuine],
        "login: rotation": [rotation],
        "login: times": [times],
        "login: bound to the site": [bound],
        "login: content": [content],
        "login: changed": [changed],
        "login: implicit flow": [implicit],
    }
    setting = tokens.setting()
    discovery: dict[str, Any] = {
        **setting["discovery"],  # type: ignore[dict-item]
        "token_endpoint": TOKEN_ENDPOINT,
        "response_types_supported": ["id_token", "code"],
        "response_modes_supported": ["form_post", "query"],
    }
    return {
        "about": ABOUT,
        **{name: setting[name] for name in ("broker", "redirect_uri", "now", "key_set")},
        "discovery": discovery,
        "token_endpoint": TOKEN_ENDPOINT,
        "secrets": [NEW, OLD],
        "session_ttl": TTL,
        "cases": in_families(families),
    }


def genuine() -> list[Case]:
    """What is in sealed logins."""
    long = "é" * 256
    return [
        completed("genuine", "bound to its browser", seal(session=PAGE), session=PAGE),
        completed(
            "genuine-unbound",
            "bound to no browser",
            seal(browser=None, session=PAGE),
            browser=None,
            session=PAGE,
            same_browser=False,
        ),
        completed("genuine-without-texts", "only the address", seal()),
        completed("genuine-without-an-address", "the broker asks for it", seal(email=None)),
        completed(
            "genuine-texts",
            "all texts at their limits",
            seal(session=long, state='"' * 512),
            session=long,
            state='"' * 512,
        ),
        case(
            "genuine-other-browser",
            "nothing is redeemed",
            seal(),
            {"code": "session_browser", "email": EMAIL},
            CONTENT,
            browser=THERE,
        ),
        case(
            "genuine-other-address",
            "the broker confirms another one",
            seal(email="bob@example.com"),
            {"code": "session_email"},
            CONTENT,
            token=token_for(seal(email="bob@example.com")),
        ),
    ]


def rotation() -> list[Case]:
    """Several secrets."""
    return [
        opens("old-secret", "sealed with the secret before", seal(secret=OLD), ROTATION),
        refused("unknown-secret", "another secret", seal(secret=OTHER), "session_sealed", ROTATION),
    ]


def times() -> list[Case]:
    """When a login expires."""
    at = {
        "last-second": (TTL - 1, None),
        "over": (TTL, "session_expired"),
        "long-over": (TTL * 100, "session_expired"),
        "fast-clock": (-300, None),
        "future": (-301, "token_clock"),
    }
    cases = []
    for name, (age, code) in at.items():
        text = seal(started_at=NOW - age)
        about = f"started {age} seconds ago"
        if code is None:
            cases.append(opens(f"times-{name}", about, text, TIMES))
        else:
            cases.append(refused(f"times-{name}", about, text, code, TIMES))
    return cases


def bound() -> list[Case]:
    """Texts that were sealed for another purpose."""
    rows: list[tuple[str, str, dict[str, Any], str]] = [
        ("broker", "another broker", {"broker": "https://other.example"}, "session_sealed"),
        ("port", "another port", {"broker": f"{BROKER}:8443"}, "session_sealed"),
        ("path", "another page", {"redirect_uri": f"{CLIENT_ID}/other"}, "session_sealed"),
        ("site", "another site", {"redirect_uri": "https://other.example/"}, "session_sealed"),
        ("label", "a session", {"label": b"portier-client:session:1"}, "session_sealed"),
        ("version", "another version", {"version": 2}, "session_unknown"),
        ("claimed-version", "another version, renamed", {"context": 2}, "session_sealed"),
        ("flow", "the implicit flow", {"kind": 0}, "session_unknown"),
    ]
    return [
        refused(f"other-{name}", f"sealed for {about}", seal(**parts), code, BOUND)
        for name, about, parts, code in rows
    ]


def content() -> list[Case]:
    """Texts that this site has sealed, but that are no logins it can read."""
    good = packed()
    rows = {
        "newer-kind": seal(kind=4),
        "newer-flags": seal(record=bytes([good[0] | 16]) + good[1:]),
        "longer": seal(record=good + b"\0"),
        "shorter": seal(record=good[:-1]),
        "not-utf-8": seal(record=good[:-1] + b"\xff"),
    }
    return [
        refused(f"content-{name}", "as of a newer version", text, "session_unknown", CONTENT)
        for name, text in rows.items()
    ]


def changed() -> list[Case]:
    """Sealed texts that were changed."""
    text = seal()
    raw = decode(text)
    rows = {
        "plain": NONCE,
        "plain-and-bound": encode(bytes(range(40))),
        "junk": "junk",
        "padded": text + "=" * (-len(text) % 4 or 4),
        "other-alphabet": "+" + text[1:],
        "longer": text + "A",
        "too-long": "AQ" + "A" * 2047,
        "empty-seal": encode(b"\1" + bytes(42)),
    }
    for place in range(len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1 << place % 8
        rows[f"bit-of-byte-{place}"] = encode(bytes(flipped))
        if place:
            rows[f"cut-to-{place}-bytes"] = encode(raw[:place])
    rows["key-id-of-the-other-secret"] = encode(raw[:1] + decode(seal(secret=OLD))[1:5] + raw[5:])
    return [
        refused(f"changed-{name}", "not as it was sealed", given, answer(given), ONE_ANSWER)
        for name, given in rows.items()
    ]


def answer(text: str) -> str:
    """The only answers to a text that was not sealed here: one for each form."""
    if len(text) > 2048 or set(text) & set("+=") or len(text) % 4 == 1:
        return "session_unknown"
    raw = decode(text)
    has_form = encode(raw) == text and len(raw) >= 43 and raw[0] == 1
    return "session_sealed" if has_form else "session_unknown"


def implicit() -> list[Case]:
    """Logins in the nonce of a token."""
    good = seal(kind=0, session=PAGE)
    expected = {**login(session=PAGE), "state": None}
    rows: list[tuple[str, str, str, dict[str, Any], str, str | None]] = [
        ("genuine", "in its browser", good, expected, CONTENT, HERE),
        (
            "other-browser",
            "nobody is asked to confirm",
            good,
            {"code": "session_browser", "email": EMAIL},
            SINGLE,
            THERE,
        ),
        (
            "unbound",
            "a mistake of the site",
            seal(kind=0, browser=None),
            {"code": "invalid_option"},
            SINGLE,
            None,
        ),
        ("plain", "as with a store", NONCE, {"code": "session_unknown"}, BOUND, HERE),
        ("code-flow", "of the code flow", seal(), {"code": "session_unknown"}, BOUND, HERE),
        (
            "unknown-secret",
            "sealed with another secret",
            seal(kind=0, secret=OTHER),
            {"code": "session_sealed"},
            ROTATION,
            HERE,
        ),
        (
            "over",
            "the token came late",
            seal(kind=0, started_at=NOW - TTL),
            {"code": "session_expired"},
            TIMES,
            HERE,
        ),
        (
            "too-long",
            "a nonce that is no login",
            "A" * 2049,
            {"code": "token_claim"},
            "policy: a nonce has at most 2048 bytes",
            HERE,
        ),
    ]
    return [
        {
            "id": f"implicit-{name}",
            "about": about,
            "flow": "implicit",
            "params": {"id_token": sign(payload=claims(nonce=nonce)), "state": ""},
            "browser": browser,
            "token": None,
            "expect": expect,
            "basis": basis,
        }
        for name, about, nonce, expect, basis, browser in rows
    ]


def completed(name: str, about: str, text: str, browser: str | None = HERE, **expect: Any) -> Case:
    """A login that completes."""
    return case(name, about, text, login(**expect), CONTENT, browser=browser, token=token_for(text))


def opens(name: str, about: str, text: str, basis: str) -> Case:
    """A login that is genuine, in another browser: no token is needed to see it."""
    expect = {"code": "session_browser", "email": EMAIL}
    return case(name, about, text, expect, basis, browser=THERE)


def refused(name: str, about: str, text: str, code: str, basis: str) -> Case:
    """A state that is refused in the browser of the login, without a request."""
    return case(name, about, text, {"code": code}, basis)


def case(
    name: str,
    about: str,
    text: str,
    expect: dict[str, Any],
    basis: str,
    **more: str | None,
) -> Case:
    """One case of the code flow."""
    return {
        "id": name,
        "about": about,
        "flow": "code",
        "params": {"code": "a code", "state": text},
        "browser": HERE,
        "token": None,
        **more,
        "expect": expect,
        "basis": basis,
    }


def login(**changes: Any) -> dict[str, Any]:
    """The result of a genuine login."""
    usual = {
        "email": EMAIL,
        "email_original": EMAIL,
        "session": None,
        "state": None,
        "same_browser": True,
    }
    return {**usual, **changes}


def token_for(state: str) -> str:
    """The token for a login of the code flow."""
    named = with_lengths([b"portier-client:nonce:1", state.encode()])
    return sign(payload=claims(nonce=encode(hashlib.sha256(named).digest())))


def packed(
    email: str | None = EMAIL,
    session: str | None = None,
    state: str | None = None,
    started_at: int = ISSUED_AT,
) -> bytes:
    """The record of a login."""
    texts = [email, session, state, None]
    flags = sum(1 << place for place, text in enumerate(texts) if text is not None)
    encoded = [text.encode() for text in texts if text is not None]
    lengths = b"".join(len(text).to_bytes(2) + text for text in encoded)
    return bytes([flags]) + (started_at * 1000).to_bytes(8) + lengths


def seal(
    *,
    secret: str = NEW,
    label: bytes = LABEL,
    broker: str = BROKER,
    redirect_uri: str = REDIRECT_URI,
    version: int = 1,
    context: int | None = None,
    kind: int = 1,
    browser: str | None = HERE,
    record: bytes | None = None,
    **parts: Any,
) -> str:
    """A sealed login."""
    record = packed(**parts) if record is None else record
    tag = b""
    if browser is not None:
        names = [b"portier-client:browser:1", BROKER.encode(), CLIENT_ID.encode(), record]
        tag = hmac.digest(browser.encode(), with_lengths(names), "sha256")[:16]
        kind |= 2
    derived = HKDF(SHA256(), 36, b"portier-client", label).derive(secret.encode())
    key, key_id, nonce = derived[:32], derived[32:], bytes(12)
    described = bytes([version if context is None else context])
    about = with_lengths([described, label, broker.encode(), redirect_uri.encode()])
    sealed = AESGCM(key).encrypt(nonce, bytes([kind]) + tag + record, about)
    return encode(bytes([version]) + key_id + nonce + sealed)
