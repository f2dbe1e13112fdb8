//! Texts that only this site can read and change (AES-256-GCM).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;

use crate::base64url::BASE64URL;
use crate::clock::Random;
use crate::error::{Code, Error, Result};
use crate::framing::with_lengths;

/// The version of the format: one byte, the key's id, the nonce, the ciphertext with its tag.
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
/// The length of the id that tells which secret sealed a text.
const ID_BYTES: usize = 4;
const HEAD_BYTES: usize = 1 + ID_BYTES + NONCE_LEN;

const MIN_SECRET_BYTES: usize = 32;
/// The minimum number of different characters of a secret; 32 random bytes have more in every usual
/// encoding.
const MIN_DISTINCT_BYTES: usize = 8;

/// Seals with the first of its secrets and opens with all of them, so that secrets can be rotated.
pub(crate) struct Sealer {
    keys: Vec<SealingKey>,
    context: Vec<u8>,
}

struct SealingKey {
    id: [u8; ID_BYTES],
    key: LessSafeKey,
}

impl Sealer {
    /// `label` names the purpose, and `site` the site: a text that was sealed for another purpose or
    /// site does not open.
    pub(crate) fn new(secrets: &[Vec<u8>], label: &str, site: &[&str]) -> Result<Self> {
        if secrets.is_empty() {
            return Err(invalid("there is no secret"));
        }
        let derived = secrets
            .iter()
            .map(|secret| SealingKey::derive(secret, label));
        let mut parts = vec![&[VERSION][..], label.as_bytes()];
        parts.extend(site.iter().map(|part| part.as_bytes()));
        Ok(Self {
            keys: derived.collect::<Result<_>>()?,
            context: with_lengths(&parts),
        })
    }

    pub(crate) fn seal(&self, random: &dyn Random, text: &[u8]) -> Result<String> {
        let failed = || Error::new(Code::Internal, "a text could not be sealed");
        let key = self.keys.first().ok_or_else(failed)?;
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(HEAD_BYTES + text.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let open = sealed.get_mut(HEAD_BYTES..).ok_or_else(failed)?;
        let aad = Aad::from(&self.context);
        let tag = key.key.seal_in_place_separate_tag(nonce, aad, open);
        sealed.extend_from_slice(tag.map_err(|_| failed())?.as_ref());
        Ok(BASE64URL.encode(sealed))
    }

    /// `None` for a text that this site has not sealed, or that was changed.
    pub(crate) fn open(&self, text: &str) -> Option<Vec<u8>> {
        let mut sealed = BASE64URL.decode(text).ok()?;
        let (head, body) = sealed.split_at_mut_checked(HEAD_BYTES)?;
        let (version, head) = head.split_first()?;
        let (id, nonce) = head.split_at_checked(ID_BYTES)?;
        if *version != VERSION {
            return None;
        }
        let known = self.keys.iter().find(|key| key.id.as_slice() == id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = known
            .key
            .open_in_place(nonce, Aad::from(&self.context), body);
        let length = opened.ok()?.len();
        sealed.drain(..HEAD_BYTES);
        sealed.truncate(length);
        Some(sealed)
    }

    /// Whether a text has the form of a sealed one of at least `least` bytes. Anybody can make such a text.
    pub(crate) fn has_form(text: &str, least: usize) -> bool {
        let sealed = BASE64URL.decode(text).unwrap_or_default();
        sealed.first() == Some(&VERSION)
            && sealed.len() >= HEAD_BYTES + least + AES_256_GCM.tag_len()
    }
}

impl SealingKey {
    fn derive(secret: &[u8], label: &str) -> Result<Self> {
        check(secret)?;
        let failed = || Error::new(Code::Internal, "a key could not be derived");
        let mut derived = [0; KEY_BYTES + ID_BYTES];
        Salt::new(HKDF_SHA256, b"portier-client")
            .extract(secret)
            .expand(&[label.as_bytes()], Derived)
            .and_then(|output| output.fill(&mut derived))
            .map_err(|_| failed())?;
        let (key, id) = derived.split_at(KEY_BYTES);
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| failed())?;
        Ok(Self {
            id: id.try_into().map_err(|_| failed())?,
            key: LessSafeKey::new(key),
        })
    }
}

struct Derived;

impl KeyType for Derived {
    fn len(&self) -> usize {
        KEY_BYTES + ID_BYTES
    }
}

/// Refuses secrets that can be guessed.
fn check(secret: &[u8]) -> Result<()> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(invalid(format_args!(
            "a secret is too short; use 32 random bytes or more least={MIN_SECRET_BYTES} bytes={}",
            secret.len()
        )));
    }
    let mut distinct = secret.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let text = String::from_utf8_lossy(secret).to_ascii_lowercase();
    let is_placeholder = PLACEHOLDERS.iter().any(|word| text.contains(word));
    if distinct.len() < MIN_DISTINCT_BYTES || is_placeholder {
        return Err(invalid(
            "a secret looks like a placeholder; use 32 random bytes or more, such as from \
             `openssl rand -base64 32`",
        ));
    }
    Ok(())
}

