//! The entries of the memory store: found by key, and expired in the order of their deadlines. All
//! operations take constant time, except that the hash table is cleaned up now and then.
//!
//! Entries are in a slab. A hash table maps keys to slots. Doubly linked lists order the entries: one list
//! for each tick of a timing wheel, and one for the entries that were taken.
#![expect(
    clippy::indexing_slicing,
    reason = "slots and lists come from this structure only, never from its callers"
)]

use std::time::Duration;

use hashbrown::HashTable;

use super::contract::Taken;
use crate::session_key::SessionKey;

/// Seconds in a tick of the wheel. Deadlines are exact nevertheless; only the memory of an expired entry
/// may be freed that much later.
const TICK_SECONDS: u64 = 16;

/// Ticks in a turn of the wheel: 68 minutes. An entry with a longer lifetime is moved once per turn.
const TICKS: u64 = USED as u64;

/// The list of entries that were taken, the oldest first.
const USED: usize = 256;

/// The maximum number of empty ticks that one call skips.
const TICKS_PER_CALL: usize = USED;

/// The maximum number of expired entries that one call removes, so that no call takes long. It is more than
/// one, so that removal is faster than insertion.
pub(super) const RECLAIM_PER_CALL: usize = 2;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// The maximum number of entries for which memory is reserved at once.
const MAX_RESERVED: usize = 1_000_000;

