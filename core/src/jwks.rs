//! The broker's key set (RFC 7517), and the keys that can be used.

use std::fmt;

use aws_lc_rs::signature::{
    ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::algorithm::Algorithm;
use crate::error::{Code, Error, Result};
use crate::json::{Object, Value};

/// The longest key id, in bytes.
pub(crate) const MAX_KEY_ID_BYTES: usize = 512;

/// The maximum number of keys in a set. A broker has three per algorithm.
const MAX_KEYS: usize = 64;

/// The accepted sizes of an RSA modulus, in bits. Smaller ones are too weak (RFC 7518, section 3.3), larger
/// ones are too expensive to verify.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// The largest RSA exponent that AWS-LC supports, in bits.
const MAX_EXPONENT_BITS: u32 = 33;

/// The usable keys of a broker.
pub(crate) struct KeySet {
    keys: Vec<Key>,
    /// The document as received, including what this library does not use.
    pub(crate) raw: String,
}

/// A public key that is ready to verify.
pub(crate) struct Key {
    info: KeyInfo,
    public: ParsedPublicKey,
}

/// One of the broker's usable keys.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key id, which tokens name in their header.
    pub id: String,
    /// The algorithm the key is for.
    pub algorithm: Algorithm,
    /// The size of the key in bits: of the modulus for RSA, 256 for Ed25519.
    pub bits: u32,
}

impl KeySet {
    /// Parses a key set. Unusable keys are ignored, so that a broker can publish keys for other clients. A set
    /// without a usable key is an error.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        let document = Object::parse(body).map_err(|reason| {
            Error::new(
                Code::BrokerDocument,
                format_args!("the broker's key set cannot be read reason={reason}"),
            )
        })?;
        let entries = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| unusable("the broker's key set has no array of keys"))?;
        if entries.len() > MAX_KEYS {
            return Err(unusable(format_args!(
                "the broker's key set is too large limit={MAX_KEYS} keys={}",
                entries.len()
            )));
        }
        let entries: Vec<_> = entries.iter().filter_map(Value::as_object).collect();
        let ids: Vec<_> = entries.iter().filter_map(key_id).collect();
        let ambiguous = |id: &str| ids.iter().filter(|other| **other == id).count() > 1;
        let keys: Vec<_> = entries
            .iter()
            .filter_map(Key::parse)
            .filter(|key| !ambiguous(&key.info.id))
            .collect();
        if keys.is_empty() {
            return Err(unusable(format_args!(
                "the broker's key set has no usable key keys={}",
                ids.len()
            )));
        }
        Ok(Self {
            keys,
            raw: String::from_utf8_lossy(body).into_owned(),
        })
    }

    /// The key with that id.
    pub(crate) fn get(&self, key_id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.info.id == key_id)
    }

    pub(crate) fn infos(&self) -> Vec<KeyInfo> {
        self.keys.iter().map(|key| key.info.clone()).collect()
    }
}

fn unusable(message: impl fmt::Display) -> Error {
    Error::new(Code::BrokerDocument, message)
}

fn key_id<'a>(jwk: &'a Object<'_>) -> Option<&'a str> {
    jwk.get("kid")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty() && id.len() <= MAX_KEY_ID_BYTES)
}

