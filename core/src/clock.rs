//! Time and randomness, which come in from outside.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Code, Error, Result};

/// Where the client takes the time from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, for what tokens and HTTP headers say.
    fn now(&self) -> SystemTime;

    /// Time since an arbitrary moment; never goes back. Deadlines are measured with it.
    fn monotonic(&self) -> Duration;
}

/// Where the client takes nonces from.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable values.
    ///
    /// # Errors
    /// [`Code::Internal`] when the operating system has none to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The clocks of the operating system. The monotonic one goes on while the machine sleeps.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: awake_or_asleep::Moment,
}

impl SystemClock {
    /// The clocks as they are; the monotonic one starts now.
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

/// Where `Instant` stands still while the machine sleeps, a login that was started before could be
/// completed, and a key that was withdrawn meanwhile be trusted, too late.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod awake_or_asleep {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    /// Apple's goes on, other than Linux's of the same name.
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
            Error::new(Code::Internal, "no randomness to be had").with_source(cause)
        })
    }
}

/// Seconds since 1970 as tokens count them (RFC 7519, section 2: `NumericDate`), negative before.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
