//! Seals content as the client does, by another implementation.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

/// The sealed text. `about` is the purpose, and then what it is bound to.
pub(crate) fn seal(about: &[&str], content: &[u8]) -> String {
    let mut derived = [0; 36];
    Salt::new(HKDF_SHA256, b"portier-client")
        .extract(SECRET.as_bytes())
        .expand(&[about[0].as_bytes()], Derived)
        .and_then(|output| output.fill(&mut derived))
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derived[..32]).unwrap());
    let mut bound_to = Vec::new();
    for part in [&b"\x01"[..]]
        .into_iter()
        .chain(about.iter().map(|part| part.as_bytes()))
    {
        bound_to.extend((part.len() as u64).to_be_bytes());
        bound_to.extend(part);
    }
    let mut sealed = content.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce, Aad::from(bound_to), &mut sealed)
        .unwrap();
    let head = [&[1][..], &derived[32..], &[0; 12]].concat();
    URL_SAFE_NO_PAD.encode([head, sealed].concat())
}

struct Derived;

impl KeyType for Derived {
    fn len(&self) -> usize {
        36
    }
}
