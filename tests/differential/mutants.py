"""Mutated tokens. A seed chooses what is changed.

A mutant has one to three changes: in the header, the payload, the parts, the signature or the key
set. Most mutants are signed after the change, so that the change itself is judged.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cases.keys import ED_A, ED_B, RSA_1024, RSA_A, RSA_B, base64url
from cases.mint import BROKER, CLIENT_ID, EMAIL, NONCE, NOW, claims, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Members = list[tuple[str, str]]
"""The members of an object: names, and values as JSON text."""

TEXTS = [
    "",
    "x",
    BROKER,
    f"{BROKER}/",
    CLIENT_ID,
    EMAIL,
    NONCE,
    "RS256",
    "none",
    "JWT",
    "null",
]
TEXTS += ["https://evil.example", "Alice@Example.com", "\u00e9", "a\0b", "x" * 600]
NUMBERS = [
    "0",
    "-1",
    "-0",
    "1",
    "1.5",
    "1e3",
    "1e400",
    "1700000630",
    "1700000060",
    "1700000630.5",
]
NUMBERS += [str(NOW + step) for step in (-181, -180, -179, 0, 179, 180, 181, 3600)]
NUMBERS += ["253402300800", "99999999999999999999", "170000063e1", "1.7e9", "9" * 320]
ODD = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    '[""]',
    '{"a":{"b":[1]}}',
    "[[[[1]]]]",
    "NaN",
    "01",
    "'x'",
    "",
]
ODD += [r'"\u0061"', r'"\ud800"', '"\x01"', "0x10", "[1,]", '{"a":1,"a":2}']
HEADER = [
    "alg",
    "kid",
    "typ",
    "cty",
    "crit",
    "b64",
    "zip",
    "jwk",
    "jku",
    "x5c",
    "x5t",
    "enc",
    "x",
]
CLAIMS = [
    "iss",
    "aud",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "email",
    "email_original",
    "email_verified",
]
CLAIMS += ["azp", "sub", "auth_time", "jti", "x"]
KEY = ["kty", "alg", "use", "key_ops", "kid", "n", "e", "crv", "x", "k", "x5c", "ext"]
SPELT = {
    "alg": [
        "RS256",
        "EdDSA",
        "none",
        "None",
        "HS256",
        "PS256",
        "RS512",
        "ES256",
        "Ed25519",
        "rs256",
    ],
    "kid": [
        "rsa-a",
        "rsa-b",
        "ed-a",
        "ed-b",
        "hmac",
        "rsa-private",
        "twice",
        "rsa-without-alg",
    ],
    "typ": ["JWT", "jwt", "at+jwt", "application/jwt"],
    "aud": [CLIENT_ID, "https://rp.example.evil.example"],
    "use": ["sig", "enc"],
    "kty": ["RSA", "OKP", "oct", "EC"],
    "crv": ["Ed25519", "X25519", "Ed448", "P-256"],
    "e": ["AQAB", "Aw", "AQ", "AAEAAQ", "AQAB=", "Ag"],
}
LISTS = [
    '["sig"]',
    '["verify"]',
    '["sign"]',
    '["exp"]',
    f'["{CLIENT_ID}"]',
    f'["{BROKER}"]',
]


@dataclass(frozen=True)
class Mutant:
    """A token, the key set to verify it with, and a description of the changes."""

    name: str
    token: str
    key_set: str


def mutants(seed: int, rounds: int, keys: list[dict[str, Any]]) -> Iterator[Mutant]:
    """This number of mutants; the same for the same seed."""
    for number in range(rounds):
        yield mutant(f"{seed}-{number}", random.Random(f"{seed}-{number}"), keys)


def mutant(name: str, chance: random.Random, keys: list[dict[str, Any]]) -> Mutant:
    """One mutant."""
    head, payload = spelt(header()), spelt(claims())
    sign = RSA_A.sign
    if chance.random() < 0.7:
        head, sign = spelt(header(alg="EdDSA", kid="ed-a")), ED_A.sign
    own = "ed-a" if sign == ED_A.sign else "rsa-a"
    jwks = [spelt(key) for key in keys]
    done = [name]
    after: list[Callable[[str], str]] = []
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        where = chance.choice(
            ["header", "claim", "claim", "claim", "key", "key", "part", "signature"]
        )
        if where == "header":
            done.append(f"header {change(head, HEADER, chance)}")
        elif where == "claim":
            done.append(f"claim {change(payload, CLAIMS, chance)}")
        elif where == "key":
            key = next((key for key in jwks if ("kid", f'"{own}"') in key), jwks[0])
            done.append(f"key {change(key, KEY, chance)}")
        elif where == "part":
            after.append(in_parts(chance))
            done.append("part")
        else:
            sign = other_signature(sign, chance)
            done.append("signature")
    token = f"{encoded(head)}.{encoded(payload)}"
    token = f"{token}.{base64url(sign(token.encode()))}"
    for step in after:
        token = step(token)
    return Mutant(" / ".join(done), token, f'{{"keys":[{",".join(map(text, jwks))}]}}')


def spelt(members: dict[str, Any]) -> Members:
    """The members of an object with their values as JSON."""
    return [(name, json.dumps(value)) for name, value in members.items()]


def text(members: Members) -> str:
    """The text of the object, valid or not."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


