//! Pending logins in the memory of one process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::contract::{Store, Taken};
use super::entries::Entries;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::session_key::SessionKey;

/// The default limit of pending logins.
const DEFAULT_CAPACITY: usize = 100_000;

/// Keeps pending logins in the memory of one process.
///
/// The number of logins is limited (100,000 by default). Further logins are refused with
/// [`StoreFull`](crate::Code::StoreFull); none is dropped. Calls take constant time; each removes a few
/// expired logins. A used login is remembered until it expires, or until its space is needed.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    capacity: usize,
    entries: Mutex<Entries>,
}

impl MemoryStore {
    /// Makes an empty store for 100,000 pending logins.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(clock, DEFAULT_CAPACITY)
    }

    /// Makes an empty store for `capacity` pending logins.
    pub fn with_capacity(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        Self {
            clock,
            capacity: capacity.min(u32::MAX as usize - 1),
            entries: Mutex::new(Entries::new()),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // No change can panic half-way, so a poisoned lock is not an error.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_now(&self, key: &SessionKey, record: &str, ttl: Duration) -> Result<()> {
        let now = self.clock.monotonic();
        let mut entries = self.entries();
        entries.reclaim(now);
        if entries.contains(key) {
            return Err(Error::new(Code::StoreFailed, "the nonce exists already"));
        }
        self.make_room(&mut entries)?;
        let deadline = now.saturating_add(ttl);
        // A copy is exactly as long as the text. Cutting a text to its length would leave the rest of its memory as
        // a gap beside each login.
        entries.insert(*key, Box::from(record), deadline, self.capacity);
        Ok(())
    }

    /// Writes down that a login was completed; `false` if it was before. It is remembered for `ttl`, or, if that
    /// `can_be_forgotten`, until its space is needed.
    pub(crate) fn mark(
        &self,
        key: &SessionKey,
        ttl: Duration,
        can_be_forgotten: bool,
    ) -> Result<bool> {
        let now = self.clock.monotonic();
        let mut entries = self.entries();
        entries.reclaim(now);
        if entries.contains(key) {
            return Ok(false);
        }
        self.make_room(&mut entries)?;
        let deadline = now.saturating_add(ttl);
        entries.insert(*key, Box::default(), deadline, self.capacity);
        if can_be_forgotten {
            entries.take(key, now);
        }
        Ok(true)
    }

    fn make_room(&self, entries: &mut Entries) -> Result<()> {
        if entries.len() < self.capacity || entries.forget_oldest_used() {
            return Ok(());
        }
        Err(Error::new(
            Code::StoreFull,
            format_args!("too many logins are pending capacity={}", self.capacity),
        ))
    }

    fn take_now(&self, key: &SessionKey) -> Taken {
        let now = self.clock.monotonic();
        let mut entries = self.entries();
        let taken = entries.take(key, now);
        entries.reclaim(now);
        taken
    }

    pub(crate) fn peek_now(&self, key: &SessionKey) -> Taken {
        let now = self.clock.monotonic();
        self.entries().peek(key, now)
    }

    fn contains_now(&self, key: &SessionKey) -> bool {
        let now = self.clock.monotonic();
        self.entries().is_pending(key, now)
    }
}

