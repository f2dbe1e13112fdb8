"""`callbacks.json`: forms at the redirect URI, posted once or several times."""

from . import browsers, tokens
from .forms import FORGED, TOKEN, Params, attempt, case, file, login, once
from .keys import ED_A
from .mint import Case, claims, header, in_families, refused, sign

ABOUT = (
    "The setting is that of tokens.json. The login is started with `start`, besides its address. "
    "Then every element of `attempts` arrives: `params`, the names and values of a form in their "
    "order, and the secret of the `browser`, if it has one. A value is text, or the content of an "
    "uploaded `file`. `expect` has an outcome for each of them. Written by generate.py."
)
FORM = "OAuth 2.0 Form Post Response Mode, section 2"
ONCE = "RFC 6749, section 3.1: parameters are not repeated"
ERROR = "OpenID Connect Core, section 3.2.2.6"
TEXT = "RFC 6749, appendix B: parameters are text"
SINGLE = "OpenID Connect Core, section 3.2.2.11: a nonce is used once"
LIMIT = "policy: at most 4096 bytes"
EMPTY = "Portier: the broker always posts state, also an empty one"

OTHER = ("id_token", sign(payload=claims(email_original="mallory@example.com")))


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "callback: parameters": [parameters],
        "callback: repeated parameters": [repeated],
        "callback: uploaded files": [files],
        "callback: errors of the broker": [errors],
        "callback: sizes": [sizes],
        "callback: several attempts": [attempts],
        "callback: binding to the browser": [browsers.cases],
    }
    return {"about": ABOUT, **tokens.setting(), "cases": in_families(families)}


def parameters() -> list[Case]:
    """Parameters that are optional, and those that are required."""
    good = login()
    rows: list[tuple[str, str, Params, str | dict[str, object], str]] = [
        ("token", "a token and nothing else", (TOKEN,), good, FORM),
        ("state", "a state", (TOKEN, ("state", "s")), login(state="s"), FORM),
        ("state-empty", "an empty state is none", (TOKEN, ("state", "")), good, EMPTY),
        ("state-first", "the state in front", (("state", "s"), TOKEN), login(state="s"), FORM),
        (
            "state-markup",
            "a state that nobody here gave out is handed on as it is",
            (TOKEN, ("state", "<script>\0\n'")),
            login(state="<script>\0\n'"),
            "policy: a state is not trusted",
        ),
        ("error-empty", "an empty error is none", (TOKEN, ("error", "")), good, EMPTY),
        (
            "description-only",
            "a description of no error",
            (TOKEN, ("error_description", "x")),
            good,
            ERROR,
        ),
        (
            "others",
            "parameters of other names",
            (("code", "x"), TOKEN, ("access_token", "x"), ("expires_in", "1"), ("iss", "x")),
            good,
            "RFC 6749, section 3.1: unknown parameters are ignored",
        ),
        ("nothing", "nothing", (), "missing_token", FORM),
        ("token-empty", "an empty token", (("id_token", ""),), "missing_token", FORM),
        ("state-only", "a state and no token", (("state", "s"),), "missing_token", FORM),
        ("code-only", "a code and no token", (("code", "x"),), "missing_token", FORM),
        ("name-case", "a name in upper case", (("ID_TOKEN", TOKEN[1]),), "missing_token", FORM),
        ("name-space", "a name with a space", (("id_token ", TOKEN[1]),), "missing_token", FORM),
        (
            "name-array",
            "a name as PHP has lists",
            (("id_token[]", TOKEN[1]),),
            "missing_token",
            FORM,
        ),
        (
            "name-nul",
            "a name with a zero byte",
            (("id_token\0", TOKEN[1]),),
            "missing_token",
            FORM,
        ),
        (
            "access-token",
            "the token under another name",
            (("access_token", TOKEN[1]),),
            "missing_token",
            FORM,
        ),
        ("token-space", "a space", (("id_token", " "),), "token_malformed", FORM),
        (
            "whole-fragment",
            "a whole fragment for a token",
            (("id_token", f"#id_token={TOKEN[1]}"),),
            "token_malformed",
            FORM,
        ),
    ]
    return [once(f"form-{name}", *row) for name, *row in rows]  # type: ignore[arg-type]


def repeated() -> list[Case]:
    """Repeated parameters."""
    good, bad = TOKEN, FORGED
    rows: list[tuple[str, str, Params]] = [
        ("token", "two tokens, both good", (good, good)),
        ("token-forged-first", "a forged token and a good one", (bad, good)),
        ("token-forged-last", "a good token and a forged one", (good, bad)),
        ("token-empty-first", "an empty token and a good one", (("id_token", ""), good)),
        ("token-empty-last", "a good token and an empty one", (good, ("id_token", ""))),
        ("token-apart", "two tokens with something between", (good, ("state", "s"), good)),
        ("state", "two states", (good, ("state", "a"), ("state", "b"))),
        ("state-empty", "two empty states", (good, ("state", ""), ("state", ""))),
        ("error", "two errors", (("error", "a"), ("error", "b"))),
        ("error-empty", "two empty errors beside a token", (good, ("error", ""), ("error", ""))),
        (
            "description",
            "two descriptions",
            (("error", "a"), ("error_description", "a"), ("error_description", "b")),
        ),
        ("all", "everything twice", (good, ("state", "s"), good, ("state", "s"))),
    ]
    # A form that is refused because of its format uses up no login.
    return [
        case(
            f"repeated-{name}",
            f"{about}; then the form as it should be",
            [attempt(*params), attempt(TOKEN)],
            ["token_malformed", login()],
            ONCE,
        )
        for name, about, params in rows
    ]


