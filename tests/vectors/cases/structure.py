"""Texts that are, or are not, three parts of base64url."""

import json

from .keys import base64url
from .mint import Case, accepted, as_bytes, case, claims, header, seal, sign

LIMIT = 16 * 1024
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

COMPACT = "RFC 7515, section 7.1"
BASE64URL = "RFC 7515, section 2"
STRICT = "RFC 4648, sections 3.2 and 3.5"


def parts() -> list[Case]:
    """The number of parts, and text around them."""
    good = sign()
    head, payload, signature = good.split(".")
    flattened = {"protected": head, "payload": payload, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": head, "signature": signature}]}
    wrong = [
        ("empty", "no token at all", ""),
        ("one-part", "one part", head),
        ("two-parts", "the signature is missing, with its dot", f"{head}.{payload}"),
        ("four-parts", "one part too many", f"{good}.{signature}"),
        ("five-parts", "five parts, as an encrypted token has", f"{good}.{head}.{signature}"),
        ("only-dots", "three empty parts", ".."),
        ("empty-header", "the header is empty", f".{payload}.{signature}"),
        ("empty-payload", "the payload is detached", f"{head}..{signature}"),
        ("empty-signature", "the signature is empty", f"{head}.{payload}."),
        ("trailing-dot", "a dot after the signature", f"{good}."),
        ("leading-dot", "a dot before the header", f".{good}"),
        ("bearer-prefix", "the value of an Authorization header", f"Bearer {good}"),
        ("json-flattened", "the flattened JSON serialization", json.dumps(flattened)),
        ("quoted", "the token as a JSON string", f'"{good}"'),
        ("escaped-dots", "the dots are percent-encoded", good.replace(".", "%2E")),
        ("json-general", "the general JSON serialization", json.dumps(general)),
        ("assignment", "a parameter and its name", f"id_token={good}"),
        ("two-with-comma", "two tokens with a comma between", f"{good},{good}"),
        ("two-with-space", "two tokens with a space between", f"{good} {good}"),
        ("two-joined", "two tokens without anything between", f"{good}{good}"),
        (
            "inner-dot",
            "a dot inside the payload",
            f"{head}.{payload[:8]}.{payload[8:]}.{signature}",
        ),
        ("double-dot", "two dots after the header", f"{head}..{payload}.{signature}"),
        ("selective-disclosure", "a token with room for disclosures", f"{good}~"),
        ("paseto", "a token of another kind", f"v4.public.{payload}"),
        ("one-dot-leader", "another character that looks like a dot", good.replace(".", "\u2024")),
        ("full-width-dot", "the full-width dot", good.replace(".", "\uff0e")),
        ("zero-width-space", "nothing to be seen after the dot", good.replace(".", ".\u200b", 1)),
        ("byte-order-mark", "a byte order mark in front", f"\ufeff{good}"),
        ("data-url", "a data URL", f"data:application/jwt,{good}"),
        ("xml", "an element of XML", f"<id_token>{good}</id_token>"),
        ("undefined", "what a script makes of nothing", "undefined"),
    ]
    made = [
        case(f"structure-{name}", about, token, "token_malformed", COMPACT)
        for name, about, token in wrong
    ]
    # A reader that accepts JSON instead of a compact token could see two contents at once.
    polyglot = {f"  {head}.{payload}.": "", **flattened, "payload": base64url(as_bytes(claims()))}
    sealed = base64url(as_bytes({"alg": "dir", "enc": "A128GCM"}))
    made += [
        case(
            "structure-polyglot",
            "a JSON serialization with a compact token for the name of a member",
            json.dumps(polyglot),
            "token_malformed",
            "CVE-2022-39227",
        ),
        case(
            "structure-encrypted",
            "an encrypted token, for which the public key would do",
            f"{sealed}..{head}.{payload}.{signature}",
            "token_malformed",
            "RFC 8725, section 2.3; CVE-2023-51774",
        ),
        case(
            "structure-parts-exchanged",
            "the payload in front of the header",
            f"{payload}.{head}.{signature}",
            "token_header",
            COMPACT,
        ),
        case(
            "structure-signature-of-nothing",
            "a signature of no bytes, which is the empty text in any encoding",
            f"{head}.{payload}.=",
            "token_malformed",
            "RFC 7515, section 7.1; CVE-2020-28042",
        ),
    ]
    return made


def alphabet() -> list[Case]:
    """Characters outside of the alphabet; all signatures are valid for the text as it is."""
    head, payload = base64url(as_bytes(header())), base64url(as_bytes(claims(note=">>>>~~~~????")))
    good = seal(head, payload)
    assert "-" in payload
    assert "_" in payload
    wrong = [
        ("leading-space", "a space in front", f" {good}"),
        ("trailing-space", "a space behind", f"{good} "),
        ("trailing-newline", "a line feed behind", f"{good}\n"),
        ("inner-newline", "a line feed inside the signature", f"{good[:-20]}\n{good[-20:]}"),
        ("inner-tab", "a tab inside the payload", seal(head, f"{payload[:9]}\t{payload[9:]}")),
        ("nul", "a zero byte behind", f"{good}\0"),
        ("not-ascii", "a letter outside of ASCII", f"{good[:-1]}\u00e9"),
        ("full-width", "a full-width letter", seal(f"\uff45{head[1:]}", payload)),
        ("plus", "a plus sign for a minus sign", seal(head, payload.replace("-", "+"))),
        ("slash", "a slash for a low line", seal(head, payload.replace("_", "/"))),
        ("padded-header", "padding after the header", seal(f"{head}=", payload)),
        ("padded-payload", "padding after the payload", seal(head, f"{payload}==")),
        ("padded-signature", "padding after the signature", f"{good}=="),
        ("escaped", "a percent-encoded minus sign", seal(head, payload.replace("-", "%2D"))),
        (
            "lone-character",
            "a part of 4n + 1 characters",
            seal(head, f"{payload:A<{len(payload) // 4 * 4 + 5}}"),
        ),
        ("lone-signature", "a signature of one character", f"{head}.{payload}.A"),
        ("lines", "lines of 76 characters, as in mail", wrapped(good)),
        ("carriage-return", "a carriage return behind", f"{good}\r"),
        ("vertical-tab", "a vertical tab behind", f"{good}\v"),
        ("no-break-space", "a no-break space in front", f"\xa0{good}"),
        (
            "inner-padding",
            "padding in the middle of a part",
            seal(f"{head[:8]}=={head[8:]}", payload),
        ),
        ("padding-only", "padding alone for a header", seal("==", payload)),
        ("escaped-padding", "percent-encoded padding", f"{good}%3D%3D"),
        ("imap-comma", "a comma for a slash, as mail folders have it", f"{good[:-6]},{good[-5:]}"),
        ("tilde", "a tilde, as other URL-safe alphabets have it", f"{good[:-6]}~{good[-5:]}"),
        ("hexadecimal", "a payload in hexadecimal with a colon", seal(head, f"00:{payload}")),
        ("quoted-printable", "a soft line break", seal(head, f"{payload[:40]}=\r\n{payload[40:]}")),
    ]
    return [
        case(f"base64url-{name}", about, token, "token_malformed", f"{BASE64URL}; {STRICT}")
        for name, about, token in wrong
    ]


def wrapped(text: str) -> str:
    """The text in lines."""
    return "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))


def stray_bits() -> list[Case]:
    """Last characters with unused bits: two spellings of one token."""
    head, payload = partial(header(), 1), partial(claims(), 2)
    good = seal(head, payload)
    signed, _, signature = good.rpartition(".")
    basis = f"{STRICT}; two spellings of one token defeat lists of used tokens"
    return [
        case(
            "base64url-stray-bits-header",
            "the last character of the header has bits that are dropped",
            seal(stray(head), payload),
            "token_malformed",
            basis,
        ),
        case(
            "base64url-stray-bits-payload",
            "the last character of the payload has bits that are dropped",
            seal(head, stray(payload)),
            "token_malformed",
            basis,
        ),
        case(
            "base64url-stray-bits-signature",
            "the last character of the signature has bits that are dropped",
            f"{signed}.{stray(signature)}",
            "token_malformed",
            basis,
        ),
        case(
            "base64url-no-stray-bits",
            "the same token in its one spelling",
            good,
            accepted(),
            BASE64URL,
        ),
    ]


def partial(members: dict[str, object], over: int) -> str:
    """The members as base64url, with spaces so that the last group has `over` bytes."""
    text = json.dumps(members)
    return base64url(as_bytes(text + " " * ((over - len(text)) % 3)))


def stray(part: str) -> str:
    """The part with the lowest bit of its last character set."""
    last = ALPHABET.index(part[-1])
    assert len(part) % 4 in (2, 3)
    assert last % 2 == 0
    return part[:-1] + ALPHABET[last + 1]


def sizes() -> list[Case]:
    """The maximum length of a token."""
    basis = "policy: at most 16 KiB, so that no caller decodes more than a login can need"
    return [
        case("size-at-limit", "a token of 16384 bytes", of_size(LIMIT), accepted(), basis),
        case(
            "size-over-limit",
            "a token of 16385 bytes",
            of_size(LIMIT + 1),
            "token_too_large",
            basis,
        ),
        case(
            "size-junk",
            "20000 characters that are no token",
            "A" * 20_000,
            "token_too_large",
            f"{basis}; the size is looked at first",
        ),
    ]


def of_size(size: int) -> str:
    """A valid token of exactly this size."""
    for spaces in range(3):
        head = as_bytes(header()) + b" " * spaces
        rest = size - len(sign(head, ""))
        filler = rest * 3 // 4 - len(as_bytes(claims(filler="")))
        token = sign(head, claims(filler="x" * filler))
        if len(token) == size:
            return token
    raise ValueError(f"no token has this size size={size}")
