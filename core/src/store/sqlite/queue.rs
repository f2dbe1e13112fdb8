//! The queue of operations, and the worker that runs them.

use std::mem;
use std::process;
use std::sync::{Arc, Mutex};

use rusqlite::{Transaction, TransactionBehavior};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::connection::{Connection, Limits, Patience};
use super::errors::{Purpose, is_busy, is_full, translate};
use super::idle_connection::IdleConnection;
use super::operations::{EXPIRED_PER_WRITE, Millis, Operation, Outcome, remove_expired};
use super::place::Place;
use crate::clock::Clock;
use crate::error::{Code, Error, Kind, Result};
use crate::fork::{self, Locked};
use crate::operation;

/// The maximum number of operations in one transaction, so that other processes get their turn.
const BATCH: usize = 256;
/// The number of expired rows to remove when the store is full.
const EXPIRED_FOR_ROOM: usize = 256;

/// Queued operations, and at most one blocking thread of the runtime that runs them.
///
/// All operations that arrive during a transaction go into the next one: most of the time is spent waiting for
/// the disk, and that time does not depend on the number of operations.
pub(super) struct Queue {
    place: Place,
    clock: Arc<dyn Clock>,
    limits: Limits,
    idle: Arc<IdleConnection>,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    jobs: Vec<Job>,
    has_worker: bool,
    /// The process that owns the queue.
    process: u32,
}

struct Job {
    operation: Operation,
    reply: oneshot::Sender<Result<Outcome>>,
}

/// A job and its outcome.
type Done = (Job, Result<Outcome>);

impl Queue {
    pub(super) fn new(place: Place, clock: Arc<dyn Clock>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            place,
            clock,
            limits,
            idle: IdleConnection::new(),
            waiting: Mutex::new(Waiting {
                jobs: Vec::new(),
                has_worker: false,
                process: process::id(),
            }),
        })
    }

    /// Runs an operation. A caller that is cancelled before the operation begins prevents it; later, the
    /// operation is completed anyway.
    pub(super) async fn run(self: &Arc<Self>, operation: Operation) -> Result<Outcome> {
        let (reply, outcome) = oneshot::channel();
        self.submit(Job { operation, reply })?;
        outcome.await.unwrap_or_else(|_| {
            Err(Error::new(
                Code::StoreUnavailable,
                "the store was abandoned with its runtime",
            ))
        })
    }

    fn submit(self: &Arc<Self>, job: Job) -> Result<()> {
        let runtime = Handle::try_current().map_err(|cause| {
            Error::new(Code::Internal, "the store needs a Tokio runtime").with_source(cause)
        })?;
        let mut waiting = self.waiting();
        if waiting.process != process::id() {
            // After a fork, the worker and its callers belong to the parent.
            waiting.process = process::id();
            waiting.has_worker = false;
            mem::forget(mem::take(&mut waiting.jobs));
            self.idle.forget();
        }
        waiting.jobs.push(job);
        if !mem::replace(&mut waiting.has_worker, true) {
            let worker = Worker {
                queue: Arc::clone(self),
                runtime: runtime.clone(),
                behind: 0,
                is_done: false,
            };
            drop(waiting);
            runtime.spawn_blocking(move || worker.work());
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn waits(&self) -> usize {
        self.waiting().jobs.len()
    }

    /// No change can panic half-way, so a poisoned lock is not an error.
    fn waiting(&self) -> Locked<'_, Waiting> {
        fork::lock(&self.waiting)
    }
}

/// The worker, which runs as long as there are operations.
struct Worker {
    queue: Arc<Queue>,
    runtime: Handle,
    /// How many of the waiting operations were queued before the current batch began.
    behind: usize,
    is_done: bool,
}

impl Worker {
    fn work(mut self) {
        loop {
            let busy = fork::busy();
            let Some(batch) = self.next() else {
                return;
            };
            let (mut connection, generation) = self.queue.idle.take();
            let done = self.process(&mut connection, batch);
            // Before callers get the outcome, so that a fork afterwards can close the file.
            if let Some(connection) = connection {
                self.queue.idle.put(connection, generation, &self.runtime);
            }
            drop(busy);
            let is_single = done.len() == 1;
            let reply = || {
                for (job, outcome) in done {
                    // The caller may have been cancelled.
                    let _ = job.reply.send(outcome);
                }
            };
            // The next batch does not wait for the callers of this one.
            if is_single {
                operation::continue_here(reply);
            } else {
                reply();
            }
        }
    }

    fn next(&mut self) -> Option<Vec<Job>> {
        let mut waiting = self.queue.waiting();
        let end = waiting.jobs.len().min(BATCH);
        if end == 0 {
            waiting.has_worker = false;
            self.is_done = true;
            return None;
        }
        let mut batch: Vec<_> = waiting.jobs.drain(..end).collect();
        self.behind = waiting.jobs.len();
        batch.retain(|job| !job.reply.is_closed());
        Some(batch)
    }

    /// Runs a batch, in one transaction if possible.
    fn process(&mut self, connection: &mut Option<Connection>, mut batch: Vec<Job>) -> Vec<Done> {
        match self.attempt(connection, &batch) {
            Ok(outcomes) => batch.into_iter().zip(outcomes).collect(),
            // The transaction was rolled back. Each operation is tried alone, so that one operation
            // cannot fail the others.
            Err(error) if batch.len() > 1 && error.is_about_one() => {
                let jobs = batch.into_iter();
                jobs.flat_map(|job| self.process(connection, vec![job]))
                    .collect()
            }
            Err(error) => {
                if error.is_for_lack_of_time() {
                    batch.extend(self.take_behind());
                }
                let jobs = batch.into_iter();
                jobs.map(|job| {
                    let error = error.to_error(job.operation.purpose(), &self.queue.place);
                    (job, Err(error))
                })
                .collect()
            }
        }
    }

