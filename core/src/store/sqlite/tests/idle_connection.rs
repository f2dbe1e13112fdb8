//! The file between two operations, and around a fork.
#![cfg(target_os = "linux")]

use std::task::{Context, Waker};
use std::thread;

use tokio::runtime::Handle;

use super::super::idle_connection::{Generation, IdleConnection};
use super::*;
use crate::fork::before_fork;
use crate::fork::tests::{alone, is_quiet};

/// The number of descriptors of this process for the file.
fn descriptors(scene: &Scene) -> usize {
    let all = fs::read_dir("/proc/self/fd").unwrap();
    all.filter(|entry| {
        let target = fs::read_link(entry.as_ref().unwrap().path());
        target.is_ok_and(|target| target == scene.path())
    })
    .count()
}

#[tokio::test]
async fn the_file_is_closed_soon_and_before_a_fork() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    assert_eq!(descriptors(&scene), 0);
    let mut number = 0;
    for forks in [true, false] {
        // On a busy machine, the time may be over at once.
        loop {
            number += 1;
            put(&store, number, TTL).await.unwrap();
            if descriptors(&scene) > 0 {
                break;
            }
        }
        if forks {
            let _alone = alone();
            let _fork = before_fork();
            assert_eq!(descriptors(&scene), 0);
        }
        while descriptors(&scene) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(take(&store, number).await.unwrap(), record(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_fork_does_not_wait_for_the_lock_of_another_process() {
    let scene = Scene::new();
    let limits = Limits {
        patience: Duration::from_secs(3600),
        ..IMPATIENT
    };
    let store = scene.open_with(limits).unwrap();
    let other = scene.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = std::pin::pin!(put(&store, 1, TTL));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    while store.queue.waits() > 0 {
        tokio::task::yield_now().await;
    }
    {
        let _alone = alone();
        let _fork = before_fork();
        assert!(is_quiet());
    }
    other.execute_batch("COMMIT").unwrap();
    waiting.await.unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_store_that_is_opened_during_a_fork_waits_for_its_end() {
    let scene = Scene::new();
    let alone = alone();
    let fork = before_fork();
    let opening = thread::scope(|scope| {
        let opening = scope.spawn(|| scene.open().map(drop));
        // Nothing else closes it.
        thread::sleep(Duration::from_millis(20));
        assert!(!scene.path().exists());
        drop(fork);
        opening.join().unwrap()
    });
    drop(alone);
    opening.unwrap();
}

/// Takes a kept file, with its generation. Tries again, because another test may close all kept
/// files, as before a fork.
fn taken(scene: &Scene, idle: &Arc<IdleConnection>) -> (Connection, Generation) {
    let place = Place::parse(&scene.url()).unwrap();
    loop {
        let (_, generation) = idle.take();
        let mut patience = Patience::new(IMPATIENT.patience);
        let open = Connection::open(&place, IMPATIENT, &mut patience).unwrap();
        idle.put(open, generation, &Handle::current());
        if let (Some(taken), generation) = idle.take() {
            return (taken, generation);
        }
    }
}

#[tokio::test]
async fn a_file_of_an_earlier_generation_is_not_kept() {
    let (scene, idle) = (Scene::new(), IdleConnection::new());
    let (open, generation) = taken(&scene, &idle);
    while idle.take().1 == generation {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    idle.put(open, generation, &Handle::current());
    assert!(idle.take().0.is_none());
    assert_eq!(descriptors(&scene), 0);
}

#[tokio::test]
async fn a_file_of_the_parent_process_is_not_closed() {
    let (scene, idle) = (Scene::new(), IdleConnection::new());
    loop {
        let (open, generation) = taken(&scene, &idle);
        idle.put(open, generation, &Handle::current());
        idle.forget();
        assert!(idle.take().0.is_none());
        if descriptors(&scene) > 0 {
            break;
        }
    }
}
