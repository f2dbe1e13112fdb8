//! How far a lease in the store is believed.
//!
//! A store says only that somebody else holds a lease, not since when, and it may be wrong: the
//! holder was killed, the lease has no end, or somebody wrote it. So each client measures by itself,
//! from the first refusal on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a process may take to fetch: longer than it does, so that only one that was killed
/// leaves others waiting.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// The leases of others, for both documents of a client.
#[derive(Default)]
pub(super) struct Leases(Mutex<State>);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    NotRefused,
    /// Since then, on the monotonic clock.
    RefusedSince(Duration),
    /// Waiting for a holder was in vain; until then no other one is waited for.
    DoubtedUntil(Duration),
}

/// Whether the holder of a lease may be at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Working,
    /// There was a holder for which waiting was in vain.
    Unresponsive,
    /// The lease is older than it can be.
    Expired,
}

impl Leases {
    /// Takes note that the store did not give a lease.
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

    /// Takes note that waiting for the holder of a lease was in vain.
    pub(super) fn doubt(&self, now: Duration) {
        *self.state() = State::DoubtedUntil(now.saturating_add(LEASE));
    }

    /// Takes note that the store works as it should.
    pub(super) fn forget(&self) {
        *self.state() = State::NotRefused;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
