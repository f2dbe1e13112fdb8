"""`sealed_sessions.json`: session cookies and their content."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .mint import Case, in_families

if TYPE_CHECKING:
    from collections.abc import Iterable

ABOUT = (
    "A site at `redirect_uri` has `secrets` for session cookies, the first of which seals. At "
    "`now` a request arrives with the header `cookie`. `expect` is the session in it, with whether "
    "a visit renews it, or null. Ages are in seconds. Written by generate.py."
)
LABEL = b"portier-client:session:1"
REDIRECT_URI = "https://site.test/verify"
NEW, OLD = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA", "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u"
OTHER = "qB4nW8eR2tY6uI1oP5aS9dF3gH7jK0lZ"
NOW = 1_790_000_000
DAY = 24 * 60 * 60
MAX_AGE, ABSOLUTE = 14 * DAY, 90 * DAY
ID = bytes(range(16))
EMAIL = "alice@example.com"

FORMAT = (
    "policy: version, key id, nonce, ciphertext and tag of AES-256-GCM; keys by HKDF (RFC 5869)"
)
BOUND = "policy: a cookie is for one site and one purpose"
TIMES = "policy: 14 days without a visit, 90 in all; clocks may differ by five minutes"
NAMES = "policy: exactly one cookie with this name; RFC 6265bis, section 4.1.3.2: __Host-"
ROTATION = "policy: the first secret seals, all of them open"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "session: genuine": [genuine],
        "session: rotation": [rotation],
        "session: times": [times],
        "session: bound to the site": [bound],
        "session: changed": [changed],
        "session: cookies": [cookies],
    }
    return {
        "about": ABOUT,
        "redirect_uri": REDIRECT_URI,
        "secrets": [NEW, OLD],
        "now": NOW,
        "max_age": MAX_AGE,
        "absolute_max_age": ABSOLUTE,
        "cases": in_families(families),
    }


def genuine() -> list[Case]:
    """The content of sealed cookies."""
    return [
        case("genuine", "a session", seal(), session(), FORMAT),
        case(
            "genuine-unicode",
            "an address outside ASCII",
            seal(email="björn@xn--gteborg-90a.test"),
            session(email="björn@xn--gteborg-90a.test"),
            FORMAT,
        ),
    ]


def rotation() -> list[Case]:
    """Several secrets."""
    return [
        case("old-secret", "sealed with the secret before", seal(secret=OLD), session(), ROTATION),
        case(
            "unknown-secret",
            "sealed with another site's secret",
            seal(secret=OTHER),
            None,
            ROTATION,
        ),
    ]


def times() -> list[Case]:
    """When a session is renewed, and when it ends."""
    rows: list[tuple[str, str, int, int, dict[str, Any] | None]] = [
        ("half-not-over", "a second before half of its time", 7 * DAY - 1, 7 * DAY - 1, session()),
        ("half-over", "half of its time is over", 7 * DAY, 7 * DAY, session(renews=True)),
        ("last-second", "a second before its end", MAX_AGE - 1, MAX_AGE - 1, session(renews=True)),
        ("over", "its time is over", MAX_AGE, MAX_AGE, None),
        (
            "renewed",
            "renewed a day ago",
            30 * DAY,
            DAY,
            session(),
        ),
        (
            "absolute-near",
            "the end of all visits is near: a renewal shortens the time to come",
            82 * DAY,
            8 * DAY,
            session(renews=True),
        ),
        ("absolute-over", "the end of all visits", ABSOLUTE, DAY, None),
        ("absolute-unchanged", "a renewal could add nothing", 85 * DAY, 8 * DAY, session()),
        ("slow-clock", "made by a machine whose clock is ahead", -300, -300, session()),
        ("future", "made in the future", -301, -301, None),
    ]
    cases = []
    for name, about, signed_in, renewed, expect in rows:
        begins, renews = NOW - signed_in, NOW - renewed
        end = min(renews + MAX_AGE, begins + ABSOLUTE)
        found = expect and {**expect, "signed_in_at": begins, "expires_at": end}
        text = seal(signed_in_at=begins, renewed_at=renews)
        cases.append(case(f"times-{name}", about, text, found, TIMES))
    return cases


def bound() -> list[Case]:
    """Texts that were sealed for another purpose."""
    return [
        case("other-site", "for another site", seal(site="https://other.test"), None, BOUND),
        case("other-scheme", "for the site over http", seal(site="http://site.test"), None, BOUND),
        case("other-port", "for another port", seal(site="https://site.test:8443"), None, BOUND),
        case(
            "other-label", "for another purpose", seal(label=b"portier-client:state:1"), None, BOUND
        ),
        case("other-version", "another version", seal(version=2), None, BOUND),
    ]


def changed() -> list[Case]:
    """Sealed texts that were changed."""
    text = seal()
    raw = bytearray(decode(text))
    rows = [
        ("empty", "nothing", ""),
        ("not-base64url", "another alphabet", text.replace("_", "/") + "+"),
        ("padded", "padding", text + "=" * (-len(text) % 4 or 4)),
        ("cut", "the last character is missing", text[:-1]),
        ("longer", "one more character", text + "A"),
    ]
    for place in range(len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1 << place % 8
        rows.append((f"bit-of-byte-{place}", "one bit", encode(bytes(flipped))))
        rows.append((f"cut-to-{place}-bytes", "the rest is missing", encode(bytes(raw[:place]))))
    mixed = bytes(raw[:1]) + decode(seal(secret=OLD))[1:5] + bytes(raw[5:])
    rows.append(("key-id-of-the-other-secret", "each secret has its own key", encode(mixed)))
    short = seal(text=b"\0" * 31)
    rows.append(("short", "sealed, but too short to be a session", short))
    rows.append(("not-utf-8", "sealed, but the address is not UTF-8", seal(text=plain() + b"\xff")))
    return [case(f"changed-{name}", about, given, None, FORMAT) for name, about, given in rows]


def cookies() -> list[Case]:
    """Several cookies with the same name."""
    name, text = "__Host-portier-session", seal()
    rows: list[tuple[str, str, str, dict[str, Any] | None]] = [
        ("among-others", "between other cookies", f"a=1; {name}={text}; b=2", session()),
        ("twice", "two of the name", f"{name}={text}; {name}={text}", None),
        ("plain-name", "the name of a site without https", f"portier-session={text}", None),
        ("other-case", "another case", f"__host-portier-session={text}", None),
        ("none", "no cookie", "a=1", None),
    ]
    return [
        {**case(f"cookie-{key}", about, "", expect, NAMES), "cookie": cookie}
        for key, about, cookie, expect in rows
    ]


def case(name: str, about: str, text: str, expect: dict[str, Any] | None, basis: str) -> Case:
    """One case."""
    cookie = f"__Host-portier-session={text}"
    return {
        "id": name,
        "about": about,
        "cookie": cookie,
        "expect": {"session": expect},
        "basis": basis,
    }


def session(**changes: Any) -> dict[str, Any]:
    """The content of a valid cookie."""
    usual = {
        "email": EMAIL,
        "id": encode(ID),
        "signed_in_at": NOW,
        "expires_at": NOW + MAX_AGE,
        "renews": False,
    }
    return {**usual, **changes}


def plain(email: str = EMAIL, signed_in_at: int = NOW, renewed_at: int = NOW) -> bytes:
    """The text before it is sealed."""
    return signed_in_at.to_bytes(8) + renewed_at.to_bytes(8) + ID + email.encode()


def seal(
    *,
    secret: str = NEW,
    label: bytes = LABEL,
    site: str = "https://site.test",
    version: int = 1,
    text: bytes | None = None,
    **parts: Any,
) -> str:
    """A sealed text."""
    derived = HKDF(SHA256(), 36, b"portier-client", label).derive(secret.encode())
    key, key_id, nonce = derived[:32], derived[32:], bytes(12)
    context = with_lengths([bytes([version]), label, site.encode()])
    sealed = AESGCM(key).encrypt(nonce, plain(**parts) if text is None else text, context)
    return encode(bytes([version]) + key_id + nonce + sealed)


def with_lengths(parts: Iterable[bytes]) -> bytes:
    """Texts, each preceded by its length."""
    return b"".join(len(part).to_bytes(8) + part for part in parts)


def encode(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decodes base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
