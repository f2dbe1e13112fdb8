"""Signatures that hold, and signatures that only look like it."""

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA1, SHA384

from .keys import ED_A, ED_B, RSA_1024, RSA_3072, RSA_A, RSA_B, base64url, number
from .mint import Case, accepted, case, claims, header, octets, sign

RSA = "RFC 8017, section 8.2.2"
EDDSA = "RFC 8032, section 5.1.7"
KEYS = "RFC 7517, section 4; RFC 8725, section 3.1"

DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in PKCS #1 v1.5 (RFC 8017, section 9.2)."""

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point of Ed25519."""


def cases() -> list[Case]:
    """All cases of this file."""
    return good() + wrong_rsa() + wrong_eddsa() + confusions() + unusable_keys()


def ed_header(kid: str = "ed-a") -> dict[str, object]:
    """The header of a token signed with Ed25519."""
    return header(alg="EdDSA", kid=kid)


def good() -> list[Case]:
    """Every kind of key that is accepted."""
    return [
        case("rs256-2048", "RS256, 2048 bits", sign(), accepted(), RSA),
        case(
            "rs256-other-key",
            "RS256 with the broker's next key",
            sign(header(kid="rsa-b"), signer=RSA_B.sign),
            accepted(),
            "Portier: the key set holds the current and the next key",
        ),
        case(
            "rs256-3072",
            "RS256, 3072 bits",
            sign(header(kid="rsa-3072"), signer=RSA_3072.sign),
            accepted(),
            RSA,
        ),
        case("eddsa", "EdDSA", sign(ed_header(), signer=ED_A.sign), accepted(), "RFC 8037"),
        case(
            "eddsa-key-without-alg",
            "EdDSA with a key that names no algorithm",
            sign(ed_header("ed-b"), signer=ED_B.sign),
            accepted(),
            "RFC 8037, section 2",
        ),
    ]


def wrong_rsa() -> list[Case]:
    """RSA signatures that do not hold."""
    good_token = sign()
    signed, _, encoded = good_token.rpartition(".")
    signature = RSA_A.sign(signed.encode())
    assert base64url(signature) == encoded
    value = int.from_bytes(signature, "big")
    digest = hashlib.sha256(signed.encode()).digest()
    without_null = bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420")

    def over_modulus(message: bytes) -> bytes:
        return (int.from_bytes(RSA_A.sign(message), "big") + RSA_A.n).to_bytes(257, "big")

    rows = [
        ("other-key", "made with another key of the broker", RSA_B.sign(signed.encode())),
        ("shorter", "missing its last octet", signature[:-1]),
        ("longer", "followed by a zero octet", signature + b"\0"),
        ("zero-in-front", "led by a zero octet", b"\0" + signature),
        ("bit-flipped", "a good one but for one bit", flipped(signature)),
        ("zero", "zero", bytes(256)),
        ("one", "one", bytes(255) + b"\1"),
        ("modulus-less-one", "the modulus less one", (RSA_A.n - 1).to_bytes(256, "big")),
        ("modulus", "the modulus", RSA_A.n.to_bytes(256, "big")),
        ("plus-modulus", "larger than the modulus by a good one", over_modulus(signed.encode())),
        ("negated", "the negative of a good one", (RSA_A.n - value).to_bytes(256, "big")),
        ("pss", "RSASSA-PSS", RSA_A.sign_pss(signed.encode())),
        ("sha-1", "one over a SHA-1 digest", RSA_A.sign(signed.encode(), SHA1())),
        ("sha-384", "one over a SHA-384 digest", RSA_A.sign(signed.encode(), SHA384())),
        ("no-null", "one without the NULL parameter", padded(without_null + digest)),
        ("no-digest-info", "one over the bare digest", padded(digest)),
        ("short-padding", "padded too little, with rubbish behind", short_padding(digest)),
        ("block-type-2", "padded as for encryption", padded(DIGEST_INFO + digest, kind=2)),
        ("one-octet", "a single octet", b"\1"),
        (
            "hmac",
            "an HMAC with the public key",
            hmac.digest(RSA_A.pem(), signed.encode(), "sha256"),
        ),
    ]
    made = [
        case(
            f"rs256-signature-{name}",
            f"the signature is {about}",
            f"{signed}.{base64url(wrong)}",
            "token_signature",
            RSA,
        )
        for name, about, wrong in rows
    ]
    other = sign(payload=claims(email="mallory@example.com")).split(".")
    made += [
        case(
            "rs256-other-payload",
            "the signature is that of another token",
            f"{signed}.{other[2]}",
            "token_signature",
            RSA,
        ),
        case(
            "rs256-exponent-three",
            "forged for a key with the exponent three, by a cube root with rubbish at the end",
            sign(header(kid="rsa-e3"), signer=cube_root_forgery),
            "token_signature",
            "CVE-2006-4339",
        ),
    ]
    return made


def flipped(signature: bytes) -> bytes:
    """The signature with one bit in its middle flipped."""
    middle = len(signature) // 2
    return signature[:middle] + bytes([signature[middle] ^ 1]) + signature[middle + 1 :]


def padded(message: bytes, kind: int = 1) -> bytes:
    """A signature over a message that is padded with as much as it takes."""
    filler = b"\xff" * (RSA_A.octets - 3 - len(message))
    return RSA_A.sign_encoded(bytes([0, kind]) + filler + b"\0" + message)


def short_padding(digest: bytes) -> bytes:
    """A signature over a message with eight octets of padding, and rubbish behind the digest."""
    message = b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO + digest
    return RSA_A.sign_encoded(message.ljust(RSA_A.octets, b"\0"))


def cube_root_forgery(message: bytes) -> bytes:
    """A number whose cube begins like a padded digest of the message."""
    digest = hashlib.sha256(message).digest()
    start = b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO + digest
    target = int.from_bytes(start.ljust(256, b"\0"), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**3 >= target else (middle + 1, high)
    assert (low**3).to_bytes(256, "big").startswith(start)
    return low.to_bytes(256, "big")


def wrong_eddsa() -> list[Case]:
    """Ed25519 signatures that do not hold."""
    signed, _, _ = sign(ed_header(), signer=ED_A.sign).rpartition(".")
    signature = ED_A.sign(signed.encode())
    scalar = int.from_bytes(signature[32:], "little")
    malleable = signature[:32] + (scalar + GROUP_ORDER).to_bytes(32, "little")
    rows = [
        ("other-key", "made with another key of the broker", ED_B.sign(signed.encode())),
        ("shorter", "missing its last octet", signature[:-1]),
        ("longer", "followed by a zero octet", signature + b"\0"),
        ("bit-flipped", "a good one but for one bit", flipped(signature)),
        ("zero", "zero", bytes(64)),
        ("identity", "the neutral point and zero", b"\1" + bytes(63)),
        ("malleable", "the other one of two that a lax verifier takes", malleable),
        ("half", "the first half only", signature[:32]),
    ]
    return [
        case(
            f"eddsa-signature-{name}",
            f"the signature is {about}",
            f"{signed}.{base64url(wrong)}",
            "token_signature",
            EDDSA,
        )
        for name, about, wrong in rows
    ]


def confusions() -> list[Case]:
    """A public key taken for a secret."""
    secrets = {
        "pem": RSA_A.pem(),
        "pem-trimmed": RSA_A.pem().strip(),
        "der": RSA_A.der(),
        "modulus": number(RSA_A.n).encode(),
        "empty": b"",
    }
    return [
        case(
            f"hs256-with-public-key-{name}",
            "an HMAC whose secret is the public key, in one of its forms, or nothing",
            sign(header(alg="HS256"), signer=mac(secret)),
            "token_algorithm",
            "CVE-2015-9235; CVE-2016-10555; RFC 8725, section 3.1",
        )
        for name, secret in secrets.items()
    ]


def mac(secret: bytes) -> Callable[[bytes], bytes]:
    """Makes an HMAC instead of a signature."""
    return lambda message: hmac.digest(secret, message, "sha256")


def unusable_keys() -> list[Case]:
    """Good signatures made with keys that are in the set, but not to be used."""
    rsa = {
        "rsa-without-alg": "the RSA key names no algorithm",
        "rsa-ps256": "the RSA key is for PS256",
        "rsa-rs512": "the RSA key is for RS512",
        "rsa-encryption": "the RSA key is for encryption",
        "rsa-operations": "the RSA key may only encrypt",
        "rsa-private": "the RSA key is published with its private part",
        "twice": "two keys have the key id",
        "mixed-twice": "a usable and an unusable key have the key id",
    }
    ed = {
        "ed-x25519": "the key's curve is X25519",
        "ed-rs256": "the key names another algorithm than its curve's",
        "ed-private": "the key is published with its private part",
    }
    rows = [
        case(f"key-{kid}", about, sign(header(kid=kid)), "token_key_unknown", KEYS)
        for kid, about in rsa.items()
    ]
    rows += [
        case(
            f"key-{kid}",
            about,
            sign(ed_header(kid), signer=ED_A.sign),
            "token_key_unknown",
            f"{KEYS}; RFC 8037, section 2",
        )
        for kid, about in ed.items()
    ]
    signed = f"{base64url(octets(ed_header('ed-small-order')))}.{base64url(octets(claims()))}"
    rows += [
        case(
            "key-rsa-1024",
            "the RSA key has 1024 bits",
            sign(header(kid="rsa-1024"), signer=RSA_1024.sign),
            "token_key_unknown",
            "RFC 7518, section 3.3",
        ),
        case(
            "key-ed-small-order",
            "the key is the neutral point, under which anyone can sign",
            f"{signed}.{base64url(bytes([1]) + bytes(63))}",
            "token_key_unknown",
            "RFC 8725, section 3.4; RFC 8032, section 5.1.7",
        ),
        case(
            "key-hmac",
            "the key set has a symmetric key",
            sign(header(kid="hmac"), signer=mac(b"secret" * 6)),
            "token_key_unknown",
            KEYS,
        ),
    ]
    return rows
