"""`key_sets.json`: documents, and the keys of each that a client can use."""

import json

from . import key_numbers
from .key_documents import GOOD, KEY, RSA, SIZE, A, body, case, unusable
from .keys import ED_A, ED_B, RSA_1024, RSA_3072, RSA_A, RSA_B, Jwk, base64url, number, without
from .mint import Case, in_families

ABOUT = (
    "The broker answers a request for its keys with `body`. `expect` lists the usable keys in the "
    "order of the document, or is the code of the error. Written by generate.py."
)
SET = "RFC 7517, section 5"
POLICY = "policy: an RSA key names its algorithm, so that no other padding is meant"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "key set: good": [good],
        "key set: several keys": [sets],
        "key set: JSON": [texts],
        "key set: members of keys": [members],
        "key set: RSA numbers": [key_numbers.rsa],
        "key set: Ed25519 points": [key_numbers.ed25519],
    }
    return {"about": ABOUT, "cases": in_families(families)}


def good() -> list[Case]:
    """Sets of good keys."""
    a, b = RSA_A.jwk("a"), RSA_B.jwk("b")
    ed = {"id": "ed", "algorithm": "EdDSA", "bits": 256}
    odd = ED_A.public[:31] + bytes([ED_A.public[31] | 0x80])
    large = (key_numbers.PRIME - 3).to_bytes(32, "little")
    exponents = {"three": 3, "seventeen": 17, "33-bits": 2**32 + 1}
    rows = [
        ("one", "one key", [a], [A]),
        ("rotation", "the current and the next key", [a, b], [A, {**A, "id": "b"}]),
        ("both-kinds", "both algorithms", [a, ED_A.jwk("ed")], [A, ed]),
        ("3072", "3072 bits", [RSA_3072.jwk("a")], [{**A, "bits": 3072}]),
        ("no-use", "a key without use", [without(a, "use")], [A]),
        ("key-ops", "a key for verifying", [{**a, "key_ops": ["verify"]}], [A]),
        ("two-key-ops", "a key for more", [{**a, "key_ops": ["sign", "verify"]}], [A]),
        ("ed-no-alg", "an Ed25519 key without alg", [without(ED_A.jwk("ed"), "alg")], [ed]),
        ("certificate", "a key with a certificate", [{**a, "x5c": ["MIIB"], "x5t": "AQ"}], [A]),
        ("unknown-members", "unknown members", [{**a, "x": {"y": [1, None]}}], [A]),
        (
            "kid-unicode",
            "a key id outside of ASCII",
            [{**a, "kid": "\u00e9"}],
            [{**A, "id": "\u00e9"}],
        ),
        ("kid-512", "a long key id", [{**a, "kid": "k" * 512}], [{**A, "id": "k" * 512}]),
        ("kid-odd", "a key id that is a path", [{**a, "kid": "../a b"}], [{**A, "id": "../a b"}]),
        ("kid-nul", "a key id with a zero byte", [{**a, "kid": "a\0"}], [{**A, "id": "a\0"}]),
        ("kids-case", "key ids that differ in case", [a, {**b, "kid": "A"}], [A, {**A, "id": "A"}]),
        (
            "kids-normal-forms",
            "key ids that look the same",
            [{**a, "kid": "\u00e9"}, {**b, "kid": "e\u0301"}],
            [{**A, "id": "\u00e9"}, {**A, "id": "e\u0301"}],
        ),
        ("okp-members", "an RSA key with a curve and a point", [{**ED_A.jwk("a"), **a}], [A]),
        (
            "key-ops-no-use",
            "operations, and no use",
            [{**without(a, "use"), "key_ops": ["verify"]}],
            [A],
        ),
        (
            "key-ops-other-no-use",
            "operations that only a use would rule out, and no use",
            [{**without(a, "use"), "key_ops": ["verify", "encrypt"]}],
            [A],
        ),
        ("ed-odd", "an Ed25519 key with an odd x", [ED_A.jwk("ed", x=base64url(odd))], [ed]),
        ("ed-large", "an Ed25519 key with a large y", [ED_A.jwk("ed", x=base64url(large))], [ed]),
        ("ed-rsa-members", "an Ed25519 key with a modulus", [{**a, **ED_A.jwk("ed")}], [ed]),
        ("revoked-unknown", "members of no meaning here", [{**a, "exp": 1, "revoked": True}], [A]),
        ("private-upper-case", "a member that is not the private one", [{**a, "D": "AQ"}], [A]),
        (
            "ed-not-on-curve",
            "a point that is on no curve, under which no signature holds",
            [ED_A.jwk("ed", x=base64url(b"\2" + bytes(31)))],
            [ed],
        ),
        ("jku", "a key that says where others are", [{**a, "jku": "https://evil.example"}], [A]),
        ("same-modulus", "one key under two ids", [a, {**a, "kid": "b"}], [A, {**A, "id": "b"}]),
    ]
    made = [
        case(f"good-{name}", about, body(*keys), expect, KEY) for name, about, keys, expect in rows
    ]
    for bits in (2049, 8192):
        jwk = {**a, "n": number(2 ** (bits - 1) + 1)}
        made.append(
            case(f"good-{bits}-bits", f"{bits} bits", body(jwk), [{**A, "bits": bits}], SIZE)
        )
    for name, exponent in exponents.items():
        jwk = {**a, "e": number(exponent)}
        made.append(case(f"good-exponent-{name}", f"the exponent {exponent}", body(jwk), [A], RSA))
    return made


