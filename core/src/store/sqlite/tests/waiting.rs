//! Locks of other processes, and cancelled callers.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::*;

/// Long enough for other callers to arrive and wait.
const PATIENT: Limits = Limits {
    patience: Duration::from_millis(400),
    ..IMPATIENT
};

#[tokio::test]
async fn a_locked_file_is_unavailable_and_the_login_usable_after() {
    let scene = Scene::new();
    let store = scene.open_with(IMPATIENT).unwrap();
    put(&store, 1, TTL).await.unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(code(take(&store, 1).await), Code::StoreUnavailable);
    assert_eq!(code(put(&store, 2, TTL).await), Code::StoreUnavailable);
    // Readers do not wait for writers.
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
    scene.open_with(IMPATIENT).unwrap();
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
}

/// Starts an operation for which all others have to wait.
async fn begin(store: &SqliteStore, work: Pin<&mut impl Future>) {
    assert!(work.now_or_never().is_none());
    while store.queue.waits() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_callers_wait_no_longer_for_a_lock_than_the_first() {
    for lock in [
        "BEGIN IMMEDIATE",
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE",
    ] {
        let scene = Scene::new();
        let store = scene.open_with(PATIENT).unwrap();
        let other = scene.raw();
        other.execute_batch(lock).unwrap();
        let mut first = pin!(put(&store, 0, TTL));
        begin(&store, first.as_mut()).await;
        // More operations than go into one transaction.
        let crowd = (1..=600).map(|number| put(&store, number, TTL));
        let mut crowd: FuturesUnordered<_> = crowd.collect();
        assert!(crowd.next().now_or_never().is_none());
        assert_eq!(code(first.await), Code::StoreUnavailable);
        let outcome = crowd.next().await.unwrap();
        drop(other);
        assert_eq!(code(outcome), Code::StoreUnavailable);
        while let Some(outcome) = crowd.next().await {
            assert_eq!(code(outcome), Code::StoreUnavailable);
        }
        put(&store, 601, TTL).await.unwrap();
    }
}

#[tokio::test]
async fn an_operation_that_is_too_large_fails_alone() {
    let scene = Scene::new();
    let limits = Limits {
        pages: 64,
        ..PATIENT
    };
    let store = scene.open_with(limits).unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = pin!(put(&store, 0, TTL));
    begin(&store, first.as_mut()).await;
    let one = key(1);
    let too_much = store.put(&one, "x".repeat(1 << 20), TTL);
    let crowd = join_all((0..600).map(|number| take(&store, number + 2)));
    let mut all = pin!(join(too_much, crowd));
    assert!(all.as_mut().now_or_never().is_none());
    other.execute_batch("COMMIT").unwrap();
    first.await.unwrap();
    let (too_much, crowd) = all.await;
    assert_eq!(code(too_much), Code::StoreFull);
    for taken in crowd {
        assert_eq!(taken.unwrap(), Taken::Unknown);
    }
}

#[tokio::test]
async fn a_lock_that_ends_in_time_is_waited_for() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = put(&store, 1, TTL);
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.execute_batch("COMMIT").unwrap();
    };
    let (put, ()) = tokio::join!(waiting, release);
    put.unwrap();
}

#[tokio::test]
async fn waiting_for_a_lock_blocks_nobody_else() {
    let scene = Scene::new();
    let store = scene.open_with(IMPATIENT).unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = pin!(put(&store, 1, TTL));
    let mut context = Context::from_waker(Waker::noop());
    // A poll does not touch the file, however long that would take.
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(code(waiting.await), Code::StoreUnavailable);
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_queued_uses_nothing_up() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    // The first operation runs and waits for the lock; the second waits for the first.
    let mut first = pin!(put(&store, 2, TTL));
    assert!(first.as_mut().poll(&mut context).is_pending());
    while store.queue.waits() > 0 {
        tokio::task::yield_now().await;
    }
    {
        let mut second = pin!(take(&store, 1));
        assert!(second.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    first.await.unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
}

#[test]
fn a_store_outlives_the_runtime_it_was_used_in() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(put(&store, number, TTL)).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut abandoned = pin!(take(&store, number));
        {
            let _inside = runtime.enter();
            assert!(abandoned.as_mut().poll(&mut context).is_pending());
        }
        drop(runtime);
        // It was completed or dropped; it does not hang.
        assert!(matches!(
            abandoned.as_mut().poll(&mut context),
            Poll::Ready(_)
        ));
    }
    let outside = pin!(take(&store, 1)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(outside) = outside else {
        panic!("nothing to wait for");
    };
    assert_eq!(code(outside), Code::Internal);
}

#[test]
fn queued_work_ends_with_its_runtime() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    let over = runtime().handle().clone();
    {
        let _inside = over.enter();
        let abandoned = put(&store, 1, TTL).now_or_never().unwrap();
        assert_eq!(code(abandoned), Code::StoreUnavailable);
    }
    runtime().block_on(put(&store, 1, TTL)).unwrap();
}
