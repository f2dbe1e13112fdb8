//! The time of a development broker and of its clients, which tests can move.
//!
//! A test cannot give a clock to a client that the site's own code makes. So every client whose broker is on this
//! machine looks here, by the origin of its broker. Only a [`DevBroker`](super::DevBroker) of this process can move
//! such a time. The clients of other brokers do not look here at all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::fork::lock;
use crate::origin::Origin;

/// The times that differ from the system's, or have differed, by the origin of the broker.
static MOVED: Mutex<BTreeMap<String, Moved>> = Mutex::new(BTreeMap::new());

/// Whether there are any, so that clients need no lock as long as there is none.
static IS_ANY_MOVED: AtomicBool = AtomicBool::new(false);

/// The clock of a client whose broker has this origin.
pub(crate) fn clock_of(broker: &Origin) -> Arc<dyn Clock> {
    if broker.is_local() {
        Arc::new(MovableClock::new(broker.as_str()))
    } else {
        Arc::new(SystemClock::new())
    }
}

/// The clock of the operating system, unless a test has moved the time of the broker with this origin.
#[derive(Clone, Debug)]
pub(super) struct MovableClock {
    origin: String,
    /// The same for all of these clocks: it decides where the monotonic time begins.
    system: SystemClock,
}

impl MovableClock {
    pub(super) fn new(origin: &str) -> Self {
        static SYSTEM: OnceLock<SystemClock> = OnceLock::new();
        Self {
            origin: origin.to_owned(),
            system: *SYSTEM.get_or_init(SystemClock::new),
        }
    }

    /// Stops the time, now or at another time.
    pub(super) fn freeze(&self, at: Option<SystemTime>) {
        self.change(|time, system| {
            let (now, monotonic) = time.read(system);
            let at = at.unwrap_or(now);
            let jump = at.duration_since(now).unwrap_or_default();
            time.ahead = time.ahead.saturating_add(jump);
            time.frozen = Some((at, monotonic.saturating_add(jump)));
        });
    }

    /// Moves the time forward, whether it stands still or not.
    pub(super) fn advance(&self, by: Duration) -> Result<()> {
        let out_of_range = || Error::new(Code::InvalidOption, "the time is out of range");
        self.change(|time, system| {
            let (now, monotonic) = time.read(system);
            let then = now.checked_add(by).ok_or_else(out_of_range)?;
            let ahead = time.ahead.checked_add(by).ok_or_else(out_of_range)?;
            let later = monotonic.checked_add(by).ok_or_else(out_of_range)?;
            time.ahead = ahead;
            match &mut time.frozen {
                Some(frozen) => *frozen = (then, later),
                None => time.wall_ahead = time.wall_ahead.saturating_add(by),
            }
            Ok(())
        })
    }

    /// Returns to the time of the operating system.
    pub(super) fn resume(&self) {
        if IS_ANY_MOVED.load(Ordering::Relaxed)
            && let Some(time) = lock(&MOVED).get_mut(&self.origin)
        {
            time.frozen = None;
            time.wall_ahead = Duration::ZERO;
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Moved, SystemClock) -> T) -> T {
        let mut moved = lock(&MOVED);
        IS_ANY_MOVED.store(true, Ordering::Relaxed);
        change(moved.entry(self.origin.clone()).or_default(), self.system)
    }

    fn moved(&self) -> Option<Moved> {
        if !IS_ANY_MOVED.load(Ordering::Relaxed) {
            return None;
        }
        lock(&MOVED).get(&self.origin).copied()
    }
}

impl Clock for MovableClock {
    fn now(&self) -> SystemTime {
        self.moved()
            .map_or_else(|| self.system.now(), |time| time.read(self.system).0)
    }

    fn monotonic(&self) -> Duration {
        self.moved()
            .map_or_else(|| self.system.monotonic(), |time| time.read(self.system).1)
    }

    fn is_moved(&self) -> bool {
        let moved = self.moved();
        moved.is_some_and(|time| time.frozen.is_some() || !time.wall_ahead.is_zero())
    }
}

/// How a time differs from that of the operating system.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    /// Both clocks, if they stand still.
    frozen: Option<(SystemTime, Duration)>,
    /// How far the wall clock is ahead, if it runs.
    wall_ahead: Duration,
    /// How far the monotonic clock is ahead, if it runs. It never gets less, because that clock never goes back.
    ahead: Duration,
}

impl Moved {
    fn read(self, system: SystemClock) -> (SystemTime, Duration) {
        self.frozen.unwrap_or_else(|| {
            let now = system.now();
            (
                now.checked_add(self.wall_ahead).unwrap_or(now),
                system.monotonic().saturating_add(self.ahead),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn clock(name: &str) -> MovableClock {
        MovableClock::new(&format!("http://{name}.localhost"))
    }

    #[test]
    fn a_frozen_time_stands_still_for_all_clocks_of_the_broker() {
        let (one, other) = (clock("frozen"), clock("frozen"));
        one.freeze(None);
        let (now, monotonic) = (other.now(), other.monotonic());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!((one.now(), one.monotonic()), (now, monotonic));
        one.advance(HOUR).unwrap();
        assert_eq!(
            (other.now(), other.monotonic()),
            (now + HOUR, monotonic + HOUR)
        );
    }

    #[test]
    fn a_running_time_can_be_advanced() {
        let clock = clock("running");
        let before = (clock.now(), clock.monotonic());
        clock.advance(HOUR).unwrap();
        assert!(clock.now() >= before.0 + HOUR);
        assert!(clock.monotonic() >= before.1 + HOUR);
        clock.freeze(None);
        assert!(clock.now() >= before.0 + HOUR);
    }

    #[test]
    fn the_time_returns_and_the_monotonic_clock_never_goes_back() {
        let clock = clock("returning");
        let system = SystemClock::new();
        clock.freeze(Some(system.now() + HOUR));
        clock.advance(HOUR).unwrap();
        let monotonic = clock.monotonic();
        clock.freeze(Some(SystemTime::UNIX_EPOCH));
        assert_eq!(clock.monotonic(), monotonic);
        clock.resume();
        assert!(clock.monotonic() >= monotonic);
        let now = clock.now();
        assert!(now <= system.now() && now > system.now() - HOUR);
    }

    #[test]
    fn the_time_of_another_broker_is_not_moved() {
        let (moved, other) = (clock("moved"), clock("other"));
        moved.advance(HOUR).unwrap();
        assert!(moved.is_moved() && !other.is_moved());
        assert!(other.now() < moved.now());
    }

    #[test]
    fn only_the_clients_of_a_local_broker_have_a_time_that_moves() {
        for (origin, moves) in [
            ("http://127.0.0.1:3333", true),
            ("http://[::1]:3333", true),
            ("http://localhost:3333", true),
            ("https://broker.localhost", true),
            ("https://broker.example", false),
            ("http://192.0.2.1", false),
        ] {
            let broker = Origin::parse(origin, true).unwrap();
            MovableClock::new(origin).advance(HOUR).unwrap();
            assert_eq!(clock_of(&broker).is_moved(), moves, "{origin}");
        }
    }

    #[test]
    fn a_time_out_of_range_is_refused_and_changes_nothing() {
        let clock = clock("range");
        clock.freeze(None);
        let before = (clock.now(), clock.monotonic());
        assert!(clock.advance(Duration::MAX).is_err());
        assert_eq!((clock.now(), clock.monotonic()), before);
    }
}
