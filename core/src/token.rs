//! The compact JWS: structure, header and signature of a token. Its claims are in `claims`.

use std::ops::Range;

use base64::Engine as _;
use memchr::{memchr, memrchr};

use crate::algorithm::Algorithm;
use crate::base64url::BASE64URL;
use crate::error::{Code, Error, Result};
use crate::json::{Object, Value};
use crate::jwks::{Key, MAX_KEY_ID_BYTES};

/// The longest accepted token, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token that is well-formed. Its content must not be trusted before
/// [`verify_signature`](Token::verify_signature).
pub(crate) struct Token<'a> {
    signed: &'a [u8],
    /// Header, payload and signature, one after the other.
    decoded: Vec<u8>,
    payload: Range<usize>,
    algorithm: Algorithm,
    key_id: Box<str>,
}

impl<'a> Token<'a> {
    /// Splits a token and checks its header. An algorithm that is not in `allowed` is refused before a key
    /// is looked up.
    pub(crate) fn parse(text: &'a str, allowed: &[Algorithm]) -> Result<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Error::new(
                Code::TokenTooLarge,
                format_args!(
                    "the token is too long limit={MAX_TOKEN_BYTES} bytes={}",
                    text.len()
                ),
            ));
        }
        let bytes = text.as_bytes();
        let (signed, signature) = split(bytes, memrchr(b'.', bytes))?;
        let (header, payload) = split(signed, memchr(b'.', signed))?;
        let mut decoded = Vec::with_capacity(text.len());
        let header = decode(header, &mut decoded)?;
        let payload = decode(payload, &mut decoded)?;
        decode(signature, &mut decoded)?;
        let header = Header::parse(decoded.get(header).unwrap_or_default(), allowed)?;
        Ok(Self {
            signed,
            decoded,
            payload,
            algorithm: header.algorithm,
            key_id: header.key_id,
        })
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.decoded.get(self.payload.clone()).unwrap_or_default()
    }

    /// Checks the signature. The key determines the algorithm, and the header has to name the same one
    /// (RFC 8725, section 3.1).
    pub(crate) fn verify_signature(&self, key: &Key) -> Result<()> {
        if key.algorithm() != self.algorithm {
            return Err(Error::new(
                Code::TokenAlgorithm,
                format_args!(
                    "the token's algorithm does not match its key token={} key={}",
                    self.algorithm,
                    key.algorithm()
                ),
            ));
        }
        let signature = self.decoded.get(self.payload.end..).unwrap_or_default();
        if key.verify(self.signed, signature) {
            return Ok(());
        }
        Err(Error::new(Code::TokenSignature, "invalid token signature"))
    }
}

/// The parts on both sides of a dot.
fn split(bytes: &[u8], dot: Option<usize>) -> Result<(&[u8], &[u8])> {
    dot.and_then(|dot| Some((bytes.get(..dot)?, bytes.get(dot + 1..)?)))
        .ok_or_else(not_compact)
}

/// Decodes a part of the token, appends the bytes, and returns their range. The engine refuses padding,
/// white space, other alphabets and non-zero trailing bits (RFC 7515, section 2).
fn decode(part: &[u8], decoded: &mut Vec<u8>) -> Result<Range<usize>> {
    let start = decoded.len();
    if part.is_empty() || BASE64URL.decode_vec(part, decoded).is_err() {
        return Err(not_compact());
    }
    Ok(start..decoded.len())
}

fn not_compact() -> Error {
    Error::new(
        Code::TokenMalformed,
        "the token is not three parts of base64url with dots between",
    )
}

struct Header {
    algorithm: Algorithm,
    key_id: Box<str>,
}

impl Header {
    fn parse(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self> {
        let header = Object::parse(bytes).map_err(|reason| {
            Error::new(
                Code::TokenHeader,
                format_args!("the token's header cannot be read reason={reason}"),
            )
        })?;
        // `crit` and `b64` change what is signed or must be understood, `zip` and `cty` change the
        // meaning of the payload (RFC 7515, section 4.1; RFC 7797). A login token has none of them.
        // `jwk`, `jku`, `x5u` and `x5c` name keys; they are ignored, because only the broker's keys count.
        if header.has_any(&["crit", "b64", "zip", "cty"]) {
            return Err(refused("the token's header has crit, b64, zip or cty"));
        }
        let kind = header.get("typ").map(Value::as_str);
        if !kind.is_none_or(|kind| kind.is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"))) {
            return Err(refused("the token's typ is not JWT"));
        }
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .ok_or_else(|| refused("the token's header has no alg"))?
            .parse()
            .ok()
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or_else(|| {
                Error::new(
                    Code::TokenAlgorithm,
                    "the token's algorithm is not accepted",
                )
            })?;
        let key_id = header
            .get("kid")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty() && id.len() <= MAX_KEY_ID_BYTES)
            .ok_or_else(|| refused("the token's header has no kid of 1 to 512 bytes"))?;
        Ok(Self {
            algorithm,
            key_id: key_id.into(),
        })
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(Code::TokenHeader, message)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    const ALL: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::EdDsa];

    /// A token with a meaningless payload and signature.
    fn with_header(header: &str) -> String {
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn the_parts_of_a_token_are_decoded() {
        let text = with_header(r#"{"alg":"EdDSA","kid":"a"}"#);
        let token = Token::parse(&text, &ALL).unwrap();
        assert_eq!(token.key_id(), "a");
        assert_eq!(token.payload(), b"{}");
        let error = Token::parse(&text, &[Algorithm::Rs256]).err().unwrap();
        assert_eq!(error.code(), Code::TokenAlgorithm);
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in ".{0,80}", header in ".{0,80}") {
            drop(Token::parse(&text, &ALL));
            drop(Token::parse(&with_header(&header), &ALL));
        }
    }
}
