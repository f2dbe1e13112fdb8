//! One fetch for all callers.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::runtime;

use super::*;
use crate::future::BoxFuture;
use crate::http::{Request, Response, Transport};

#[tokio::test]
async fn a_stampede_is_one_request_per_document() {
    let scene = Scene::new();
    let callers: Vec<_> = (0..1000)
        .map(|number| {
            let documents = Arc::clone(&scene.documents);
            tokio::spawn(async move {
                if number % 2 == 0 {
                    documents.discovery().await.unwrap();
                }
                documents.keys().await.unwrap();
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(scene.requests(), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stampede_on_many_threads_is_one_request_per_document() {
    let scene = Scene::new();
    let callers: Vec<_> = (0..200)
        .map(|_| {
            let documents = Arc::clone(&scene.documents);
            tokio::spawn(async move { documents.keys().await.map(drop) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(scene.requests(), (1, 1));
}

#[tokio::test]
async fn a_cancelled_leader_does_not_affect_others() {
    let scene = Scene::new();
    scene.broker.hold();
    let mut leader = Box::pin(scene.keys());
    assert!(poll_once(leader.as_mut()).is_pending());
    let documents = Arc::clone(&scene.documents);
    let follower = tokio::spawn(async move { documents.keys().await.map(drop) });
    tokio::task::yield_now().await;
    drop(leader);
    scene.broker.release();
    follower.await.unwrap().unwrap();
    assert_eq!(scene.requests(), (1, 1));
}

#[tokio::test]
async fn a_cancelled_follower_does_not_affect_others() {
    let scene = Scene::new();
    scene.broker.hold();
    let mut leader = Box::pin(scene.discovery());
    assert!(poll_once(leader.as_mut()).is_pending());
    assert!(poll_once(scene.discovery()).is_pending());
    scene.broker.release();
    leader.await.unwrap();
    assert_eq!(scene.requests(), (1, 0));
}

/// Panics while a test wants it, and then never answers.
struct Panicking(AtomicBool);

impl Transport for Panicking {
    fn send(&self, _: Request) -> BoxFuture<'static, Result<Response>> {
        assert!(!self.0.load(SeqCst), "a transport of a test panics");
        Box::pin(async { Err(Error::new(Code::BrokerTimeout, "slow")) })
    }
}

#[tokio::test]
async fn a_fetch_that_panics_is_an_error_and_blocks_nothing() {
    let transport = Arc::new(Panicking(AtomicBool::new(true)));
    let clock = Arc::new(ManualClock::at(START));
    let documents = Documents::new(
        Origin::parse("https://broker.example", false).unwrap(),
        Arc::clone(&transport) as _,
        Arc::clone(&clock) as _,
        Arc::new(ManualRandom::default()),
        &unshared(&clock),
    );
    assert_eq!(code(documents.discovery().await), Code::Internal);
    transport.0.store(false, SeqCst);
    clock.advance(Duration::from_secs(2));
    assert_eq!(code(documents.discovery().await), Code::BrokerTimeout);
}

#[test]
fn a_runtime_that_is_shut_down_during_a_fetch_blocks_nothing() {
    let scene = Scene::new();
    let first = runtime::Builder::new_current_thread().build().unwrap();
    scene.broker.hold();
    let waiting = {
        let _entered = first.enter();
        let mut waiting = Box::pin(scene.discovery());
        assert!(poll_once(waiting.as_mut()).is_pending());
        waiting
    };
    drop(first);
    let second = runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(code(second.block_on(waiting)), Code::Internal);
    scene.broker.release();
    second.block_on(scene.discovery()).unwrap();
}

#[test]
fn a_cached_document_needs_no_runtime() {
    let scene = Scene::new();
    assert!(matches!(
        poll_once(scene.discovery()),
        Poll::Ready(Err(error)) if error.code() == Code::Internal
    ));
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(scene.keys()).unwrap();
    drop(runtime);
    for age in [Duration::ZERO, HOUR / 2, HOUR / 3, HOUR] {
        scene.clock.advance(age);
        assert!(matches!(poll_once(scene.discovery()), Poll::Ready(Ok(_))));
        assert!(matches!(poll_once(scene.keys()), Poll::Ready(Ok(_))));
    }
}

#[tokio::test]
async fn dropping_the_documents_drops_the_fetch() {
    let scene = Scene::new();
    scene.broker.hold();
    assert!(poll_once(scene.keys()).is_pending());
    let fetcher = Arc::downgrade(&scene.documents.fetcher);
    drop(scene.documents);
    while fetcher.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}
