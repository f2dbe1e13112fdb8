//! The development broker's signing keys.

use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::error::{Code, Error, Result};
use crate::fork::lock;

/// Selects a key of the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChoice {
    /// The key that signs at present.
    #[default]
    Current,
    /// The key that will sign after the next rotation; published already.
    Next,
    /// The key that signed before the last rotation; still published. There is none before the
    /// first.
    Previous,
    /// A key that was never published.
    Stranger,
}

/// The first keys of every broker of this process. Generating RSA keys takes longer than most tests.
static FIRST: Mutex<Option<KeyRing>> = Mutex::new(None);

/// All keys. They are generated when they are first needed.
#[derive(Default)]
pub(super) struct Keys(Mutex<Option<KeyRing>>);

impl Keys {
    /// Generates the keys if there are none.
    pub(super) fn prepare(&self) -> Result<()> {
        self.with(|_| Ok(()))
    }

    pub(super) fn rotate(&self) -> Result<()> {
        self.with(|ring| {
            for family in [&mut ring.rs256, &mut ring.eddsa] {
                family.rotate()?;
            }
            Ok(())
        })
    }

    pub(super) fn replace(&self) -> Result<()> {
        let ring = KeyRing::generate()?;
        *lock(&self.0) = Some(ring);
        Ok(())
    }

    pub(super) fn key(&self, choice: KeyChoice, algorithm: Algorithm) -> Result<Arc<SigningKey>> {
        self.with(|ring| match algorithm {
            Algorithm::Rs256 => ring.rs256.key(choice),
            Algorithm::EdDsa => ring.eddsa.key(choice),
        })
    }

    /// The key set as `keys.json` shows it.
    pub(super) fn published(&self) -> Result<JwkSet> {
        self.with(|ring| {
            let families = [&ring.rs256, &ring.eddsa];
            let keys = families.into_iter().flat_map(Family::published);
            Ok(JwkSet {
                keys: keys.map(|key| key.jwk.clone()).collect(),
            })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut KeyRing) -> Result<T>) -> Result<T> {
        let mut slot = lock(&self.0);
        let ring = match &mut *slot {
            Some(ring) => ring,
            none => none.insert(KeyRing::first()?),
        };
        work(ring)
    }
}

#[derive(Clone)]
struct KeyRing {
    rs256: Family,
    eddsa: Family,
}

impl KeyRing {
    fn first() -> Result<Self> {
        if let Some(ring) = &*lock(&FIRST) {
            return Ok(ring.clone());
        }
        let ring = Self::generate()?;
        Ok(lock(&FIRST).get_or_insert(ring).clone())
    }

    fn generate() -> Result<Self> {
        Ok(Self {
            rs256: Family::generate(Algorithm::Rs256)?,
            eddsa: Family::generate(Algorithm::EdDsa)?,
        })
    }
}

/// The keys of one algorithm.
#[derive(Clone)]
struct Family {
    algorithm: Algorithm,
    previous: Option<Arc<SigningKey>>,
    current: Arc<SigningKey>,
    next: Arc<SigningKey>,
    stranger: Option<Arc<SigningKey>>,
}

impl Family {
    fn generate(algorithm: Algorithm) -> Result<Self> {
        Ok(Self {
            algorithm,
            previous: None,
            current: Arc::new(SigningKey::generate(algorithm)?),
            next: Arc::new(SigningKey::generate(algorithm)?),
            stranger: None,
        })
    }

    fn rotate(&mut self) -> Result<()> {
        let next = Arc::new(SigningKey::generate(self.algorithm)?);
        let current = std::mem::replace(&mut self.next, next);
        self.previous = Some(std::mem::replace(&mut self.current, current));
        Ok(())
    }

    fn key(&mut self, choice: KeyChoice) -> Result<Arc<SigningKey>> {
        match choice {
            KeyChoice::Current => Ok(Arc::clone(&self.current)),
            KeyChoice::Next => Ok(Arc::clone(&self.next)),
            KeyChoice::Previous => self.previous.clone().ok_or_else(|| {
                Error::new(
                    Code::InvalidOption,
                    "there is no previous key before the first rotation",
                )
            }),
            KeyChoice::Stranger => {
                let stranger = match &self.stranger {
                    Some(stranger) => Arc::clone(stranger),
                    None => Arc::new(SigningKey::generate(self.algorithm)?),
                };
                self.stranger = Some(Arc::clone(&stranger));
                Ok(stranger)
            }
        }
    }

    fn published(&self) -> impl Iterator<Item = &SigningKey> {
        let always = [&self.current, &self.next];
        always.into_iter().chain(&self.previous).map(AsRef::as_ref)
    }
}

/// A key pair and its public description.
pub(super) struct SigningKey {
    algorithm: jsonwebtoken::Algorithm,
    private: EncodingKey,
    jwk: Jwk,
    id: String,
}

impl SigningKey {
    fn generate(algorithm: Algorithm) -> Result<Self> {
        let (algorithm, private) = match algorithm {
            Algorithm::Rs256 => (jsonwebtoken::Algorithm::RS256, generate_rsa()?),
            Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, generate_ed25519()?),
        };
        let mut jwk = Jwk::from_encoding_key(&private, algorithm).map_err(failed)?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256).map_err(failed)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_id = Some(id.clone());
        Ok(Self {
            algorithm,
            private,
            jwk,
            id,
        })
    }

    /// The `kid`: the thumbprint of the key (RFC 7638).
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The third part of a token whose first two are `message`.
    pub(super) fn sign(&self, message: &str) -> Result<String> {
        jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm)
            .map_err(failed)
    }
}

fn generate_rsa() -> Result<EncodingKey> {
    /// The length of the PKCS #8 envelope (RFC 5208) in front of an RSA key of 2048 bits.
    const ENVELOPE_BYTES: usize = 26;
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    let der = pkcs8.as_ref().get(ENVELOPE_BYTES..).unwrap_or_default();
    Ok(EncodingKey::from_rsa_der(der))
}

fn generate_ed25519() -> Result<EncodingKey> {
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(failed)?;
    Ok(EncodingKey::from_ed_der(pkcs8.as_ref()))
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "the development broker's keys failed").with_source(cause)
}
