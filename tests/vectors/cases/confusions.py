"""Keys that are used for another purpose or algorithm."""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .ed25519 import ed_header
from .keys import ED_A, RSA_1024, RSA_A, base64url, number
from .mint import Case, as_bytes, case, claims, header, sign

SECRET = "RFC 8725, section 3.1; CVE-2015-9235; CVE-2016-10555"
KEYS = "RFC 7517, section 4; RFC 8725, section 3.1"
SPELLINGS = {
    "pem-pkcs1": "CVE-2017-11424; CVE-2023-48223",
    "openssh": "CVE-2022-29217; CVE-2024-33663",
    "ed25519-openssh": "CVE-2022-29217",
    "empty": "CVE-2019-20933",
}
"""Some advisories concern one spelling of a public key, others all."""


def public_keys_as_secrets() -> list[Case]:
    """An HMAC whose secret is the public key, in each plausible encoding."""
    spki, pkcs1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
    pem = RSA_A.public(Encoding.PEM, spki)
    der = RSA_A.public(Encoding.DER, spki)
    jwk = RSA_A.jwk("rsa-a")
    modulus = RSA_A.n.to_bytes(256, "big")
    secrets = {
        "pem": pem,
        "pem-trimmed": pem.strip(),
        "pem-crlf": pem.replace(b"\n", b"\r\n"),
        "pem-one-line": pem.replace(b"\n", b""),
        "pem-escaped": pem.replace(b"\n", rb"\n"),
        "pem-led-by-line": b"\n" + pem,
        "pem-pkcs1": RSA_A.public(Encoding.PEM, pkcs1),
        "der": der,
        "der-base64": b64encode(der),
        "der-base64url": base64url(der).encode(),
        "der-pkcs1": RSA_A.public(Encoding.DER, pkcs1),
        "openssh": RSA_A.public(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(jwk).encode(),
        "jwk-short": json.dumps(jwk, separators=(",", ":")).encode(),
        "modulus": number(RSA_A.n).encode(),
        "modulus-bytes": modulus,
        "modulus-signed": b"\0" + modulus,
        "modulus-hexadecimal": modulus.hex().encode(),
        "exponent": b"AQAB",
        "kid": b"rsa-a",
        "ed25519": ED_A.public,
        "ed25519-base64url": base64url(ED_A.public).encode(),
        "ed25519-openssh": ED_A.private.public_key().public_bytes(
            Encoding.OpenSSH, PublicFormat.OpenSSH
        ),
        "empty": b"",
    }
    return [
        case(
            f"hs256-with-public-key-{name}",
            "an HMAC whose secret is the public key, in one of its forms, or nothing",
            sign(header(alg="HS256"), signer=mac(secret)),
            "token_algorithm",
            "; ".join(filter(None, [SECRET, SPELLINGS.get(name)])),
        )
        for name, secret in secrets.items()
    ]


def mac(secret: bytes, digest: str = "sha256") -> Callable[[bytes], bytes]:
    """Makes an HMAC instead of a signature."""
    return lambda message: hmac.digest(secret, message, digest)


def other_algorithms() -> list[Case]:
    """A signature of one algorithm under the name or the key of another."""
    pem = RSA_A.public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ed_pem = ED_A.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    nothing = bytes(64)
    rows = [
        ("hs384", header(alg="HS384"), mac(pem, "sha384"), "token_algorithm", SECRET),
        ("hs512", header(alg="HS512"), mac(pem, "sha512"), "token_algorithm", SECRET),
        ("hmac-as-rs256", header(), mac(pem), "token_signature", SECRET),
        ("hmac-as-eddsa", ed_header(), mac(ED_A.public, "sha512"), "token_signature", SECRET),
        (
            "hmac-with-ed25519-pem",
            header(alg="HS256", kid="ed-a"),
            mac(ed_pem),
            "token_algorithm",
            SECRET,
        ),
        ("pss-as-ps256", header(alg="PS256"), RSA_A.sign_pss, "token_algorithm", KEYS),
        ("pss-as-rs256", header(), RSA_A.sign_pss, "token_signature", "RFC 7518, section 3.3"),
        (
            "pss-with-its-key",
            header(alg="PS256", kid="rsa-ps256"),
            RSA_A.sign_pss,
            "token_algorithm",
            "policy: only RS256 and EdDSA",
        ),
        ("es256-zero", header(alg="ES256"), lambda _: nothing, "token_algorithm", "CVE-2022-21449"),
        (
            "es256-zero-with-its-key",
            header(alg="ES256", kid="ec"),
            lambda _: nothing,
            "token_algorithm",
            "CVE-2022-21449",
        ),
        ("eddsa-by-rsa", ed_header(), RSA_A.sign, "token_signature", KEYS),
        ("rs256-by-ed25519", header(), ED_A.sign, "token_signature", KEYS),
        (
            "eddsa-under-rsa-key",
            header(alg="EdDSA"),
            RSA_A.sign,
            "token_algorithm",
            KEYS,
        ),
        (
            "none-with-signature",
            header(alg="none"),
            RSA_A.sign,
            "token_algorithm",
            "RFC 7518, section 3.6; CVE-2022-23540",
        ),
    ]
    return [
        case(
            f"confusion-{name}",
            "the signature is of another kind than its name or its key",
            sign(head, signer=signer),
            code,
            basis,
        )
        for name, head, signer, code, basis in rows
    ]


def unusable_keys() -> list[Case]:
    """Valid signatures of keys in the set that must not be used."""
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
    signed = f"{base64url(as_bytes(ed_header('ed-small-order')))}.{base64url(as_bytes(claims()))}"
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
        case(
            "key-hmac-hs256",
            "the key set has a symmetric key, and the token says so",
            sign(header(alg="HS256", kid="hmac"), signer=mac(b"secret" * 6)),
            "token_algorithm",
            KEYS,
        ),
    ]
    return rows
