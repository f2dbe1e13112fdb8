//! A record as bytes, for a login that travels sealed through the browser.
//!
//! One byte says which texts follow, eight are the start of the login in milliseconds since 1970, and before
//! each text two are its length. This is shorter than JSON, and the length does not depend on the characters.

use std::borrow::Cow;

use super::{RECORD_VERSION, Record};
use crate::error::{Code, Error, Result};

/// The longest text of the application, in bytes. URLs have limits, in proxies also those of a few KiB.
pub(crate) const MAX_TEXT_BYTES: usize = 512;

const EMAIL: u8 = 1;
const SESSION: u8 = 2;
const STATE: u8 = 4;
const CODE_VERIFIER: u8 = 8;
const ALL: u8 = EMAIL | SESSION | STATE | CODE_VERIFIER;

impl<'a> Record<'a> {
    /// Appends the record as bytes.
    pub(crate) fn pack(&self, packed: &mut Vec<u8>) -> Result<()> {
        for (name, text) in [("session", &self.session), ("state", &self.state)] {
            let length = text.as_ref().map_or(0, |text| text.len());
            if length > MAX_TEXT_BYTES {
                return Err(Error::new(
                    Code::InvalidOption,
                    format_args!(
                        "{name} is too long for a login that travels sealed; shorten it, or give the \
                         client a store instead of a secret limit={MAX_TEXT_BYTES} bytes={length}"
                    ),
                ));
            }
        }
        let texts = [
            (EMAIL, &self.email),
            (SESSION, &self.session),
            (STATE, &self.state),
            (CODE_VERIFIER, &self.code_verifier),
        ];
        let present = texts.iter().filter(|(_, text)| text.is_some());
        packed.push(present.fold(0, |flags, (flag, _)| flags | flag));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds since 1970; before that there was no login"
        )]
        let milliseconds = (self.started_at * 1000.0).round() as u64;
        packed.extend_from_slice(&milliseconds.to_be_bytes());
        for text in texts.iter().filter_map(|(_, text)| text.as_ref()) {
            let length = u16::try_from(text.len()).map_err(|cause| {
                Error::new(Code::Internal, "a text of the login is too long").with_source(cause)
            })?;
            packed.extend_from_slice(&length.to_be_bytes());
            packed.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }

    /// Reads a record; `None` if it has another form, such as that of a newer version.
    pub(crate) fn unpack(packed: &'a [u8]) -> Option<Self> {
        let (flags, rest) = packed.split_first()?;
        let (milliseconds, mut rest) = rest.split_first_chunk()?;
        if flags & !ALL != 0 {
            return None;
        }
        let mut text = |flag: u8| {
            if flags & flag == 0 {
                return Some(None);
            }
            let (length, others) = rest.split_first_chunk()?;
            let (text, others) = others.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = others;
            Some(Some(Cow::Borrowed(str::from_utf8(text).ok()?)))
        };
        #[expect(clippy::cast_precision_loss, reason = "precise until the year 287396")]
        let record = Self {
            version: RECORD_VERSION,
            started_at: u64::from_be_bytes(*milliseconds) as f64 / 1000.0,
            email: text(EMAIL)?,
            session: text(SESSION)?,
            state: text(STATE)?,
            code_verifier: text(CODE_VERIFIER)?,
        };
        rest.is_empty().then_some(record)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
mod tests {
    use super::*;

    fn record(texts: [Option<&str>; 4]) -> Record<'_> {
        let [email, session, state, code_verifier] = texts.map(|text| text.map(Cow::Borrowed));
        Record {
            version: RECORD_VERSION,
            started_at: 1_790_000_000.123,
            email,
            session,
            state,
            code_verifier,
        }
    }

    fn packed(record: &Record<'_>) -> Vec<u8> {
        let mut packed = Vec::new();
        record.pack(&mut packed).unwrap();
        packed
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let texts = [Some("älice@example.com"), Some(""), Some("\"\u{0}"), None];
        for present in 0..16 {
            let mut some = texts;
            some[3] = Some("verifier");
            for (place, text) in some.iter_mut().enumerate() {
                *text = text.filter(|_| present & (1 << place) != 0);
            }
            let written = record(some);
            let bytes = packed(&written);
            let read = Record::unpack(&bytes).unwrap();
            assert_eq!(read.to_text().unwrap(), written.to_text().unwrap());
        }
    }

    #[test]
    fn other_bytes_are_no_record() {
        let bytes = packed(&record([Some("a@example.com"), Some("/"), None, None]));
        for length in 0..bytes.len() {
            assert!(Record::unpack(&bytes[..length]).is_none(), "{length}");
        }
        let longer = [bytes.as_slice(), b"\0"].concat();
        assert!(Record::unpack(&longer).is_none());
        for flag in 4..8 {
            let mut newer = bytes.clone();
            newer[0] |= 1 << flag;
            assert!(Record::unpack(&newer).is_none(), "{flag}");
        }
        let mut not_utf_8 = bytes;
        not_utf_8[11] = 0xFF;
        assert!(Record::unpack(&not_utf_8).is_none());
    }

    #[test]
    fn texts_that_are_too_long_to_travel_are_refused() {
        let (fits, long) = ("é".repeat(256), "é".repeat(257));
        let texts = |session, state| record([None, session, state, None]);
        let mut packed = Vec::new();
        texts(Some(&fits), Some(&fits)).pack(&mut packed).unwrap();
        for record in [texts(Some(&long), None), texts(None, Some(&long))] {
            let error = record.pack(&mut packed).unwrap_err();
            assert_eq!(error.code(), Code::InvalidOption);
        }
    }
}
