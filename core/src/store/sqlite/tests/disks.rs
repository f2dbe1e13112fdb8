//! Full and read-only disks. Each is mounted for one process, which runs this program again.

use std::io;
use std::process::{Command, Output};

use super::*;

/// The path of the file, for the processes that tests start.
const PATH: &str = "PORTIER_CLIENT_TEST_FILE";

/// Runs one of the tests below on a new disk. This needs a user namespace or `sudo`. Without
/// either, the test is skipped, except in CI.
fn on_a_disk(test: &str) {
    let scene = Scene::new();
    let disk = scene.directory.join("disk");
    fs::create_dir(&disk).unwrap();
    let mut output = run(&["unshare", "-rm"], &disk, test);
    if !has_started(&output) {
        output = run(&["sudo", "-n", "unshare", "-m"], &disk, test);
    }
    if !has_started(&output) {
        assert!(std::env::var_os("CI").is_none(), "no disk: {output:?}");
        eprintln!("SKIPPED: no disk of its own");
        return;
    }
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn run(words: &[&str], disk: &Path, test: &str) -> io::Result<Output> {
    let script = r#"mount -t tmpfs -o size=1m,mode=700 none "$1" && shift && exec "$@""#;
    let name = format!("store::sqlite::tests::disks::{test}");
    Command::new(words[0])
        .args(&words[1..])
        .args(["sh", "-c", script, "sh"])
        .arg(disk)
        .arg("env")
        .arg(format!("{PATH}={}", disk.join("logins.db").display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--ignored", "--nocapture"])
        .output()
}

fn has_started(output: &io::Result<Output>) -> bool {
    output
        .as_ref()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("answer:started"))
}

/// In a started process: the path, and the store.
fn given() -> (PathBuf, SqliteStore) {
    let path = PathBuf::from(std::env::var_os(PATH).expect("started by another test"));
    let store = SqliteStore::open(&url(&path), Arc::new(ManualClock::at(START))).unwrap();
    println!("answer:started");
    (path, store)
}

#[test]
fn a_full_disk_refuses_new_logins_and_completions_it_cannot_write() {
    on_a_disk("fills_the_disk");
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn fills_the_disk() {
    let (path, store) = given();
    let others = path.with_file_name("others");
    fs::write(&others, vec![1; 262_144]).unwrap();
    let mut pending = 0;
    let error = loop {
        match store.put(&key(pending), "x".repeat(1000), TTL).await {
            Ok(()) => pending += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::StoreFull);
    assert!(pending > 10, "{pending}");
    let other = SqliteStore::open(
        &url(&path.with_file_name("other.db")),
        Arc::new(ManualClock::at(START)),
    );
    let other = other.err().unwrap();
    assert_eq!(other.code(), Code::StoreUnavailable);
    let text = other.to_string();
    assert!(text.contains("full") || text.contains("no space"), "{text}");
    // A login that cannot be marked as used is not returned.
    assert_eq!(code(take(&store, 1).await), Code::StoreUnavailable);
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
    fs::remove_file(&others).unwrap();
    let taken = take(&store, 1).await.unwrap();
    assert_eq!(taken, Taken::Record("x".repeat(1000)));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
}

#[test]
fn a_disk_that_may_not_be_written_is_an_error() {
    on_a_disk("writes_on_a_read_only_disk");
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn writes_on_a_read_only_disk() {
    let (path, store) = given();
    put(&store, 1, TTL).await.unwrap();
    let disk = path.parent().unwrap();
    let remount = |option: &str| {
        let mut command = Command::new("mount");
        command.args(["-o", option]).arg(disk);
        assert!(command.status().unwrap().success());
    };
    drop(crate::before_fork());
    remount("remount,ro");
    let before = fs::read(&path).unwrap();
    let error = take(&store, 1).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    assert!(error.to_string().contains("is read-only"), "{error}");
    assert_eq!(code(put(&store, 2, TTL).await), Code::StoreUnavailable);
    let clock = Arc::new(ManualClock::at(START));
    let opened = SqliteStore::open(&url(&path), Arc::clone(&clock) as _);
    let opened = opened.err().unwrap();
    assert_eq!(opened.code(), Code::InvalidOption);
    let reason = format!(
        "the store cannot be written: its file system is read-only sqlite=8 path={}",
        path.display()
    );
    assert_eq!(opened.to_string(), reason);
    let other = SqliteStore::open(&url(&path.with_file_name("other.db")), clock);
    let other = other.err().unwrap();
    assert_eq!(other.code(), Code::InvalidOption);
    let fact = "the store's file cannot be used: its file system is read-only path=";
    assert!(other.to_string().starts_with(fact), "{other}");
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(crate::before_fork());
    remount("remount,rw");
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
}