struct Entry {
    key: SessionKey,
    /// `None` after it was taken.
    record: Option<Box<str>>,
    deadline: Duration,
    list: u16,
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

pub(super) struct Entries {
    slab: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    lists: Box<[List]>,
    used: usize,
    /// The first tick whose list may not be empty.
    tick: u64,
}

impl Entries {
    pub(super) fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            lists: Box::default(),
            used: 0,
            tick: 0,
        }
    }

    /// All entries, including taken ones.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Entries that were not taken.
    pub(super) fn pending(&self) -> usize {
        self.len() - self.used
    }

    pub(super) fn contains(&self, key: &SessionKey) -> bool {
        self.find(key).is_some()
    }

    /// What [`Entries::take`] would return.
    pub(super) fn peek(&self, key: &SessionKey, now: Duration) -> Taken {
        let entry = self.find(key).map(|slot| &self.slab[slot as usize]);
        match entry.filter(|entry| entry.deadline > now) {
            None => Taken::Unknown,
            Some(Entry { record: None, .. }) => Taken::Used,
            Some(Entry {
                record: Some(record),
                ..
            }) => Taken::Record(record.to_string()),
        }
    }

    pub(super) fn is_pending(&self, key: &SessionKey, now: Duration) -> bool {
        self.find(key).is_some_and(|slot| {
            let entry = &self.slab[slot as usize];
            entry.record.is_some() && entry.deadline > now
        })
    }

    /// Adds an entry under a new key. The first call reserves memory for `capacity` entries, so that later
    /// calls do not move them; untouched memory costs nothing. Beyond a million entries, memory grows on
    /// demand.
    pub(super) fn insert(
        &mut self,
        key: SessionKey,
        record: Box<str>,
        deadline: Duration,
        capacity: usize,
    ) {
        if self.lists.is_empty() {
            self.lists = vec![
                List {
                    first: NONE,
                    last: NONE
                };
                USED + 1
            ]
            .into_boxed_slice();
            let reserved = capacity.min(MAX_RESERVED);
            self.slab.reserve_exact(reserved);
            self.index.reserve(reserved, |_| 0);
        }
        let entry = Entry {
            key,
            record: Some(record),
            deadline,
            list: 0,
            previous: NONE,
            next: NONE,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = entry;
            slot
        } else {
            let slot = u32::try_from(self.slab.len()).unwrap_or(NONE);
            self.slab.push(entry);
            slot
        };
        let slab = &self.slab;
        self.index
            .insert_unique(hash(&key), slot, |slot| hash(&slab[*slot as usize].key));
        self.append(slot, self.list_for(deadline));
    }

    /// Takes the record of an entry, and remembers that it was taken.
    pub(super) fn take(&mut self, key: &SessionKey, now: Duration) -> Taken {
        let Some(slot) = self.find(key) else {
            return Taken::Unknown;
        };
        let entry = &mut self.slab[slot as usize];
        if entry.deadline <= now {
            return Taken::Unknown;
        }
        let Some(record) = entry.record.take() else {
            return Taken::Used;
        };
        self.unlink(slot);
        self.append(slot, USED);
        self.used += 1;
        Taken::Record(record.into_string())
    }

    /// Frees the entry that was taken first; `false` if none was taken.
    pub(super) fn forget_oldest_used(&mut self) -> bool {
        let slot = self.lists.get(USED).map_or(NONE, |list| list.first);
        if slot == NONE {
            return false;
        }
        self.remove(slot);
        true
    }

    /// Removes a few expired entries.
    pub(super) fn reclaim(&mut self, now: Duration) {
        if self.lists.is_empty() {
            self.tick = tick(now);
            return;
        }
        let oldest_used = self.lists[USED].first;
        if oldest_used != NONE && self.slab[oldest_used as usize].deadline <= now {
            self.remove(oldest_used);
        }
        let (mut entries, mut ticks) = (RECLAIM_PER_CALL, TICKS_PER_CALL);
        while entries > 0 && ticks > 0 && self.tick <= tick(now) {
            if self.pending() == 0 {
                self.tick = tick(now);
                return;
            }
            let slot = self.lists[wheel(self.tick)].first;
            if slot == NONE {
                if self.tick == tick(now) {
                    return;
                }
                self.tick += 1;
                ticks -= 1;
                continue;
            }
            let deadline = self.slab[slot as usize].deadline;
            if deadline <= now {
                self.remove(slot);
            } else if self.tick < tick(now) {
                self.unlink(slot);
                self.append(slot, self.list_for(deadline));
            } else {
                return;
            }
            entries -= 1;
        }
    }

    fn find(&self, key: &SessionKey) -> Option<u32> {
        self.index
            .find(hash(key), |slot| self.slab[*slot as usize].key == *key)
            .copied()
    }

    fn list_for(&self, deadline: Duration) -> usize {
        wheel(tick(deadline).clamp(self.tick, self.tick + TICKS - 1))
    }

    fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        let entry = &mut self.slab[slot as usize];
        if entry.record.take().is_none() {
            self.used -= 1;
        }
        let key = entry.key;
        if let Ok(found) = self.index.find_entry(hash(&key), |other| *other == slot) {
            found.remove();
        }
        self.free.push(slot);
    }

    fn append(&mut self, slot: u32, list: usize) {
        let before = self.lists[list].last;
        let entry = &mut self.slab[slot as usize];
        entry.previous = before;
        entry.next = NONE;
        entry.list = u16::try_from(list).unwrap_or(u16::MAX);
        match before {
            NONE => self.lists[list].first = slot,
            before => self.slab[before as usize].next = slot,
        }
        self.lists[list].last = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Entry {
            previous,
            next,
            list,
            ..
        } = self.slab[slot as usize];
        match previous {
            NONE => self.lists[usize::from(list)].first = next,
            previous => self.slab[previous as usize].next = next,
        }
        match next {
            NONE => self.lists[usize::from(list)].last = previous,
            next => self.slab[next as usize].previous = previous,
        }
    }
}

fn tick(time: Duration) -> u64 {
    time.as_secs() / TICK_SECONDS
}

fn wheel(tick: u64) -> usize {
    usize::try_from(tick % TICKS).unwrap_or_default()
}

/// The key is a digest already, so its first bytes serve as hash.
fn hash(key: &SessionKey) -> u64 {
    let [first, ..] = key.as_bytes().as_chunks().0 else {
        return 0;
    };
    u64::from_le_bytes(*first)
}
