"""Key sets as documents, and helpers for their cases."""

import json

from .keys import ED_B, Jwk
from .mint import Case

KEY = "RFC 7517, section 4"
RSA = "RFC 7518, sections 2 and 6.3.1"
SIZE = "RFC 7518, section 3.3; policy: at most 8192 bits"

A = {"id": "a", "algorithm": "RS256", "bits": 2048}
GOOD = {"id": "good", "algorithm": "EdDSA", "bits": 256}


def body(*keys: object) -> str:
    """A key set."""
    return json.dumps({"keys": keys})


def case(identifier: str, about: str, text: str, expect: object, basis: str) -> Case:
    """One case; `expect` is an error's code or a list of keys."""
    outcome = {"code": expect} if isinstance(expect, str) else {"keys": expect}
    return {"id": identifier, "about": about, "body": text, "expect": outcome, "basis": basis}


def unusable(identifier: str, key: Jwk, basis: str) -> Case:
    """A set with one ignored and one usable key."""
    about = "the first key cannot be used"
    return case(identifier, about, body(key, ED_B.jwk("good")), [GOOD], basis)
