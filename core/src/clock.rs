//! Time and randomness, as traits that tests can replace.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Code, Error, Result};

/// The source of the time.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, for the times in tokens and HTTP headers.
    fn now(&self) -> SystemTime;

    /// The time since an arbitrary moment. It never goes back, and is used for deadlines.
    fn monotonic(&self) -> Duration;

    /// Whether a test has moved it, so that stores with clocks of their own show other times.
    fn is_moved(&self) -> bool {
        false
    }
}

/// The source of randomness.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable values.
    ///
    /// # Errors
    /// [`Code::Internal`] if the operating system provides none.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The clocks of the operating system. The monotonic one continues while the machine sleeps.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: awake_or_asleep::Moment,
}

impl SystemClock {
    /// The monotonic clock starts at zero now.
    pub fn new() -> Self {
        Self {
            start: awake_or_asleep::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        awake_or_asleep::since(self.start)
    }
}

/// On some systems `Instant` stops while the machine sleeps. Expired logins and withdrawn keys would then
/// be accepted after the sleep.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod awake_or_asleep {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    /// On Apple's systems this clock continues, unlike the one of the same name on Linux.
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;

    pub(super) type Moment = Duration;

    pub(super) fn now() -> Moment {
        let time = clock_gettime(CLOCK);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanoseconds)
    }

    pub(super) fn since(start: Moment) -> Duration {
        now().saturating_sub(start)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod awake_or_asleep {
    use std::time::{Duration, Instant};

    pub(super) type Moment = Instant;

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub(super) fn now() -> Moment {
        Instant::now()
    }

    pub(super) fn since(start: Moment) -> Duration {
        start.elapsed()
    }
}

/// The random generator of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the generator"
    )]
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|cause| {
            Error::new(
                Code::Internal,
                "the operating system provides no randomness",
            )
            .with_source(cause)
        })
    }
}

/// A `NumericDate` (RFC 7519, section 2): seconds since 1970, negative before.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
