//! A clock that is moved manually.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::clock::Clock;

/// A [`Clock`] that stands still until a test moves it.
///
/// The wall clock and the monotonic clock move together, except that the monotonic one never goes
/// back.
#[derive(Debug)]
pub struct ManualClock {
    times: Mutex<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    wall: SystemTime,
    monotonic: Duration,
}

impl ManualClock {
    /// Makes a clock that shows `now`.
    pub fn new(now: SystemTime) -> Self {
        Self {
            times: Mutex::new(Times {
                wall: now,
                monotonic: Duration::ZERO,
            }),
        }
    }

    /// Makes a clock that shows a time in seconds since 1970.
    pub fn at(seconds: u64) -> Self {
        Self::new(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, duration: Duration) {
        self.change(|times| {
            times.wall += duration;
            times.monotonic += duration;
        });
    }

    /// Sets the wall clock. If it moves forward, the monotonic clock moves, too; if it moves back, the monotonic
    /// clock stays, as when an administrator corrects the time.
    pub fn set(&self, now: SystemTime) {
        self.change(|times| {
            times.monotonic += now.duration_since(times.wall).unwrap_or_default();
            times.wall = now;
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Times) -> T) -> T {
        change(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.change(|times| times.wall)
    }

    fn monotonic(&self) -> Duration {
        self.change(|times| times.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_move_together_and_only_the_wall_clock_goes_back() {
        let clock = ManualClock::at(1000);
        let start = clock.now();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), start + Duration::from_millis(1500));
        assert_eq!(clock.monotonic(), Duration::from_millis(1500));
        clock.set(start + Duration::from_secs(10));
        assert_eq!(clock.monotonic(), Duration::from_secs(10));
        clock.set(start);
        assert_eq!(clock.now(), start);
        assert_eq!(clock.monotonic(), Duration::from_secs(10));
    }
}
