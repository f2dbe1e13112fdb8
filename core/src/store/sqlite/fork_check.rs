//! Whether this process may open files with SQLite.
//!
//! SQLite keeps a list of the files that the process has locked. A fork copies the list but not the locks,
//! so a child whose parent had a file open would assume locks that it does not have ("How To Corrupt An
//! SQLite Database File", section 2.6). [`before_fork`](crate::before_fork) closes all files first. Without
//! it, the store refuses to work in the child.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::error::{Code, Error, Result};

/// The process id in the upper half, and the number of its open connections in the lower half. It is
/// global, like SQLite's list.
static OPEN: AtomicU64 = AtomicU64::new(0);

/// One open connection of this process.
pub(super) struct ForkCheck;

impl ForkCheck {
    /// # Errors
    /// [`Code::StoreUnavailable`] in a child that was forked while a connection was open.
    pub(super) fn enter() -> Result<Self> {
        OPEN.fetch_update(SeqCst, SeqCst, |open| entered(open, process::id()))
            .map(|_| Self)
            .map_err(|_| {
                Error::new(
                    Code::StoreUnavailable,
                    "this process was forked while its parent had a store's file open; restart it",
                )
            })
    }
}

impl Drop for ForkCheck {
    fn drop(&mut self) {
        // A child does not drop connections of the parent.
        let _ = OPEN.fetch_update(SeqCst, SeqCst, |open| left(open, process::id()));
    }
}

#[cfg(test)]
pub(super) fn is_none() -> bool {
    is_left(OPEN.load(SeqCst), process::id())
}

#[cfg(test)]
fn is_left(open: u64, process: u32) -> bool {
    open >> 32 != u64::from(process) || open & u64::from(u32::MAX) == 0
}

fn entered(open: u64, process: u32) -> Option<u64> {
    let (owner, count) = (open >> 32, open & u64::from(u32::MAX));
    let process = u64::from(process);
    (owner == process || count == 0).then_some((process << 32) | (count + 1))
}

fn left(open: u64, process: u32) -> Option<u64> {
    (open >> 32 == u64::from(process)).then(|| open.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_of_a_process_with_an_open_file_cannot_open_one() {
        let open = entered(0, 1).unwrap();
        let open = entered(open, 1).unwrap();
        assert_eq!(entered(open, 2), None);
        assert_eq!(left(open, 2), None);
        let open = left(left(open, 1).unwrap(), 1).unwrap();
        let open = entered(open, 2).unwrap();
        assert_eq!(entered(open, 1), None);
        assert_eq!(open >> 32, 2);
    }

    #[test]
    fn open_connections_of_this_process_are_counted() {
        assert!(is_left(0, 1));
        let open = entered(entered(0, 1).unwrap(), 1).unwrap();
        assert!(!is_left(open, 1));
        assert!(
            is_left(open, 2),
            "connections of another process are not counted"
        );
        let open = left(open, 1).unwrap();
        assert!(!is_left(open, 1));
        let open = left(open, 1).unwrap();
        assert!(is_left(open, 1));
    }
}
