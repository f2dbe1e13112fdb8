//! Forms: one decoder, one size limit, and one rule for repeated fields.

use memchr::memchr2;
use url::form_urlencoded;

use super::request::{Body, Head, Header};
use crate::error::{Code, Error, Result};
use crate::session::FieldValue;

/// The maximum size of a form, in bytes. A form with a token is the largest, and a token has at
/// most 16 KiB.
pub const MAX_FORM_BYTES: usize = 64 * 1024;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// A decoded form.
pub(super) struct Form(Vec<(String, FieldValue)>);

impl Form {
    /// Reads the body of a request, if it is a form.
    pub(super) fn read(head: &Head, body: Body) -> Result<Self> {
        let content_type = head.get(Header::ContentType).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let encoding = head.get(Header::ContentEncoding).unwrap_or("identity");
        if !media_type.eq_ignore_ascii_case(MEDIA_TYPE)
            || !encoding.eq_ignore_ascii_case("identity")
        {
            return Err(Error::new(
                Code::RequestForm,
                format_args!("the request is not a form type={MEDIA_TYPE} encoding=identity"),
            ));
        }
        match body {
            Body::Bytes(bytes) if bytes.len() <= MAX_FORM_BYTES => Ok(Self::parse(&bytes)),
            Body::Fields(fields) if size_of_fields(&fields) <= MAX_FORM_BYTES => Ok(Self(fields)),
            Body::Empty => Ok(Self(Vec::new())),
            Body::Bytes(_) | Body::Fields(_) | Body::TooLarge => Err(too_large()),
            Body::Unreadable => Err(Error::new(
                Code::InvalidOption,
                "the body of the request was read before portier-client and kept nowhere: put \
                 portier-client before whatever reads it, or keep the body",
            )),
        }
    }

    /// Reads the query of a URL.
    pub(super) fn read_query(query: &str) -> Result<Self> {
        if query.len() > MAX_FORM_BYTES {
            return Err(too_large());
        }
        Ok(Self::parse(query.as_bytes()))
    }

    fn parse(bytes: &[u8]) -> Self {
        Self(match std::str::from_utf8(bytes) {
            Ok(text) => text.split('&').filter_map(pair_of).collect(),
            Err(_) => decoded(bytes).collect(),
        })
    }

    /// The text of a field. A field that is sent twice, a file, or text that is not UTF-8 counts as
    /// missing.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let (Some((_, FieldValue::Text(text))), None) = (values.next(), values.next()) else {
            return None;
        };
        (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(text.as_str())
    }

    /// Whether a field was sent, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }

    pub(super) fn into_pairs(self) -> Vec<(String, FieldValue)> {
        self.0
    }
}

/// One field. Nearly all of a form is the token, which needs no decoding. A search for an escape
/// takes a fraction of the decoder's time.
fn pair_of(field: &str) -> Option<(String, FieldValue)> {
    match field.split_once('=') {
        Some((name, value)) if memchr2(b'%', b'+', field.as_bytes()).is_none() => {
            Some((name.to_owned(), value.into()))
        }
        _ => decoded(field.as_bytes()).next(),
    }
}

fn decoded(bytes: &[u8]) -> impl Iterator<Item = (String, FieldValue)> {
    let pairs = form_urlencoded::parse(bytes);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into()))
}

fn too_large() -> Error {
    Error::new(
        Code::RequestTooLarge,
        format_args!("the form is too large limit={MAX_FORM_BYTES}"),
    )
}

fn size_of_fields(fields: &[(String, FieldValue)]) -> usize {
    let size_of = |(name, value): &(String, FieldValue)| match value {
        FieldValue::Text(text) => name.len() + text.len(),
        FieldValue::NotText => name.len(),
    };
    fields.iter().map(size_of).sum()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const PIECES: &[&[u8]] = &[
        b"a",
        b"=",
        b"&",
        b"%",
        b"+",
        b"%26",
        b"%3d",
        b"%ff",
        "é".as_bytes(),
        b"\xff",
    ];

    proptest! {
        #[test]
        fn forms_are_decoded_as_the_url_standard_says(pieces in vec(select(PIECES), 0..16)) {
            let bytes = pieces.concat();
            let expected = form_urlencoded::parse(&bytes).into_owned();
            let expected = expected.map(|(name, value)| (name, FieldValue::Text(value)));
            prop_assert!(Form::parse(&bytes).into_pairs() == expected.collect::<Vec<_>>());
        }
    }
}
