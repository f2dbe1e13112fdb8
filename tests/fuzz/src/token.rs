//! Tokens as they come: octets as text.

use crate::setting::Options;
use crate::verify::judge;

/// The client and the reference agree.
pub fn run(octets: &[u8]) {
    judge(&String::from_utf8_lossy(octets), Options::USUAL);
}
