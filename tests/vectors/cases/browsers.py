"""Callbacks of logins that are bound to a browser."""

import hmac
from collections.abc import Callable

from .forms import TOKEN, Param, attempt, case, login
from .keys import ED_A, RSA_A, base64url
from .mint import BROKER, CLIENT_ID, Case, claims, sign

BASIS = "OpenID Connect Core, section 15.5.2"
SECRET = "a secret of this browser"


def cases() -> list[Case]:
    """A login that is bound to a browser."""
    good, forged, other = bound(), bound(signer=ED_A.sign), bound(b"\0" * 16)
    here = login(same_browser=True)
    rows: list[tuple[str, str, list[dict[str, object]], list[str | dict[str, object]]]] = [
        ("same", "the same browser", [attempt(good, browser=SECRET)], [here]),
        ("none", "a browser without the secret", [attempt(good)], ["session_browser"]),
        ("empty", "an empty secret", [attempt(good, browser="")], ["session_browser"]),
        ("other", "another browser", [attempt(good, browser="x")], ["session_browser"]),
        (
            "prefix",
            "a part of the secret",
            [attempt(good, browser=SECRET[:-1])],
            ["session_browser"],
        ),
        (
            "longer",
            "the secret and more",
            [attempt(good, browser=f"{SECRET} ")],
            ["session_browser"],
        ),
        (
            "case",
            "the secret in upper case",
            [attempt(good, browser=SECRET.upper())],
            ["session_browser"],
        ),
        (
            "kept",
            "another browser, and then the right one, for which the login was kept",
            [attempt(good, browser="x"), attempt(good), attempt(good, browser=SECRET)],
            ["session_browser", "session_browser", here],
        ),
        (
            "over",
            "the right browser, and then another one, whose person is not asked any more",
            [attempt(good, browser=SECRET), attempt(good, browser="x")],
            [here, "session_used"],
        ),
        (
            "forged",
            "a forged token in another browser uses up nothing",
            [attempt(forged, browser="x"), attempt(good, browser=SECRET)],
            ["token_signature", here],
        ),
        (
            "cut-off",
            "a genuine token whose nonce lacks the mark of the browser belongs to no login",
            [attempt(TOKEN, browser=SECRET), attempt(good, browser=SECRET)],
            ["session_unknown", here],
        ),
        (
            "other-mark",
            "a genuine token whose nonce has another mark belongs to no login",
            [attempt(other, browser=SECRET), attempt(good, browser=SECRET)],
            ["session_unknown", here],
        ),
    ]
    made = [
        case(f"browser-{name}", about, tried, expect, BASIS, browser=SECRET)
        for name, about, tried, expect in rows
    ]
    made += [
        case(
            "browser-not-bound",
            "a login that is bound to no browser is not that of one with a secret, and is kept",
            [attempt(TOKEN, browser=SECRET), attempt(TOKEN, browser=""), attempt(TOKEN)],
            ["session_browser", "session_browser", login()],
            BASIS,
        ),
        case(
            "session-text",
            "the application's own text comes back with the login",
            [attempt(TOKEN, ("state", "s"))],
            [login(session="/back?to=1", state="s")],
            "policy: session stays in the store",
            session="/back?to=1",
        ),
    ]
    return made


def bound(mark: bytes | None = None, signer: Callable[[bytes], bytes] = RSA_A.sign) -> Param:
    """The token for a login of the browser with the secret, or with another tag in its nonce."""
    drawn = bytes(range(1, 25))
    mark = browser_mark(drawn) if mark is None else mark
    nonce = base64url(drawn + mark)
    return ("id_token", sign(payload=claims(nonce=nonce), signer=signer))


def browser_mark(drawn: bytes) -> bytes:
    """The part of a nonce after its random bytes; see `core/src/browser.rs`."""
    parts = [b"portier-client:browser:1", BROKER.encode(), CLIENT_ID.encode(), drawn]
    message = b"".join(len(part).to_bytes(8) + part for part in parts)
    return hmac.digest(SECRET.encode(), message, "sha256")[:16]