    /// Takes the operations that have waited as long as the current batch.
    fn take_behind(&mut self) -> Vec<Job> {
        let count = mem::take(&mut self.behind);
        self.queue.waiting().jobs.drain(..count).collect()
    }

    fn attempt(
        &self,
        connection: &mut Option<Connection>,
        batch: &[Job],
    ) -> Result<Vec<Result<Outcome>>, TransactionError> {
        let result = self.transact(connection, batch);
        let is_addition = batch
            .iter()
            .any(|job| job.operation.purpose() == Purpose::Adding);
        if is_addition
            && let Err(TransactionError::Database(error)) = &result
            && is_full(error)
            && self.make_room(connection)
        {
            return self.transact(connection, batch);
        }
        result
    }

    fn transact(
        &self,
        connection: &mut Option<Connection>,
        batch: &[Job],
    ) -> Result<Vec<Result<Outcome>>, TransactionError> {
        let writes = batch.iter().filter(|job| job.operation.writes()).count();
        let behavior = if writes > 0 {
            TransactionBehavior::Immediate
        } else {
            TransactionBehavior::Deferred
        };
        let grows = batch.iter().any(|job| job.operation.grows());
        let log_is_full = grows && self.log_is_full(connection)?;
        self.with(connection, behavior, |transaction, now| {
            if writes > 0 && !log_is_full {
                remove_expired(transaction, now, EXPIRED_PER_WRITE * writes)?;
            }
            let jobs = batch.iter();
            jobs.map(|job| {
                if log_is_full && job.operation.grows() {
                    return Ok(Err(Error::new(
                        Code::StoreFull,
                        "the store's write-ahead log is full; another program reads the store and does not finish",
                    )));
                }
                job.operation.run(transaction, now)
            })
            .collect()
        })
    }

    fn log_is_full(&self, connection: &mut Option<Connection>) -> Result<bool, TransactionError> {
        let place = &self.queue.place;
        self.with_file(connection, |open, patience| {
            let is_full = open.log_is_full(place, patience);
            is_full.map_err(TransactionError::Database)
        })
    }

    /// Removes more expired rows than a write does, in its own transaction: a write that fails because the
    /// store is full rolls its own removals back.
    fn make_room(&self, connection: &mut Option<Connection>) -> bool {
        let removed = self.with(
            connection,
            TransactionBehavior::Immediate,
            |transaction, now| remove_expired(transaction, now, EXPIRED_FOR_ROOM),
        );
        removed.is_ok_and(|removed| removed > 0)
    }

    /// Runs `work` in one transaction, with the time of its beginning.
    fn with<T>(
        &self,
        connection: &mut Option<Connection>,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Transaction<'_>, Millis) -> rusqlite::Result<T>,
    ) -> Result<T, TransactionError> {
        let clock = &self.queue.clock;
        let result = self.with_file(connection, |open, patience| {
            let result = open.transact(patience, behavior, |transaction| {
                match Millis::new(clock.now()) {
                    Ok(now) => work(transaction, now).map(Ok),
                    Err(error) => Ok(Err(error)),
                }
            });
            result.map_err(TransactionError::Database)
        });
        result?.map_err(TransactionError::Store)
    }

    /// Runs `work` with the open file. The file is reopened after a failure, and after a fork that did not wait
    /// for a lock.
    fn with_file<T>(
        &self,
        connection: &mut Option<Connection>,
        mut work: impl FnMut(&mut Connection, &mut Patience) -> Result<T, TransactionError>,
    ) -> Result<T, TransactionError> {
        let queue = &self.queue;
        let mut patience = Patience::new(queue.limits.patience);
        let mut attempt = |patience: &mut Patience| {
            let mut open = match connection.take() {
                Some(open) if open.is_at(&queue.place) => open,
                _ => Connection::open(&queue.place, queue.limits, patience)
                    .map_err(TransactionError::Store)?,
            };
            let result = work(&mut open, patience)?;
            *connection = Some(open);
            Ok(result)
        };
        loop {
            match attempt(&mut patience) {
                Err(_) if patience.gave_way() => fork::give_way(),
                result => return result,
            }
        }
    }
}

/// Why a transaction was rolled back.
enum TransactionError {
    Store(Error),
    Database(rusqlite::Error),
}

impl TransactionError {
    /// Whether a single operation may be the cause.
    fn is_about_one(&self) -> bool {
        matches!(self, Self::Database(error) if !is_busy(error))
    }

    /// Whether another process locked the file for longer than the time limit.
    fn is_for_lack_of_time(&self) -> bool {
        match self {
            Self::Store(error) => error.code() == Code::StoreUnavailable,
            Self::Database(error) => is_busy(error),
        }
    }

    fn to_error(&self, purpose: Purpose, place: &Place) -> Error {
        match self {
            // The configuration was valid when the client was built.
            Self::Store(error) if error.kind() == Kind::ConfigError => {
                Error::new(Code::StoreUnavailable, error).with_source(error.clone())
            }
            Self::Store(error) => error.clone(),
            Self::Database(error) => translate(error, purpose, place),
        }
    }
}

impl Drop for Worker {
    /// Drops the queue if the runtime was shut down or the worker panicked.
    fn drop(&mut self) {
        if !self.is_done {
            let mut waiting = self.queue.waiting();
            waiting.has_worker = false;
            let jobs = mem::take(&mut waiting.jobs);
            drop(waiting);
            drop(jobs);
        }
    }
}