impl Store for MemoryStore {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.put_now(key, &record, ttl) })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(async move { Ok(self.take_now(key)) })
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move { Ok(Some(self.contains_now(key))) })
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(async move { Ok(Some(self.peek_now(key))) })
    }

    fn pending(&self) -> Option<usize> {
        let now = self.clock.monotonic();
        let mut entries = self.entries();
        entries.reclaim(now);
        Some(entries.pending())
    }

    fn is_local(&self) -> bool {
        true
    }

    fn limits_waiting(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::super::entries::RECLAIM_PER_CALL;
    use super::*;

    #[derive(Default)]
    struct TestClock(AtomicU64);

    impl TestClock {
        fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + self.monotonic()
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    fn store(capacity: usize) -> (Arc<TestClock>, MemoryStore) {
        let clock = Arc::new(TestClock::default());
        (clock.clone(), MemoryStore::with_capacity(clock, capacity))
    }

    fn key(number: u64) -> SessionKey {
        SessionKey::new("issuer", "client", &number.to_string())
    }

    fn put(store: &MemoryStore, number: u64, ttl: u64) -> Result<()> {
        store.put_now(&key(number), &number.to_string(), Duration::from_secs(ttl))
    }

    fn record(number: u64) -> Taken {
        Taken::Record(number.to_string())
    }

    #[test]
    fn gives_a_record_away_once() {
        let (_, store) = store(10);
        assert!(store.is_local());
        put(&store, 1, 60).unwrap();
        assert!(store.contains_now(&key(1)));
        assert_eq!(store.peek_now(&key(1)), record(1));
        assert_eq!(store.take_now(&key(1)), record(1));
        assert_eq!(store.peek_now(&key(1)), Taken::Used);
        assert_eq!(store.peek_now(&key(2)), Taken::Unknown);
        assert_eq!(store.pending(), Some(0));
        assert!(!store.contains_now(&key(1)));
        assert_eq!(store.take_now(&key(1)), Taken::Used);
        assert_eq!(store.take_now(&key(2)), Taken::Unknown);
    }

    #[test]
    fn gives_a_record_to_one_of_many_threads() {
        let (_, store) = store(1000);
        for number in 0..200 {
            put(&store, number, 60).unwrap();
            let wins: usize = std::thread::scope(|scope| {
                let takers: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| store.take_now(&key(number)) == record(number)))
                    .collect();
                takers
                    .into_iter()
                    .map(|taker| usize::from(taker.join().unwrap()))
                    .sum()
            });
            assert_eq!(wins, 1);
        }
    }

    #[test]
    fn a_login_is_marked_once() {
        let (clock, store) = store(2);
        let mark = |number, can_be_forgotten| {
            store.mark(&key(number), Duration::from_secs(60), can_be_forgotten)
        };
        assert!(mark(1, false).unwrap());
        assert!(!mark(1, false).unwrap());
        assert!(mark(2, true).unwrap());
        assert!(!mark(2, true).unwrap());
        // The second entry may be forgotten, so its space is used.
        assert!(mark(3, false).unwrap());
        assert!(!mark(1, false).unwrap());
        assert_eq!(mark(4, true).unwrap_err().code(), Code::StoreFull);
        clock.advance(60);
        assert!(mark(4, true).unwrap());
    }

    #[test]
    fn a_record_expires_at_its_deadline() {
        let (clock, store) = store(10);
        put(&store, 1, 60).unwrap();
        put(&store, 2, 60).unwrap();
        clock.advance(59);
        assert_eq!(store.take_now(&key(1)), record(1));
        clock.advance(1);
        assert!(!store.contains_now(&key(2)));
        assert_eq!(store.peek_now(&key(1)), Taken::Unknown);
        assert_eq!(store.peek_now(&key(2)), Taken::Unknown);
        assert_eq!(store.take_now(&key(2)), Taken::Unknown);
        assert_eq!(store.take_now(&key(1)), Taken::Unknown);
    }

    #[test]
    fn a_full_store_refuses_and_keeps_what_it_has() {
        let (clock, store) = store(2);
        put(&store, 1, 60).unwrap();
        put(&store, 2, 60).unwrap();
        assert_eq!(put(&store, 3, 60).unwrap_err().code(), Code::StoreFull);
        assert_eq!(store.take_now(&key(1)), record(1));
        put(&store, 3, 60).unwrap();
        assert_eq!(store.take_now(&key(2)), record(2));
        clock.advance(60);
        put(&store, 4, 60).unwrap();
        put(&store, 5, 60).unwrap();
        assert_eq!(store.pending(), Some(2));
    }

    #[test]
    fn a_duplicate_nonce_is_an_error() {
        let (_, store) = store(10);
        put(&store, 1, 60).unwrap();
        assert_eq!(put(&store, 1, 60).unwrap_err().code(), Code::StoreFailed);
        assert_eq!(store.take_now(&key(1)), record(1));
        assert_eq!(put(&store, 1, 60).unwrap_err().code(), Code::StoreFailed);
    }

    #[test]
    fn expired_records_are_removed_a_few_at_a_time() {
        let (clock, store) = store(1000);
        for number in 0..500 {
            put(&store, number, 60).unwrap();
        }
        clock.advance(100);
        put(&store, 1000, 60).unwrap();
        let left = store.entries().len();
        assert_eq!(left, 501 - RECLAIM_PER_CALL);
        for number in 1001..1300 {
            put(&store, number, 60).unwrap();
        }
        assert_eq!(store.entries().len(), 300);
    }

    #[test]
    fn live_records_do_not_delay_the_removal_of_others() {
        let (clock, store) = store(1000);
        for number in 0..200 {
            put(&store, number, if number < 100 { 3600 } else { 60 }).unwrap();
        }
        clock.advance(100);
        for number in 200..250 {
            put(&store, number, 3600).unwrap();
        }
        assert_eq!(store.entries().len(), 150);
    }

    #[test]
    fn long_lived_records_do_not_delay_the_removal_of_others() {
        for seconds in [5, 17] {
            let (clock, store) = store(10);
            put(&store, 1, 2 * 60 * 60).unwrap();
            put(&store, 2, seconds).unwrap();
            clock.advance(seconds);
            assert_eq!(store.pending(), Some(1), "{seconds}");
        }
    }

    #[test]
    fn a_long_lifetime_outlives_a_turn_of_the_wheel() {
        let (clock, store) = store(10);
        put(&store, 1, 24 * 60 * 60).unwrap();
        for number in 2..24 {
            clock.advance(60 * 60);
            put(&store, number, 1).unwrap();
        }
        assert_eq!(store.take_now(&key(1)), record(1));
    }

    proptest! {
        /// Compares the store with a simple model.
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u8..4, 0u64..12, 1u64..9000), 1..200)) {
            let (clock, store) = store(6);
            let mut model = std::collections::HashMap::<u64, (u64, bool)>::new();
            for (step, number, seconds) in steps {
                let now = clock.monotonic().as_secs();
                let live = |model: &std::collections::HashMap<u64, (u64, bool)>| {
                    model.get(&number).copied().filter(|(deadline, _)| *deadline > now)
                };
                match step {
                    0 | 1 => {
                        match put(&store, number, seconds) {
                            Ok(()) => {
                                prop_assert!(live(&model).is_none_or(|(_, used)| used));
                                model.insert(number, (now + seconds, false));
                            }
                            Err(error) if error.code() == Code::StoreFailed => {
                                prop_assert!(model.contains_key(&number));
                            }
                            Err(error) => {
                                prop_assert_eq!(error.code(), Code::StoreFull);
                                prop_assert_eq!(store.entries().len(), 6);
                                prop_assert_eq!(store.entries().pending(), 6);
                            }
                        }
                    }
                    2 => match store.take_now(&key(number)) {
                        Taken::Record(_) => {
                            prop_assert!(live(&model).is_some_and(|(_, used)| !used));
                            model.entry(number).and_modify(|entry| entry.1 = true);
                        }
                        Taken::Used => prop_assert!(live(&model).is_some_and(|(_, used)| used)),
                        Taken::Unknown => prop_assert!(live(&model).is_none_or(|(_, used)| used)),
                    },
                    _ => clock.advance(seconds / 4),
                }
            }
        }
    }
}