impl Key {
    /// Parses one key; `None` if it is not for verifying tokens, or not secure.
    fn parse(jwk: &Object<'_>) -> Option<Self> {
        let id = key_id(jwk)?.to_owned();
        if !is_public(jwk) || !is_for_signatures(jwk) {
            return None;
        }
        let algorithm = jwk.get("alg").map(Value::as_str);
        let (algorithm, bits, public) = match (text(jwk, "kty")?, algorithm) {
            // An RSA key without algorithm could be for another padding.
            ("RSA", Some(Some("RS256"))) => {
                let (bits, public) = rsa(jwk)?;
                (Algorithm::Rs256, bits, public)
            }
            ("OKP", None | Some(Some("EdDSA"))) => (Algorithm::EdDsa, 256, ed25519(jwk)?),
            _ => return None,
        };
        Some(Self {
            info: KeyInfo {
                id,
                algorithm,
                bits,
            },
            public,
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.info.algorithm
    }

    /// Whether the signature of the message is valid.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

fn text<'a>(jwk: &'a Object<'_>, name: &str) -> Option<&'a str> {
    jwk.get(name).and_then(Value::as_str)
}

/// A key with private members is not secret any more (RFC 7517, section 9.2; RFC 7518, section 6).
fn is_public(jwk: &Object<'_>) -> bool {
    !jwk.has_any(&["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
}

/// RFC 7517, sections 4.2 and 4.3: no duplicate operation, and none that contradicts the use.
fn is_for_signatures(jwk: &Object<'_>) -> bool {
    let usage = jwk.get("use");
    if usage.is_some_and(|value| value.as_str() != Some("sig")) {
        return false;
    }
    let Some(operations) = jwk.get("key_ops") else {
        return true;
    };
    let operations = operations.as_array().unwrap_or_default();
    let mut names: Vec<_> = operations.iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.len() == operations.len()
        && names.contains(&"verify")
        && (usage.is_none() || names.iter().all(|name| ["sign", "verify"].contains(name)))
}

/// RFC 7518, section 6.3.1.
fn rsa(jwk: &Object<'_>) -> Option<(u32, ParsedPublicKey)> {
    let modulus = unsigned(text(jwk, "n")?)?;
    let exponent = unsigned(text(jwk, "e")?)?;
    let bits = bit_length(&modulus)?;
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let usable = RSA_BITS.contains(&bits)
        && is_odd(&modulus)
        && is_odd(&exponent)
        && exponent != [1]
        && bit_length(&exponent)? <= MAX_EXPONENT_BITS;
    let components = RsaPublicKeyComponents {
        n: modulus,
        e: exponent,
    };
    let public = usable.then(|| components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256));
    Some((bits, public?.ok()?))
}

/// A positive number in its canonical encoding, without leading zeros (RFC 7518, section 2,
/// `Base64urlUInt`).
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    bytes
        .first()
        .is_some_and(|byte| *byte != 0)
        .then_some(bytes)
}

fn bit_length(number: &[u8]) -> Option<u32> {
    let bytes = u32::try_from(number.len()).ok()?;
    bytes
        .checked_mul(8)?
        .checked_sub(number.first()?.leading_zeros())
}

/// RFC 8037, section 2.
fn ed25519(jwk: &Object<'_>) -> Option<ParsedPublicKey> {
    if text(jwk, "crv")? != "Ed25519" {
        return None;
    }
    let point: [u8; 32] = URL_SAFE_NO_PAD
        .decode(text(jwk, "x")?)
        .ok()?
        .try_into()
        .ok()?;
    if !is_strong_point(&point) {
        return None;
    }
    ParsedPublicKey::new(&ED25519, point).ok()
}

/// Whether the encoding is canonical (RFC 8032, section 5.1.3: y below p), and the point is not one of the
/// eight whose order divides the cofactor: for those, anyone can make a valid signature.
fn is_strong_point(point: &[u8; 32]) -> bool {
    // The y coordinate as a big-endian number, without the sign of x.
    let mut y = *point;
    y.reverse();
    y[0] &= 0x7f;
    y < FIELD_PRIME && !SMALL_ORDER_Y.contains(&y)
}

/// 2^255 - 19.
const FIELD_PRIME: [u8; 32] = {
    let mut number = [0xff; 32];
    number[0] = 0x7f;
    number[31] = 0xed;
    number
};

/// The y coordinates of the eight points of small order: 0, 1, -1 and the two of order eight.
const SMALL_ORDER_Y: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[31] = 1;
    let mut minus_one = FIELD_PRIME;
    minus_one[31] -= 1;
    [
        [0; 32],
        one,
        minus_one,
        *b"\x05\xfc\x53\x6d\x88\x02\x38\xb1\x39\x33\xc6\xd3\x05\xac\xdf\xd5\
           \xf0\x98\xef\xf2\x89\xf4\xc3\x45\xb0\x27\xb2\xc2\x8f\x95\xe8\x26",
        *b"\x7a\x03\xac\x92\x77\xfd\xc7\x4e\xc6\xcc\x39\x2c\xfa\x53\x20\x2a\
           \x0f\x67\x10\x0d\x76\x0b\x3c\xba\x4f\xd8\x4d\x3d\x70\x6a\x17\xc7",
    ]
};

#[cfg(test)]
mod tests;