def encoded(members: Members) -> str:
    """A part of a token."""
    return base64url(text(members).encode("utf-8", "surrogatepass"))


def change(members: Members, names: list[str], chance: random.Random) -> str:
    """Changes one member, and returns a description of the change."""
    name = chance.choice(names)
    there = [index for index, (other, _) in enumerate(members) if other == name]
    how = chance.choice(["value", "value", "value", "value", "without", "twice", "name", "order"])
    if how == "order":
        chance.shuffle(members)
    elif how == "without":
        members[:] = [member for member in members if member[0] != name]
    elif how == "name":
        odd = chance.choice([name.upper(), f"{name} ", f"{name}\0", "", "__proto__"])
        members[:] = [(odd if other == name else other, value) for other, value in members]
    elif how == "twice":
        members.insert(chance.randrange(len(members) + 1), (name, any_value(name, chance)))
    elif there:
        members[there[0]] = (name, any_value(name, chance))
    else:
        members.append((name, any_value(name, chance)))
    return f"{name} {how}"


def any_value(name: str, chance: random.Random) -> str:
    """A plausible value for this member, or any other one."""
    kind = chance.random()
    if name in SPELT and kind < 0.5:
        return json.dumps(chance.choice(SPELT[name]))
    if name in ("exp", "iat", "nbf", "auth_time") and kind < 0.7:
        return chance.choice(NUMBERS)
    if kind < 0.6:
        return json.dumps(chance.choice(TEXTS))
    return chance.choice([*NUMBERS, *ODD, *LISTS])


def in_parts(chance: random.Random) -> Callable[[str], str]:
    """A change of the finished token."""
    place, letter = chance.random(), chance.choice("AZaz09-_+/=. \n%~\u00e9")
    how = chance.choice(["insert", "replace", "cut", "pad", "drop", "double", "exchange", "around"])

    def changed(token: str) -> str:
        at = int(place * len(token))
        parts = token.split(".")
        if how == "insert":
            return token[:at] + letter + token[at:]
        if how == "replace":
            return token[:at] + letter + token[at + 1 :]
        if how == "cut":
            return token[:at]
        if how == "pad":
            parts[int(place * len(parts))] += "=" * (1 + at % 2)
        elif how == "drop":
            parts[int(place * len(parts))] = ""
        elif how == "double":
            parts.insert(int(place * len(parts)), parts[int(place * len(parts))])
        elif how == "exchange":
            parts = parts[::-1]
        else:
            return f" {token}" if at % 2 else f"{token}\n"
        return ".".join(parts)

    return changed


def other_signature(
    sign: Callable[[bytes], bytes], chance: random.Random
) -> Callable[[bytes], bytes]:
    """Another signing function, or one whose signature is changed."""
    place, bit = chance.random(), chance.randrange(8)

    def flipped(message: bytes) -> bytes:
        changed = bytearray(sign(message))
        changed[int(place * len(changed))] ^= 1 << bit
        return bytes(changed)

    others: list[Callable[[bytes], bytes]] = [
        flipped,
        lambda message: sign(message)[: int(place * 256)],
        lambda message: sign(message) + bytes(1 + bit),
        lambda message: bytes(1 + bit) + sign(message),
        lambda message: bytes(len(sign(message))),
        lambda message: sign(message[:-1]),
        RSA_A.sign_pss,
        RSA_B.sign,
        RSA_1024.sign,
        ED_B.sign,
    ]
    return chance.choice(others)
