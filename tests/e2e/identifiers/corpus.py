"""Addresses and redirect URIs: those of the vectors, others, and mutations of both.

`ROUNDS=10000` adds this number of mutations of each kind, `SEED=2` others.
"""

from __future__ import annotations

import json
import os
import random

from e2e.broker import ROOT

VECTORS = ROOT / "tests" / "vectors"
ROUNDS = int(os.environ.get("ROUNDS", "400"))
SEED = int(os.environ.get("SEED", "1"))

LONG = f"{'b' * 63}.{'c' * 63}"
ADDRESSES = [
    "example.foo+bar@example.com",
    '"ex@mple"@example.com',
    "a@a.b.c.d.example",
    "a@xn--nxasmq6b.example",
    f"{'a' * 64}@{LONG}.{'d' * 53}.example",
    f"{'a' * 64}@{LONG}.{'d' * 54}.example",
    f"{'a' * 64}@{LONG}.{'d' * 61}.example",
    "postmaster@[192.0.2.1]",
    "a@1.2.3.4.5",
    "a@1e3.example",
    "a@example.0x7f",
    "a@a\u0308.example",
    "\u0645\u062b\u0627\u0644@\u0645\u062b\u0627\u0644.example",
    "a@\u05d0b.example",
    "alice@example.com;",
    "alice@example,com",
    "alice@example.com>",
    "alice@(comment)example.com",
    "'alice'@example.com",
    "\u201calice\u201d@example.com",
    "alice\u3002b@example.com",
    "a@b.\u00a0example",
    "a@b\\.example",
    "\ud7ff@example.com",
    "\U0001f468\u200d\U0001f469@example.com",
    "a@\u2603.example",
    "a@\U0001f1e9\U0001f1ea.example",
]
REDIRECT_URIS = [
    "https://example.com:443/verify",
    "https://Example.com/verify",
    "https://b\u00fccher.example/verify",
    "https://example.com?x=1",
    "http://localhost:8888/verify",
    "http://app.localhost/verify",
    "https://*.example.com/verify",
    "https://example.com:0443/verify",
    "https://example.com/verify#",
    "https://example.com/verify#fragment",
    "https://example.com/a b",
    "https://example.com/a\\b",
    "https://user@example.com/verify",
    "https://:@example.com/verify",
    "https:example.com/verify",
    "https://0x7f000001/verify",
    "https://[::FFFF:127.0.0.1]/verify",
    "https://[::1%25lo]/verify",
    "ftp://example.com/verify",
]
# Pieces for mutations: text with a meaning in addresses or URLs, and text that looks like it.
SIGNS = list("@.,;:\"'\\/<>()[]%#?&=+-_ *{}|^`~!$aZ09\t\n\r\0\x7f")
ODD = list(
    "\x85\xa0\xad\u00fc\u00df\u0130\u212a\u0301\u034f\u0430\u05d0\u061c\u0661\u0905\u115f\u180e"
    "\u200b\u200c\u200d\u200e\u2028\u202e\u2060\u2066\u2800\u3000\u3002\u3164\ufe0f\ufeff\uff0e"
    "\uff11\uff20\ufe6b\ufff9\U0001f600\U000e0061"
)
WORDS = ["..", "xn--", "--", "a" * 64, "mailto:", "\u00fc" * 33, '"', ":443", ":80", "/..", "%2e"]


def addresses() -> list[str]:
    """Addresses without white space around them, which a client drops and a broker may keep."""
    known = [case["input"] for case in _vectors("emails")]
    return _with_mutants(known + ADDRESSES, ["alice@example.com", '"alice"@b.example'])


def redirect_uris() -> list[str]:
    """Redirect URIs as an operator may write them."""
    known = [case["redirect_uri"] for case in _vectors("configurations")]
    known += [case["redirect_uri"] for case in _vectors("authorization_urls")]
    return _with_mutants(
        known + REDIRECT_URIS,
        ["https://example.com/verify", "http://127.0.0.1:8888/verify?x=1", "https://[::1]/verify"],
    )


def _with_mutants(known: list[str], usual: list[str]) -> list[str]:
    chance = random.Random(SEED)
    made = [_changed(chance.choice(usual * 20 + known), chance) for _ in range(ROUNDS)]
    return sorted({text.strip() for text in known + made} - {""})


def _changed(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.randrange(len(text) + 1)
        end = place if chance.random() < 0.7 else place + 1
        added = chance.choice([*SIGNS, *ODD, *WORDS, ""])
        text = text[:place] + added + text[end:]
    return text


def _vectors(name: str) -> list[dict[str, str]]:
    text = (VECTORS / f"{name}.json").read_text(encoding="utf-8")
    cases: list[dict[str, str]] = json.loads(text)["cases"]
    return cases