/// Words in secrets of examples. They do not occur in random text.
const PLACEHOLDERS: [&str; 10] = [
    "secret",
    "password",
    "changeme",
    "change-me",
    "change me",
    "change_me",
    "placeholder",
    "example",
    "insecure",
    "0123456789",
];

fn invalid(message: impl std::fmt::Display) -> Error {
    Error::new(Code::InvalidOption, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    const OLD: &[u8] = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";
    const NEW: &[u8] = b"rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
    const SITE: &str = "https://site.test";

    fn sealer(secrets: &[&[u8]], label: &str, site: &str) -> Sealer {
        let secrets: Vec<_> = secrets.iter().map(|secret| secret.to_vec()).collect();
        Sealer::new(&secrets, label, &[site]).unwrap()
    }

    #[test]
    fn every_secret_opens_and_the_first_one_seals() {
        let old = sealer(&[OLD], "a", SITE);
        let both = sealer(&[NEW, OLD], "a", SITE);
        let new = sealer(&[NEW], "a", SITE);
        let sealed = old.seal(&SystemRandom, b"text").unwrap();
        assert_eq!(both.open(&sealed).as_deref(), Some(&b"text"[..]));
        assert_eq!(new.open(&sealed), None);
        let sealed = both.seal(&SystemRandom, b"text").unwrap();
        assert_eq!(new.open(&sealed).as_deref(), Some(&b"text"[..]));
        assert_eq!(old.open(&sealed), None);
    }

    #[test]
    fn what_is_sealed_for_another_purpose_or_site_does_not_open() {
        let sealed = sealer(&[OLD], "a", SITE)
            .seal(&SystemRandom, b"text")
            .unwrap();
        assert_eq!(sealer(&[OLD], "b", SITE).open(&sealed), None);
        assert_eq!(
            sealer(&[OLD], "a", "https://other.test").open(&sealed),
            None
        );
    }

    #[test]
    fn changed_or_shortened_text_is_refused() {
        let site = sealer(&[OLD], "a", SITE);
        let sealed = site.seal(&SystemRandom, b"text").unwrap();
        for place in 0..sealed.len() {
            for other in *b"AZaz09-_=. " {
                let mut changed = sealed.clone().into_bytes();
                if changed[place] != other {
                    changed[place] = other;
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(site.open(&changed), None, "{place} {other}");
                }
            }
            assert_eq!(site.open(&sealed[..place]), None, "{place}");
        }
        assert_eq!(site.open(&format!("{sealed}A")), None);
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        let long = |text: &str| text.repeat(40).into_bytes();
        for secret in [
            b"too short".to_vec(),
            OLD[..31].to_vec(),
            long("a"),
            long("ab"),
            b"please change me, please change me".to_vec(),
            b"my-super-secret-key-for-production!".to_vec(),
            b"0123456789abcdef0123456789abcdef".to_vec(),
        ] {
            let error = Sealer::new(&[secret], "a", &[SITE]).err().unwrap();
            assert_eq!(error.code(), Code::InvalidOption);
        }
        assert!(Sealer::new(&[], "a", &[SITE]).is_err());
        assert!(Sealer::new(&[OLD.to_vec(), long("a")], "a", &[SITE]).is_err());
    }
}
