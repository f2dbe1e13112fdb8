//! Texts that are too long.

use std::process::Command;

use super::*;

/// The path of the file, for the process that a test starts.
const PATH: &str = "PORTIER_CLIENT_TEST_FILE";

/// [`START`] in milliseconds.
const NOW: i64 = 1_700_000_000_000;
/// Far more than the pages that SQLite keeps in memory.
#[cfg(target_os = "linux")]
const LONG: usize = 64 << 20;

#[tokio::test]
async fn a_record_that_is_too_long_is_an_error_and_stays() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for (number, length) in [(1, 2 << 20), (2, (2 << 20) + 1)] {
        insert(&scene, number, length);
    }
    let error = store.take(&key(2)).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreFailed);
    assert_eq!(
        error.to_string(),
        "the store has a longer text than any record limit=2097152 length=2097153"
    );
    assert_eq!(code(store.peek(&key(2)).await), Code::StoreFailed);
    assert_eq!(store.contains(&key(2)).await.unwrap(), Some(true));
    let longest = Taken::Record("x".repeat(2 << 20));
    assert_eq!(store.take(&key(1)).await.unwrap(), longest);
    assert_eq!(scene.rows("logins"), 2);
    // It expires like any other record.
    scene.clock.advance(TTL);
    put(&store, 3, TTL).await.unwrap();
    assert_eq!(scene.rows("logins WHERE record IS NOT NULL"), 1);
}

#[tokio::test]
async fn a_document_that_is_too_long_is_ignored() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for (name, length) in [("short", 2 << 20), ("long", (2 << 20) + 1)] {
        let row = (name, "x".repeat(length), NOW, NOW + 60_000);
        let sql = "INSERT INTO documents VALUES (?1, ?2, ?3, ?4)";
        scene.raw().execute(sql, row).unwrap();
    }
    assert_eq!(store.load("long").await.unwrap(), None);
    let document = store.load("short").await.unwrap().unwrap();
    assert_eq!(document.len(), 2 << 20);
    store.save("long", "text".to_owned(), TTL).await.unwrap();
    let document = store.load("long").await.unwrap();
    assert_eq!(document.as_deref(), Some("text"));
}

/// Stores a record of this length, like another program.
fn insert(scene: &Scene, number: u64, length: usize) {
    let (start, end) = (NOW, NOW + 1_800_000);
    let sql = "INSERT INTO logins VALUES (?1, ?2, ?3, ?4)";
    let key = key(number);
    let row = (key.as_bytes(), "x".repeat(length), start, end);
    scene.raw().execute(sql, row).unwrap();
}

/// In a separate process, whose memory nothing else uses.
#[test]
#[cfg(target_os = "linux")]
fn a_text_that_is_far_too_long_is_not_read_into_memory() {
    let scene = Scene::new();
    scene.open().unwrap();
    insert(&scene, 1, LONG);
    let name = "store::sqlite::tests::long::passes_a_long_text";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(PATH, scene.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("answer:done"));
}

#[tokio::test]
#[cfg(target_os = "linux")]
#[ignore = "a process that another test starts"]
async fn passes_a_long_text() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("started by another test"));
    let clock = Arc::new(ManualClock::at(START));
    let store = SqliteStore::open(&url(&path), Arc::clone(&clock) as _).unwrap();
    let before = most_memory();
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
    assert_eq!(code(store.peek(&key(1)).await), Code::StoreFailed);
    assert_eq!(code(take(&store, 1).await), Code::StoreFailed);
    for number in 2..20 {
        put(&store, number, TTL).await.unwrap();
        assert_eq!(take(&store, number).await.unwrap(), record(number));
    }
    clock.advance(TTL);
    put(&store, 20, TTL).await.unwrap();
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
    let grown = most_memory() - before;
    assert!(grown < LONG / 4, "{grown}");
    println!("answer:done");
}

/// The maximum memory of this process so far.
#[cfg(target_os = "linux")]
fn most_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse::<usize>().unwrap() * 1024
}
