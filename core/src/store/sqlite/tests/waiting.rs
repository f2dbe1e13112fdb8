//! Locks of other processes, and callers that go away.

use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::*;

#[tokio::test]
async fn nst_21_a_locked_file_is_unavailable_and_the_login_usable_after() {
    let scene = Scene::new();
    let store = scene.open_with(IMPATIENT).unwrap();
    put(&store, 1, TTL).await.unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(code(take(&store, 1).await), Code::StoreUnavailable);
    assert_eq!(code(put(&store, 2, TTL).await), Code::StoreUnavailable);
    // Who only reads does not wait for who writes.
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
    scene.open_with(IMPATIENT).unwrap();
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
}

#[tokio::test]
async fn nst_21_a_crowd_waits_no_longer_for_a_lock_than_its_first() {
    let scene = Scene::new();
    let store = scene
        .open_with(Limits {
            patience: Duration::from_millis(400),
            ..IMPATIENT
        })
        .unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = std::pin::pin!(put(&store, 0, TTL));
    assert!(first.as_mut().poll(&mut context).is_pending());
    while store.queue.waits() > 0 {
        tokio::task::yield_now().await;
    }
    // More than go into one transaction.
    let mut crowd: FuturesUnordered<_> = (1..=600).map(|number| put(&store, number, TTL)).collect();
    assert!(crowd.next().now_or_never().is_none());
    assert_eq!(code(first.await), Code::StoreUnavailable);
    let mut refused = 0;
    while let Some(outcome) = crowd.next().await {
        assert_eq!(code(outcome), Code::StoreUnavailable);
        refused += 1;
        if refused == 1 {
            other.execute_batch("COMMIT").unwrap();
        }
    }
    assert_eq!(refused, 600);
    put(&store, 601, TTL).await.unwrap();
}

#[tokio::test]
async fn nst_21_a_lock_that_ends_in_time_is_waited_for() {
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
async fn nst_21_waiting_for_a_lock_blocks_nobody_else() {
    let scene = Scene::new();
    let store = scene.open_with(IMPATIENT).unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = std::pin::pin!(put(&store, 1, TTL));
    let mut context = Context::from_waker(Waker::noop());
    // A poll only asks; it does not touch the file, however long that takes.
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(code(waiting.await), Code::StoreUnavailable);
}

#[tokio::test]
async fn a_caller_who_goes_away_before_it_is_his_turn_uses_nothing_up() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    // The first is at work and waits for the lock; the second waits for the first.
    let mut first = std::pin::pin!(put(&store, 2, TTL));
    assert!(first.as_mut().poll(&mut context).is_pending());
    while store.queue.waits() > 0 {
        tokio::task::yield_now().await;
    }
    {
        let mut second = std::pin::pin!(take(&store, 1));
        assert!(second.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    first.await.unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
}

#[test]
fn nst_21_a_store_outlives_the_runtime_it_was_used_in() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(put(&store, number, TTL)).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut abandoned = std::pin::pin!(take(&store, number));
        {
            let _inside = runtime.enter();
            assert!(abandoned.as_mut().poll(&mut context).is_pending());
        }
        drop(runtime);
        // It was done, or it was let go; it does not hang.
        assert!(matches!(
            abandoned.as_mut().poll(&mut context),
            Poll::Ready(_)
        ));
    }
    let outside = std::pin::pin!(take(&store, 1)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(outside) = outside else {
        panic!("nothing to wait for");
    };
    assert_eq!(code(outside), Code::Internal);
}