def files() -> list[Case]:
    """Uploaded files as fields, which any page can make a browser send."""
    upload = file(TOKEN[1])
    rows: list[tuple[str, str, Params]] = [
        ("token", "the token as a file", (("id_token", upload),)),
        ("token-empty", "an empty file for a token", (("id_token", file("")),)),
        ("token-first", "a file and a good token", (("id_token", upload), TOKEN)),
        ("token-last", "a good token and a file", (TOKEN, ("id_token", upload))),
        ("token-twice", "two files", (("id_token", upload), ("id_token", upload))),
        ("state", "a good token and a file for a state", (TOKEN, ("state", file("s")))),
        ("error", "a file for an error", (("error", file("access_denied")),)),
        ("error-token", "a good token and a file for an error", (TOKEN, ("error", file("")))),
        (
            "description",
            "a good token and a file for a description",
            (TOKEN, ("error_description", file("x"))),
        ),
    ]
    refused = [
        case(
            f"file-{name}",
            f"{about}; then the form as it should be",
            [attempt(*params), attempt(TOKEN)],
            ["token_malformed", login()],
            TEXT,
        )
        for name, about, params in rows
    ]
    other = (("upload", upload), TOKEN)
    return [*refused, once("file-other", "a file of another name", other, login(), TEXT)]


def errors() -> list[Case]:
    """Refusals of the broker."""
    denied = ("error", "access_denied")
    rows: list[tuple[str, str, Params]] = [
        ("error", "an error", (denied,)),
        ("error-described", "an error with a description", (denied, ("error_description", "no"))),
        ("error-state", "an error with a state", (denied, ("state", "s"))),
        ("error-with-token", "an error and a good token", (denied, TOKEN)),
        ("error-after-token", "a good token and an error", (TOKEN, denied)),
        ("error-with-forged-token", "an error and a forged token", (FORGED, denied)),
        ("error-unknown", "an error nobody knows", (("error", "<b>\r\nX: y"),)),
        ("error-space", "an error of a space", (("error", " "),)),
        ("error-nul", "an error of a zero byte", (("error", "\0"),)),
        ("error-empty-description", "an empty description", (denied, ("error_description", ""))),
    ]
    return [
        case(
            f"broker-{name}",
            f"{about}; then a token after all",
            [attempt(*params), attempt(TOKEN)],
            ["broker_error", login()],
            ERROR,
        )
        for name, about, params in rows
    ]


def sizes() -> list[Case]:
    """Parameters at their limits, and just above."""
    made = [
        once(
            "size-state-at-limit",
            "a state of 4096 bytes",
            (TOKEN, ("state", "s" * 4096)),
            login(state="s" * 4096),
            LIMIT,
        ),
        once(
            "size-error-at-limit",
            "an error of 4096 bytes",
            (("error", "e" * 4096),),
            "broker_error",
            LIMIT,
        ),
    ]
    rows: list[tuple[str, str, Params, str]] = [
        ("state", "a state of 4097 bytes", (TOKEN, ("state", "s" * 4097)), "token_malformed"),
        (
            "state-unicode",
            "a state of 2049 letters of two bytes",
            (TOKEN, ("state", "\u00e9" * 2049)),
            "token_malformed",
        ),
        ("error", "an error of 4097 bytes", (("error", "e" * 4097),), "token_malformed"),
        (
            "description",
            "a description of 4097 bytes",
            (("error", "e"), ("error_description", "d" * 4097)),
            "token_malformed",
        ),
        (
            "description-alone",
            "the same beside a good token",
            (TOKEN, ("error_description", "d" * 4097)),
            "token_malformed",
        ),
        ("token", "a token of 16385 bytes", (("id_token", "a" * 16385),), "token_too_large"),
    ]
    made += [
        case(
            f"size-{name}-over-limit",
            f"{about}; then the form as it should be",
            [attempt(*params), attempt(TOKEN)],
            [code, login()],
            LIMIT if name != "token" else "policy: at most 16 KiB",
        )
        for name, about, params, code in rows
    ]
    return made


def attempts() -> list[Case]:
    """More than one callback for one login."""
    eddsa = ("id_token", sign(header(alg="EdDSA", kid="ed-a"), signer=ED_A.sign))
    good = attempt(TOKEN)
    old = attempt(("id_token", sign(payload=claims(iat=1_600_000_000))))
    unknown = attempt(("id_token", sign(payload=claims(nonce="x"))))
    rows: list[tuple[str, str, list[dict[str, object]], list[str | dict[str, object]]]] = [
        ("twice", "the same token twice", [good, good], [login(), "session_used"]),
        (
            "thrice",
            "the same token three times",
            [good, good, good],
            [login(), "session_used", "session_used"],
        ),
        (
            "other-token",
            "another token of the same nonce",
            [good, attempt(eddsa)],
            [login(), "session_used"],
        ),
        (
            "other-address",
            "a genuine token for another address uses up the login",
            [attempt(OTHER), good],
            ["session_email", "session_used"],
        ),
        (
            "too-old",
            "a token from before the login, which only a wrong clock can say, uses nothing up",
            [old, good],
            [refused("token_clock", "iat"), login()],
        ),
        (
            "forged-between",
            "forged tokens before and after",
            [attempt(FORGED), good, attempt(FORGED)],
            ["token_signature", login(), "token_signature"],
        ),
        (
            "unknown-nonce",
            "a genuine token of a nonce that is not ours",
            [unknown, good, unknown],
            ["session_unknown", login(), "session_unknown"],
        ),
        (
            "error-between",
            "an error after the login",
            [good, attempt(("error", "access_denied")), good],
            [login(), "broker_error", "session_used"],
        ),
    ]
    return [
        case(f"attempts-{name}", about, made, expect, SINGLE) for name, about, made, expect in rows
    ]
