//! base64url without padding (RFC 4648, section 5), for the texts of which every login has one.

/// The engine with vector instructions takes a third of the time. After the signature, decoding is the
/// most expensive step of a login.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) static BASE64URL: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| {
        base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD)
    });

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

/// Initializes the engine before a fork could interrupt that.
pub(crate) fn prepare() {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let _busy = crate::fork::busy();
        std::sync::LazyLock::force(&BASE64URL);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn the_fast_engine_encodes_as_the_plain_one_does() {
        let bytes: Vec<u8> = (0..=255).cycle().take(400).collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(BASE64URL.encode(bytes), URL_SAFE_NO_PAD.encode(bytes));
        }
    }

    /// Neither engine accepts what the other refuses: at every length, and with a wrong byte at every
    /// position.
    #[test]
    fn the_fast_engine_decodes_as_the_plain_one_does() {
        let good: Vec<u8> = (0..=255).cycle().take(400).collect();
        let good = URL_SAFE_NO_PAD.encode(good);
        let agrees = |text: &[u8]| {
            let plain = URL_SAFE_NO_PAD.decode(text).ok();
            assert_eq!(BASE64URL.decode(text).ok(), plain, "{text:?}");
            plain.is_some()
        };
        for length in 0..good.len() {
            agrees(&good.as_bytes()[..length]);
        }
        for place in 0..300 {
            for wrong in [b'+', b'/', b'=', b'.', b' ', b'\n', 0, 0x80, 0xff] {
                let mut text = good.clone().into_bytes();
                text[place] = wrong;
                assert!(!agrees(&text));
            }
        }
    }
}