def sets() -> list[Case]:
    """Several keys, some or all of which are unusable."""
    a, b, small = RSA_A.jwk("a"), RSA_B.jwk("a"), RSA_1024.jwk("a")
    ed = ED_B.jwk("good")
    many = [{**a, "kid": f"k{index}"} for index in range(65)]
    return [
        case("empty", "no keys", body(), "broker_document", SET),
        case("only-unusable", "no usable key", body(small), "broker_document", SET),
        case("unusable-ignored", "a usable and an unusable key", body(small, ed), [GOOD], SET),
        case(
            "others-ignored", "what is no key at all", body(1, None, [], "k", [a], ed), [GOOD], SET
        ),
        case("kid-twice", "two keys with one id", body(a, b, ed), [GOOD], "policy: ambiguous ids"),
        case("kid-twice-same", "one key twice", body(a, a, ed), [GOOD], "policy: ambiguous ids"),
        case(
            "kid-twice-mixed",
            "one of the two is unusable",
            body(a, small, ed),
            [GOOD],
            "policy: ambiguous ids",
        ),
        case(
            "kid-twice-kinds",
            "of two kinds",
            body(a, ED_A.jwk("a"), ed),
            [GOOD],
            "policy: ambiguous ids",
        ),
        case(
            "kid-twice-only", "no other key", body(a, b), "broker_document", "policy: ambiguous ids"
        ),
        case(
            "64-keys",
            "64 keys",
            body(*many[:64]),
            [{**A, "id": key["kid"]} for key in many[:64]],
            "policy: at most 64 keys",
        ),
        case("65-keys", "65 keys", body(*many), "broker_document", "policy: at most 64 keys"),
    ]


