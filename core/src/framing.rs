//! One byte string made of several, for digests and authentication codes.

/// Joins byte strings so that different lists give different results: each part is preceded by its
/// length, which keeps ("a", "bc") and ("ab", "c") apart.
pub(crate) fn with_lengths(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(256);
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}
