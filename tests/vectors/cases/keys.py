"""The committed test keys: as JSON Web Keys, and as signers."""

from base64 import urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEYS = Path(__file__).resolve().parent.parent.parent / "keys"

Jwk = dict[str, object]


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def number(value: int) -> str:
    """A number as `Base64urlUInt` (RFC 7518, section 2)."""
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class RsaKey:
    """An RSA key pair."""

    def __init__(self, name: str) -> None:
        key = load_pem_private_key((KEYS / f"{name}.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.private = key
        numbers = key.private_numbers()
        self.n, self.e, self.d = numbers.public_numbers.n, numbers.public_numbers.e, numbers.d
        self.size = (self.n.bit_length() + 7) // 8

    def sign(self, message: bytes, digest: HashAlgorithm | None = None) -> bytes:
        """RSASSA-PKCS1-v1_5, with SHA-256 unless told otherwise."""
        return self.private.sign(message, padding.PKCS1v15(), digest or SHA256())

    def sign_pss(self, message: bytes) -> bytes:
        """RSASSA-PSS with SHA-256 and without salt, which makes it deterministic."""
        return self.private.sign(message, padding.PSS(padding.MGF1(SHA256()), 0), SHA256())

    def sign_encoded(self, encoded: bytes) -> bytes:
        """The bare RSA operation on a message that is padded already."""
        return pow(int.from_bytes(encoded, "big"), self.d, self.n).to_bytes(self.size, "big")

    def jwk(self, kid: str, **members: object) -> Jwk:
        """The public key as the broker would publish it; `members` add to it or replace."""
        jwk: Jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid}
        return {**jwk, "n": number(self.n), "e": number(self.e), **members}

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        """The public key as a file."""
        return self.private.public_key().public_bytes(encoding, form)


class EdKey:
    """An Ed25519 key pair."""

    def __init__(self, name: str) -> None:
        key = load_pem_private_key((KEYS / f"{name}.pem").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self.private = key
        self.seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 (RFC 8032)."""
        return self.private.sign(message)

    def jwk(self, kid: str, **members: object) -> Jwk:
        """The public key as the broker would publish it; `members` add to it or replace."""
        jwk: Jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid}
        return {**jwk, "x": base64url(self.public), **members}


RSA_A = RsaKey("rsa-2048-a")
RSA_B = RsaKey("rsa-2048-b")
RSA_3072 = RsaKey("rsa-3072")
RSA_1024 = RsaKey("rsa-1024")
ED_A = EdKey("ed25519-a")
ED_B = EdKey("ed25519-b")


def without(jwk: Jwk, *names: str) -> Jwk:
    """The key without some of its members."""
    return {name: value for name, value in jwk.items() if name not in names}
