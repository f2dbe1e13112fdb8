//! Tokens: bytes as text.

use crate::setting::Options;
use crate::verify::judge;

/// The client and the reference agree.
pub fn run(bytes: &[u8]) {
    judge(&String::from_utf8_lossy(bytes), Options::USUAL);
}
