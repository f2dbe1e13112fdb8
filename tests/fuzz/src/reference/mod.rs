//! A second verifier that shares no code with the client: slow, with a result but no reasons.
//!
//! It reads base64url bit by bit. It uses `jiter` for JSON, `jsonwebtoken` for signatures, `url` for
//! domains and `email_address` for addresses. These use the same libraries for cryptography and
//! IDNA as the client, so this verifier tests neither AWS-LC nor IDNA. It follows the rules in
//! another order than the client.

pub(crate) mod json;
pub(crate) mod keys;

use std::fmt::Write as _;

use email_address::EmailAddress;
use json::{Object, Tree, read};
use keys::Usable;
use unicode_normalization::UnicodeNormalization as _;
use url::{Host, Url};

use crate::setting::{BROKER, CLIENT_ID, EMAIL, NONCE, NOW, Options, STARTED_AT};

/// The address in the token of the pending login; `None` if the token must be refused.
pub(crate) fn verify(token: &str, keys: &[Usable], options: Options) -> Option<String> {
    let parts: Vec<_> = token.split('.').collect();
    let &[header, payload, signature] = parts.as_slice() else {
        return None;
    };
    let [header, payload, _] = [
        base64url(header)?,
        base64url(payload)?,
        base64url(signature)?,
    ];
    let (header, payload) = (read(&header)?, read(&payload)?);
    let (header, payload) = (header.members()?, payload.members()?);
    let key = keys
        .iter()
        .find(|key| Some(key.id.as_str()) == header.text("kid"))?;
    let signed = token.strip_suffix(signature)?.strip_suffix('.')?;
    let good = token.len() <= 16 * 1024
        && is_good_header(header, options)
        && header.text("alg") == Some(key.algorithm)
        && are_good_times(payload, options)
        && is_for_us(payload)
        && key.verifies(signed, signature);
    good.then(|| address(payload, options))?
}

fn is_good_header(header: Object<'_>, options: Options) -> bool {
    let kind = header.get("typ").is_none_or(|kind| {
        let kind = kind.text().map(str::to_ascii_uppercase);
        kind.as_deref() == Some("JWT")
    });
    let mut allowed = options.algorithms.iter();
    kind && allowed.any(|algorithm| header.text("alg") == Some(algorithm.as_str()))
        && ["crit", "b64", "zip", "cty"]
            .iter()
            .all(|name| header.get(name).is_none())
}

fn is_for_us(payload: Object<'_>) -> bool {
    let is = |name: &str, value: &str| payload.text(name) == Some(value);
    is("iss", BROKER)
        && is("aud", CLIENT_ID)
        && is("nonce", NONCE)
        && (is("azp", CLIENT_ID) || payload.get("azp").is_none())
        && matches!(payload.get("email_verified"), None | Some(Tree::Bool(true)))
}

#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
fn are_good_times(payload: Object<'_>, options: Options) -> bool {
    let times = ["iat", "exp", "nbf", "auth_time"].map(|name| match payload.get(name) {
        Some(Tree::Number(text)) => text.parse().unwrap_or(f64::NAN),
        None if name == "nbf" || name == "auth_time" => 0.0,
        _ => f64::NAN,
    });
    let [issued, expires, not_before, _] = times;
    let leeway = options.leeway as f64;
    let [now, started] = [NOW as f64, STARTED_AT as f64];
    times
        .iter()
        .all(|time| *time >= 0.0 && *time <= 253_402_300_799.0)
        && issued < expires
        && now - expires < leeway
        && issued - now <= leeway
        && not_before - now <= leeway
        && started - issued <= leeway
}

fn address(payload: Object<'_>, options: Options) -> Option<String> {
    let email = payload.text("email")?;
    let original = match payload.get("email_original") {
        Some(original) => original.text()?,
        None => email,
    };
    let good = normalized(email).as_deref() == Some(email)
        && original == EMAIL
        && (!options.idp || email == original);
    good.then(|| email.to_owned())
}

/// Portier's rule as it is written: the last `@`, lower case, and a domain as in a URL. The real
/// broker's own library checks the rest.
pub(crate) fn normalized(text: &str) -> Option<String> {
    let at = text.rfind('@')?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    if text.chars().any(is_unseen) || local.nfkc().any(|c| c == '@') {
        return None;
    }
    // Characters that end a host in a URL, or that a parser drops.
    if domain.contains(|c: char| "/\\?#:%@[]".contains(c)) {
        return None;
    }
    let url = Url::parse(&format!("https://{domain}/")).ok()?;
    let Host::Domain(ascii) = url.host()? else {
        return None;
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let address = format!("{}@{ascii}", local.to_lowercase());
    let options = email_address::Options {
        minimum_sub_domains: 2,
        allow_domain_literal: false,
        allow_display_text: false,
    };
    let good = text.len().max(address.len()) <= 254
        && ascii.chars().all(is_name)
        && EmailAddress::parse_with_options(&address, options).is_ok();
    good.then_some(address)
}

/// White space, controls, and Unicode's tables of `Default_Ignorable_Code_Point` and `Cf`.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
            | '\u{600}'..='\u{605}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}'
            | '\u{2800}')
}

/// The bytes of a text, if it is not empty and is the only encoding of these bytes (RFC 4648,
/// section 5).
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut digits = String::new();
    for character in text.chars() {
        write!(digits, "{:06b}", ALPHABET.find(character)?).ok()?;
    }
    let whole = digits.len() / 8 * 8;
    let (bytes, rest) = digits.split_at(whole);
    let good = !text.is_empty() && rest.len() < 6 && !rest.contains('1');
    let bytes = bytes.as_bytes().chunks(8);
    let bytes = bytes.map(|bits| u8::from_str_radix(str::from_utf8(bits).ok()?, 2).ok());
    good.then(|| bytes.collect())?
}