def texts() -> list[Case]:
    """Documents that are no key set."""
    plain = body(RSA_A.jwk("a"))
    key = json.dumps(RSA_A.jwk("a"))
    objects = '{"x":' * 15 + "{}" + "}" * 15
    rows = [
        ("empty", ""),
        ("html", "<!doctype html><title>502 Bad Gateway</title>"),
        ("null", "null"),
        ("array", f"[{key}]"),
        ("array-of-set", f"[{plain}]"),
        ("array-of-array", f"[[{key}]]"),
        ("key", key),
        ("object-of-keys", f'{{"keys":{{"a":{key}}}}}'),
        ("keys-null", '{"keys":null}'),
        ("keys-string", '{"keys":"a"}'),
        ("keys-upper-case", plain.replace('"keys"', '"Keys"')),
        ("keys-twice", f'{{"keys":[],{plain[1:]}'),
        ("keys-twice-escaped", rf'{{"k\u0065ys":[],{plain[1:]}'),
        ("truncated", plain[:-2]),
        ("trailing", f"{plain};"),
        ("bom", f"\ufeff{plain}"),
        ("deep", f'{{"x":{"[" * 40}{"]" * 40},{plain[1:]}'),
        ("lone-surrogate", rf'{{"x":"\ud800",{plain[1:]}'),
        ("keys-number", '{"keys":1}'),
        ("keys-true", '{"keys":true}'),
        ("keys-escaped-text", text_of(plain)),
        ("certificate", '{"rsa-a":"-----BEGIN CERTIFICATE-----"}'),
        ("pem", "-----BEGIN PUBLIC KEY-----"),
        ("discovery", '{"issuer":"https://broker.example"}'),
        ("error", '{"error":"temporarily_unavailable"}'),
        ("token", f"eyJhbGciOiJSUzI1NiJ9.{base64url(plain.encode())}.AA"),
        ("python", plain.replace('"', "'")),
        ("comment", f"{plain}// keys"),
        ("trailing-comma", f"{plain[:-2]},]}}"),
        ("nul", f"{plain}\0"),
        ("two", f"{plain}{plain}"),
        ("jsonp", f"callback({plain})"),
        ("guarded", f")]}}',\n{plain}"),
        ("chunked", f"3f\r\n{plain}\r\n0\r\n\r\n"),
        ("unknown-twice", f'{{"x":1,"x":2,{plain[1:]}'),
        ("17-levels", f'{{"x":{"[" * 16}{"]" * 16},{plain[1:]}'),
        ("17-objects", f'{{"x":{objects},{plain[1:]}'),
        ("257-members", json.dumps({f"m{index}": 1 for index in range(257)} | {"keys": []})),
        ("long-number", f'{{"x":{"1" * 1025},{plain[1:]}'),
        ("nan", f'{{"x":NaN,{plain[1:]}'),
        *((f"cut-{part}-of-16", plain[: len(plain) * part // 16]) for part in range(1, 16)),
    ]
    return [
        case(
            f"text-{name}",
            "the document is not a key set",
            text,
            "broker_document",
            f"{SET}; RFC 8259",
        )
        for name, text in rows
    ]


def members() -> list[Case]:
    """Keys for another purpose, or with an invalid purpose."""
    a = RSA_A.jwk("a")
    rows: list[tuple[str, Jwk, str]] = [
        ("kid-absent", without(a, "kid"), KEY),
        ("kid-empty", {**a, "kid": ""}, KEY),
        ("kid-number", {**a, "kid": 1}, KEY),
        ("kid-null", {**a, "kid": None}, KEY),
        ("kid-513", {**a, "kid": "k" * 513}, "policy: a key id has at most 512 bytes"),
        ("kty-absent", without(a, "kty"), KEY),
        ("kty-lower-case", {**a, "kty": "rsa"}, KEY),
        ("kty-okp", {**a, "kty": "OKP"}, KEY),
        ("kty-array", {**a, "kty": ["RSA"]}, KEY),
        ("alg-absent", without(a, "alg"), POLICY),
        ("alg-null", {**a, "alg": None}, POLICY),
        ("alg-rs512", {**a, "alg": "RS512"}, POLICY),
        ("alg-ps256", {**a, "alg": "PS256"}, POLICY),
        ("alg-hs256", {**a, "alg": "HS256"}, POLICY),
        ("alg-none", {**a, "alg": "none"}, POLICY),
        ("alg-lower-case", {**a, "alg": "rs256"}, POLICY),
        ("use-enc", {**a, "use": "enc"}, f"{KEY}.2"),
        ("use-null", {**a, "use": None}, f"{KEY}.2"),
        ("use-array", {**a, "use": ["sig"]}, f"{KEY}.2"),
        ("key-ops-sign", {**a, "key_ops": ["sign"]}, f"{KEY}.3"),
        ("key-ops-empty", {**a, "key_ops": []}, f"{KEY}.3"),
        ("key-ops-string", {**a, "key_ops": "verify"}, f"{KEY}.3"),
        ("key-ops-null", {**a, "key_ops": None}, f"{KEY}.3"),
        ("key-ops-mixed", {**a, "key_ops": ["verify", 1]}, f"{KEY}.3"),
        ("key-ops-twice", {**a, "key_ops": ["verify", "verify"]}, f"{KEY}.3"),
        ("key-ops-twice-apart", {**a, "key_ops": ["verify", "sign", "verify"]}, f"{KEY}.3"),
        ("key-ops-other-twice", {**a, "key_ops": ["x", "verify", "x"]}, f"{KEY}.3"),
        ("key-ops-not-of-use", {**a, "key_ops": ["verify", "encrypt"]}, f"{KEY}.3: as use says"),
        ("key-ops-upper-case", {**a, "key_ops": ["VERIFY"]}, f"{KEY}.3"),
        ("key-ops-object", {**a, "key_ops": {"verify": True}}, f"{KEY}.3"),
        ("key-ops-nested", {**a, "key_ops": [["verify"]]}, f"{KEY}.3"),
        ("use-upper-case", {**a, "use": "SIG"}, f"{KEY}.2"),
        ("use-space", {**a, "use": "sig "}, f"{KEY}.2"),
        ("use-empty", {**a, "use": ""}, f"{KEY}.2"),
        ("use-both", {**a, "use": "sig enc"}, f"{KEY}.2"),
        ("use-number", {**a, "use": 1}, f"{KEY}.2"),
        ("kid-array", {**a, "kid": ["a"]}, KEY),
        ("kid-object", {**a, "kid": {}}, KEY),
        ("kid-true", {**a, "kid": True}, KEY),
        ("kty-null", {**a, "kty": None}, KEY),
        ("kty-space", {**a, "kty": "RSA "}, KEY),
        ("kty-ec", {**a, "kty": "EC"}, KEY),
        ("kty-oct", {**a, "kty": "oct"}, KEY),
        ("kty-akp", {**a, "kty": "AKP"}, KEY),
        ("kty-empty", {**a, "kty": ""}, KEY),
        ("alg-array", {**a, "alg": ["RS256"]}, POLICY),
        ("alg-number", {**a, "alg": 256}, POLICY),
        ("alg-empty", {**a, "alg": ""}, POLICY),
        ("alg-space", {**a, "alg": "RS256 "}, POLICY),
        ("alg-rs384", {**a, "alg": "RS384"}, POLICY),
        ("alg-rs1", {**a, "alg": "RS1"}, POLICY),
        ("alg-rsa-oaep", {**a, "alg": "RSA-OAEP"}, POLICY),
        ("alg-eddsa", {**a, "alg": "EdDSA"}, POLICY),
        ("alg-es256", {**a, "alg": "ES256"}, POLICY),
        ("private-null", {**a, "d": None}, "RFC 7517, section 9.2"),
        ("private-whole", RSA_A.jwk("a", d=number(RSA_A.d)), "RFC 7517, section 9.2"),
        ("secret-beside", {**a, "k": ""}, "RFC 7517, section 9.2"),
        *((f"private-{name}", {**a, name: "AQ"}, "RFC 7517, section 9.2") for name in PRIVATE),
        ("symmetric", {"kty": "oct", "alg": "HS256", "kid": "a", "k": "AQ"}, KEY),
        (
            "elliptic",
            {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "a", "x": "AQ", "y": "AQ"},
            KEY,
        ),
    ]
    made = [unusable(f"key-{name}", key, basis) for name, key, basis in rows]
    twice = json.dumps(a)[:-1] + f', "n": "{number(RSA_B.n)}"}}'
    escaped = json.dumps(a)[:-1] + r', "\u006e": "AQ"}'
    for name, key in [("member-twice", twice), ("member-twice-escaped", escaped)]:
        text = f'{{"keys": [{key}, {json.dumps(ED_B.jwk("good"))}]}}'
        made.append(case(f"key-{name}", "a key has a member twice", text, [GOOD], KEY))
    return made


PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


def text_of(document: str) -> str:
    """A document as a JSON string."""
    return json.dumps(document)
