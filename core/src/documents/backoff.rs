//! The pause after a failed fetch.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::RETRY_AFTER;

use crate::clock::Random;
use crate::error::Error;
use crate::freshness::{parse_date, seconds};

const FIRST: Duration = Duration::from_secs(1);
/// The longest pause while no document is cached.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is followed while a document is cached.
const LONGEST_WITH_DOCUMENT: Duration = Duration::from_secs(5 * 60);

/// The failures since the last success.
pub(super) struct FailureState {
    pub(super) error: Error,
    pub(super) failures: u32,
    pub(super) pause_until: Duration,
}

impl FailureState {
    /// Whether no request may be sent yet.
    pub(super) fn pauses(&self, now: Duration) -> bool {
        now < self.pause_until
    }

    /// Whether the last request failed so recently that the next one will probably fail too.
    pub(super) fn failed_lately(&self, now: Duration) -> bool {
        now < self.pause_until.saturating_add(LONGEST)
    }
}

/// The pause after a number of consecutive failures: exponential backoff from 1 s to 30 s, with up to 50 %
/// jitter, so that clients do not retry at the same moment. `Retry-After` can make it longer.
pub(super) fn pause(
    failures: u32,
    retry_after: Option<Duration>,
    has_document: bool,
    random: &dyn Random,
) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let half = whole / 2;
    let ceiling = if has_document {
        LONGEST_WITH_DOCUMENT
    } else {
        LONGEST
    };
    let asked = retry_after.unwrap_or_default().min(ceiling);
    (half + half.mul_f64(fraction(random))).max(asked)
}

/// Reads `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3). An invalid value is ignored.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds(text).or_else(|| Some(parse_date(text)?.duration_since(now).unwrap_or_default()))
}

/// A random number from 0 to 1; 1 if randomness is not available.
fn fraction(random: &dyn Random) -> f64 {
    let mut bytes = [0xff; 2];
    if random.fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Result};

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    struct Fixed(Option<[u8; 2]>);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            let drawn = self.0.ok_or_else(|| Error::new(Code::Internal, "none"))?;
            bytes.copy_from_slice(&drawn);
            Ok(())
        }
    }

    fn said(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers, NOW)
    }

    #[test]
    fn the_pause_doubles_from_one_second_to_thirty() {
        for random in [Fixed(Some([0xff; 2])), Fixed(None)] {
            let pauses = [1, 2, 3, 4, 5, 6, 7, 100, u32::MAX]
                .map(|failures| pause(failures, None, false, &random).as_secs());
            assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
        }
    }

    #[test]
    fn jitter_shortens_the_pause_by_up_to_half() {
        let random = Fixed(Some([0; 2]));
        assert_eq!(pause(1, None, false, &random), Duration::from_millis(500));
        assert_eq!(pause(9, None, true, &random), Duration::from_secs(15));
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_ceiling() {
        let random = Fixed(None);
        for (asked, with, without) in [(0, 1, 1), (5, 5, 5), (60, 60, 30), (u64::MAX, 300, 30)] {
            let asked = Some(Duration::from_secs(asked));
            assert_eq!(pause(1, asked, true, &random).as_secs(), with);
            assert_eq!(pause(1, asked, false, &random).as_secs(), without);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(said("5"), Some(Duration::from_secs(5)));
        assert_eq!(
            said("Thu, 01 Jan 1970 00:00:07 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            said("99999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        for garbage in ["", "-5", "soon", "1.5", "1e9", "Thu, 01 Jan"] {
            assert_eq!(said(garbage), None, "{garbage}");
        }
        let later = NOW + Duration::from_secs(100);
        let mut headers = HeaderMap::new();
        headers.insert(
            RETRY_AFTER,
            "Thu, 01 Jan 1970 00:00:07 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers, later), Some(Duration::ZERO));
    }
}
