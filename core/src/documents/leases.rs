//! How long a client respects the leases of other processes.
//!
//! A store says that another process holds a lease, but not since when. The holder may have been killed, or
//! the lease may never end. So each client measures the time itself, from the first refusal on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The duration of a lease. It is longer than any fetch, so that it expires only if its holder was
/// killed.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// The leases of other processes, for both documents of a client.
#[derive(Default)]
pub(super) struct Leases(Mutex<State>);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    NotRefused,
    /// The time of the first refusal, on the monotonic clock.
    RefusedSince(Duration),
    /// A holder did not finish in time. Until then, the client does not wait for a holder.
    DoubtedUntil(Duration),
}

/// The assumed state of the holder of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Working,
    /// The holder did not finish in time.
    Unresponsive,
    /// The lease is older than its duration.
    Expired,
}

impl Leases {
    /// Records that the store refused a lease.
    pub(super) fn refused(&self, now: Duration) -> Holder {
        let mut state = self.state();
        match *state {
            State::RefusedSince(since) if now.saturating_sub(since) >= LEASE => {
                *state = State::RefusedSince(now);
                Holder::Expired
            }
            State::RefusedSince(_) => Holder::Working,
            State::DoubtedUntil(end) if now < end => Holder::Unresponsive,
            State::NotRefused | State::DoubtedUntil(_) => {
                *state = State::RefusedSince(now);
                Holder::Working
            }
        }
    }

    /// Records that the holder of a lease did not finish in time.
    pub(super) fn doubt(&self, now: Duration) {
        *self.state() = State::DoubtedUntil(now.saturating_add(LEASE));
    }

    /// Records that leases work.
    pub(super) fn forget(&self) {
        *self.state() = State::NotRefused;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
