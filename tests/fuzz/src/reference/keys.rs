//! Which keys of a set can be used.

use std::fmt::Write as _;

use jsonwebtoken::{DecodingKey, crypto};

use super::base64url;
use super::json::{Object, Tree, read};

/// A key that can be used.
pub(crate) struct Usable {
    pub(crate) id: String,
    pub(crate) algorithm: &'static str,
    pub(crate) bits: u32,
    key: DecodingKey,
}

/// The usable keys of a set; `None` if the whole document is refused.
pub(crate) fn usable(document: &[u8]) -> Option<Vec<Usable>> {
    let document = read(document)?;
    let Tree::List(entries) = document.members()?.get("keys")? else {
        return None;
    };
    if entries.len() > 64 {
        return None;
    }
    let jwks: Vec<_> = entries.iter().filter_map(Tree::members).collect();
    let mut ids: Vec<_> = jwks.iter().filter_map(|jwk| id(*jwk)).collect();
    ids.sort_unstable();
    let keys: Vec<_> = jwks.iter().filter_map(|jwk| one(*jwk)).collect();
    let once = |key: &Usable| ids.iter().filter(|id| **id == key.id).count() == 1;
    let keys: Vec<_> = keys.into_iter().filter(once).collect();
    (!keys.is_empty()).then_some(keys)
}

impl Usable {
    /// Whether the signature, as base64url, is valid for this key.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        let algorithm = self.algorithm.parse().unwrap();
        crypto::verify(signature, message.as_bytes(), &self.key, algorithm).unwrap_or(false)
    }
}

fn id(jwk: Object<'_>) -> Option<&str> {
    let id = jwk.text("kid")?;
    (!id.is_empty() && id.len() <= 512).then_some(id)
}

fn one(jwk: Object<'_>) -> Option<Usable> {
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if secrets.iter().any(|name| jwk.get(name).is_some()) || !is_to_verify(jwk) {
        return None;
    }
    let names_an_algorithm = jwk.get("alg").is_some();
    match (jwk.text("kty")?, jwk.text("alg")) {
        ("RSA", Some("RS256")) => rsa(jwk),
        ("OKP", Some("EdDSA")) => ed25519(jwk),
        ("OKP", None) if !names_an_algorithm => ed25519(jwk),
        _ => None,
    }
}

fn is_to_verify(jwk: Object<'_>) -> bool {
    let usage = jwk.get("use");
    if usage.is_some() && jwk.text("use") != Some("sig") {
        return false;
    }
    let Some(operations) = jwk.get("key_ops") else {
        return true;
    };
    let Some(mut operations) = operations.texts() else {
        return false;
    };
    let all = operations.len();
    operations.sort_unstable();
    operations.dedup();
    let foreign = operations
        .iter()
        .any(|name| !matches!(*name, "sign" | "verify"));
    operations.len() == all && operations.contains(&"verify") && !(foreign && usage.is_some())
}

fn rsa(jwk: Object<'_>) -> Option<Usable> {
    let [n, e] = ["n", "e"].map(|name| jwk.text(name));
    let (n, e) = (n?, e?);
    let [modulus, exponent] = [n, e]
        .map(base64url)
        .map(|bytes| bytes.map(|bytes| bits(&bytes)));
    let (modulus, exponent) = (modulus?, exponent?);
    let canonical = |number: &str| !number.starts_with("00000000") && !number.is_empty();
    let size = |number: &str| number.trim_start_matches('0').len();
    let good = canonical(&modulus)
        && canonical(&exponent)
        && modulus.ends_with('1')
        && exponent.ends_with('1')
        && (2048..=8192).contains(&size(&modulus))
        && (2..=33).contains(&size(&exponent));
    Some(Usable {
        id: good.then(|| id(jwk))??.to_owned(),
        algorithm: "RS256",
        bits: u32::try_from(size(&modulus)).ok()?,
        key: DecodingKey::from_rsa_components(n, e).ok()?,
    })
}

/// A number as binary digits.
fn bits(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:08b}").unwrap();
    }
    digits
}

fn ed25519(jwk: Object<'_>) -> Option<Usable> {
    let x = jwk.text("x")?;
    let point: [u8; 32] = base64url(x)?.try_into().ok()?;
    let good = jwk.text("crv") == Some("Ed25519") && is_strong(point);
    Some(Usable {
        id: good.then(|| id(jwk))??.to_owned(),
        algorithm: "EdDSA",
        bits: 256,
        key: DecodingKey::from_ed_components(x).ok()?,
    })
}

/// Whether the point is not of small order, and its y coordinate is below the prime. Points are
/// compared as bytes; the last byte also has the sign of x.
fn is_strong(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7f;
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut y = String::new();
    for byte in point {
        write!(y, "{byte:02x}").unwrap();
    }
    let too_large = point[31] == 0x7f && point[1..31] == [0xff; 30] && point[0] >= 0xed;
    !small.contains(&y.as_str()) && !too_large
}
