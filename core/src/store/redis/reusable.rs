//! A shared value that is made when it is first needed, and replaced when it is no longer usable.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::runtime::{self, Handle};
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use crate::error::{Code, Error, Result};

/// A value for a [`Reusable`].
pub(super) trait Usable: Send + Sync + 'static {
    /// Whether the value is still usable.
    fn is_usable(&self) -> bool;
}

type Making<T> = Shared<Pin<Box<dyn Future<Output = Result<Arc<T>>> + Send>>>;

/// Holds at most one value, for the runtime of the last caller: connections belong to the runtime that
/// opened them.
///
/// The value is made in its own task. All callers wait for the same task and share its failure, so a
/// cancelled caller does not affect the others, and a server that is down is not contacted once per caller.
pub(super) struct Reusable<T> {
    kept: Mutex<Option<(runtime::Id, Making<T>)>>,
}

impl<T: Usable> Reusable<T> {
    pub(super) fn new() -> Self {
        Self {
            kept: Mutex::new(None),
        }
    }

    /// The value; `make` makes it if there is none.
    ///
    /// # Errors
    /// Those of `make`, and [`Code::Internal`] outside of a Tokio runtime.
    pub(super) async fn get<F>(&self, make: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|cause| {
            Error::new(Code::Internal, "the store needs a Tokio runtime").with_source(cause)
        })?;
        let making = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            match &*kept {
                Some((owner, making)) if *owner == runtime.id() && is_usable(making) => {
                    making.clone()
                }
                _ => {
                    let making = start(&runtime, Box::pin(make()));
                    *kept = Some((runtime.id(), making.clone()));
                    making
                }
            }
        };
        making.await
    }

    /// Whether there is a usable value.
    pub(super) fn is_filled(&self) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let value = kept.as_ref().and_then(|(_, making)| making.peek());
        matches!(value, Some(Ok(value)) if value.is_usable())
    }
}

/// `make` is in a box, so that Tokio's code for tasks is compiled once for each type of value.
fn start<T: Usable>(
    runtime: &Handle,
    make: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
) -> Making<T> {
    let task = runtime.spawn(make.in_current_span().with_current_subscriber());
    let landed = async move {
        match task.await {
            Ok(result) => result.map(Arc::new),
            Err(cause) => Err(Error::new(
                Code::Internal,
                "the connection was abandoned with its runtime",
            )
            .with_source(cause)),
        }
    };
    landed.boxed().shared()
}

fn is_usable<T: Usable>(making: &Making<T>) -> bool {
    // Polled, not peeked at: all callers may have been cancelled before the task ended.
    match making.clone().now_or_never() {
        None => true,
        Some(Ok(value)) => value.is_usable(),
        Some(Err(_)) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    /// A value with a number.
    struct Thing {
        number: u32,
        broken: AtomicBool,
    }

    impl Usable for Thing {
        fn is_usable(&self) -> bool {
            !self.broken.load(Ordering::Relaxed)
        }
    }

    /// Counts how often a value was made.
    struct Bench {
        reusable: Reusable<Thing>,
        made: AtomicU32,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                reusable: Reusable::new(),
                made: AtomicU32::new(0),
            }
        }

        async fn get(&self, fails: bool) -> Result<Arc<Thing>> {
            let make = || {
                let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
                async move {
                    tokio::task::yield_now().await;
                    let broken = AtomicBool::new(false);
                    let failure = || Error::new(Code::StoreUnavailable, "not today");
                    (!fails)
                        .then_some(Thing { number, broken })
                        .ok_or_else(failure)
                }
            };
            self.reusable.get(make).await
        }

        async fn number(&self) -> u32 {
            self.get(false).await.unwrap().number
        }
    }

    #[tokio::test]
    async fn a_value_is_made_once_and_replaced_when_it_is_unusable() {
        let bench = Bench::new();
        assert!(!bench.reusable.is_filled());
        let (one, other) = tokio::join!(bench.get(false), bench.get(false));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
        let thing = bench.get(false).await.unwrap();
        assert_eq!(thing.number, 1);
        assert!(bench.reusable.is_filled());
        thing.broken.store(true, Ordering::Relaxed);
        assert!(!bench.reusable.is_filled());
        assert_eq!(bench.number().await, 2);
        assert!(bench.reusable.is_filled());
    }

    #[tokio::test]
    async fn waiting_callers_share_a_failure_and_the_next_caller_retries() {
        let bench = Bench::new();
        let (one, other) = tokio::join!(bench.get(true), bench.get(false));
        assert!(one.is_err() && other.is_err());
        assert!(!bench.reusable.is_filled());
        assert_eq!(bench.number().await, 2);
    }

    #[tokio::test]
    async fn a_cancelled_caller_does_not_affect_others() {
        let bench = Bench::new();
        assert!(bench.get(false).now_or_never().is_none());
        assert!(!bench.reusable.is_filled());
        assert_eq!(bench.number().await, 1);
    }

    #[test]
    fn each_runtime_has_its_own_value() {
        let runtime = || runtime::Builder::new_current_thread().build().unwrap();
        let (bench, one, other) = (Bench::new(), runtime(), runtime());
        for (runtime, number) in [(&one, 1), (&one, 1), (&other, 2), (&one, 3)] {
            assert_eq!(runtime.block_on(bench.number()), number);
        }
        let error = bench.get(false).now_or_never().unwrap().err().unwrap();
        assert_eq!(error.code(), Code::Internal);
    }
}
