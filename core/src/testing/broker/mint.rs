//! Valid and invalid tokens of the development broker.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use url::Url;

use super::keys::{KeyChoice, Keys};
use crate::algorithm::Algorithm;
use crate::clock::unix_seconds;
use crate::email::normalize_email;
use crate::error::{Code, Error, Result};

/// The person who signs in if a login names no address and no page can ask for one.
pub(super) const DEFAULT_EMAIL: &str = "alice@example.com";

/// The lifetime of a token, in seconds.
const VALID_SECONDS: u64 = 600;

/// The content of a token. By default it is the token that the broker would issue.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MintOptions {
    /// The audience: the origin of the relying party.
    pub client_id: String,
    /// The nonce of the login.
    pub nonce: String,
    /// The address as it was typed.
    pub email: String,
    /// The algorithm that signs.
    #[serde(deserialize_with = "algorithm")]
    pub algorithm: Algorithm,
    /// The key that signs.
    pub key: KeyChoice,
    /// Claims that are added or replaced.
    pub claims: Map<String, Value>,
    /// Claims to leave out.
    pub remove_claims: Vec<String>,
    /// Header members that are added to or replace `typ`, `alg` and `kid`.
    pub header: Map<String, Value>,
    /// Header members to leave out.
    pub remove_header: Vec<String>,
    /// The text of the header, in place of all members.
    pub raw_header: Option<String>,
    /// The text of the payload, in place of all claims.
    pub raw_payload: Option<String>,
}

impl Default for MintOptions {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            nonce: String::new(),
            email: DEFAULT_EMAIL.to_owned(),
            algorithm: Algorithm::Rs256,
            key: KeyChoice::default(),
            claims: Map::new(),
            remove_claims: Vec::new(),
            header: Map::new(),
            remove_header: Vec::new(),
            raw_header: None,
            raw_payload: None,
        }
    }
}

impl MintOptions {
    /// Takes the audience, the nonce, the address and the algorithm from an authorization URL, so
    /// that the token answers that login.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when it is not an authorization URL.
    pub fn for_url(authorization_url: &str) -> Result<Self> {
        let url = Url::parse(authorization_url)
            .map_err(|cause| not_understood("not an authorization URL").with_source(cause))?;
        let mut options = Self::default();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "client_id" => options.client_id = value.into_owned(),
                "nonce" => options.nonce = value.into_owned(),
                "login_hint" => options.email = value.into_owned(),
                "id_token_signing_alg" => options.algorithm = value.parse()?,
                _ => {}
            }
        }
        if options.client_id.is_empty() || options.nonce.is_empty() {
            return Err(not_understood("not an authorization URL"));
        }
        Ok(options)
    }

    /// Reads options from a JSON object with the names of the fields, and `url` for
    /// [`MintOptions::for_url`].
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for unknown names and wrong types.
    pub fn from_json(text: &str) -> Result<Self> {
        let invalid = |cause| not_understood("mint options are wrong").with_source(cause);
        let mut members: Map<String, Value> = serde_json::from_str(text).map_err(invalid)?;
        if let Some(url) = members.remove("url") {
            let from_url = Self::for_url(url.as_str().unwrap_or_default())?;
            for (name, value) in [
                ("client_id", from_url.client_id.as_str()),
                ("nonce", &from_url.nonce),
                ("email", &from_url.email),
                ("algorithm", from_url.algorithm.as_str()),
            ] {
                members.entry(name).or_insert_with(|| value.into());
            }
        }
        serde_json::from_value(members.into()).map_err(invalid)
    }

    /// Signs the token.
    pub(super) fn mint(&self, keys: &Keys, issuer: &str, now: SystemTime) -> Result<String> {
        let key = keys.key(self.key, self.algorithm)?;
        let header = self.raw_header.clone().unwrap_or_else(|| {
            let usual = json!({ "typ": "JWT", "alg": self.algorithm.as_str(), "kid": key.id() });
            changed(usual, &self.header, &self.remove_header)
        });
        let payload = self.raw_payload.clone().unwrap_or_else(|| {
            changed(
                self.usual_claims(issuer, now),
                &self.claims,
                &self.remove_claims,
            )
        });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = key.sign(&message)?;
        Ok(format!("{message}.{signature}"))
    }

    fn usual_claims(&self, issuer: &str, now: SystemTime) -> Value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the broker counts whole seconds"
        )]
        let issued_at = unix_seconds(now) as u64;
        // A test may request an invalid address.
        let email = normalize_email(&self.email).unwrap_or_else(|_| self.email.clone());
        json!({
            "iss": issuer,
            "aud": self.client_id,
            "iat": issued_at,
            "exp": issued_at.saturating_add(VALID_SECONDS),
            "nonce": self.nonce,
            "sub": email,
            "email": email,
            "email_original": self.email,
            "email_verified": true,
        })
    }
}

/// The text of a JSON object with the changes of a test.
fn changed(mut object: Value, additions: &Map<String, Value>, removals: &[String]) -> String {
    if let Value::Object(members) = &mut object {
        members.extend(additions.clone());
        members.retain(|name, _| !removals.contains(name));
    }
    object.to_string()
}

fn algorithm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Algorithm, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn not_understood(message: &str) -> Error {
    Error::new(Code::InvalidOption, message)
}
