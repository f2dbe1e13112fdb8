//! Paths, and files that are invalid.

use std::os::unix::fs::symlink;

use super::*;

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    for name in ["logins.db", "logins.db-wal", "logins.db-shm"] {
        assert_eq!(mode(&scene.directory.join(name)), 0o600, "{name}");
    }
    let files = fs::read_dir(&scene.directory).unwrap().count();
    assert_eq!(files, 3);
}

#[test]
fn files_that_others_can_write_are_refused() {
    let scene = Scene::new();
    for bits in [0o707, 0o777, 0o702] {
        set_mode(&scene.directory, bits);
        assert_eq!(code(scene.open()), Code::InvalidOption, "{bits:o}");
        assert!(!scene.path().exists());
    }
    set_mode(&scene.directory, 0o755);
    scene.open().unwrap();
    set_mode(&scene.path(), 0o620);
    assert_eq!(code(scene.open()), Code::InvalidOption);
    set_mode(&scene.path(), 0o602);
    let error = scene.open().err().unwrap().to_string();
    assert!(error.contains("chmod go-w mode=0602 path=/"), "{error}");
}

#[test]
fn links_and_special_files_are_refused() {
    let scene = Scene::new();
    let target = scene.directory.join("target.db");
    fs::write(&target, "").unwrap();
    symlink(&target, scene.path()).unwrap();
    assert_eq!(code(scene.open()), Code::InvalidOption);
    fs::remove_file(scene.path()).unwrap();
    symlink(scene.directory.join("nothing"), scene.path()).unwrap();
    assert_eq!(code(scene.open()), Code::InvalidOption);
    fs::remove_file(scene.path()).unwrap();
    fs::create_dir(scene.path()).unwrap();
    assert_eq!(code(scene.open()), Code::InvalidOption);
    assert_eq!(fs::read(&target).unwrap(), b"");
    let device = SqliteStore::open("sqlite:////dev/null", Arc::clone(&scene.clock) as _);
    assert_eq!(code(device), Code::InvalidOption);
}

#[test]
fn a_link_to_the_directory_is_followed() {
    let scene = Scene::new();
    let (directory, link) = (scene.directory.join("real"), scene.directory.join("link"));
    fs::create_dir(&directory).unwrap();
    set_mode(&directory, 0o700);
    symlink(&directory, &link).unwrap();
    SqliteStore::open(&url(&link.join("a.db")), Arc::clone(&scene.clock) as _).unwrap();
    assert!(directory.join("a.db").exists());
}

#[test]
fn urls_are_read_as_in_sqlalchemy() {
    let scene = Scene::new();
    let directory = scene.directory.display();
    for (url, name) in [
        (format!("sqlite:///{directory}/plain.db"), "plain.db"),
        (format!("sqlite:///{directory}/a%20b%3F%23.db"), "a b?#.db"),
        (format!("sqlite:///{directory}/ü~.db"), "ü~.db"),
    ] {
        SqliteStore::open(&url, Arc::clone(&scene.clock) as _).unwrap();
        assert!(scene.directory.join(name).exists(), "{url}");
    }
    let relative = Place::parse("sqlite:///Cargo.toml").unwrap();
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(relative.path(), here.join("Cargo.toml"));
    for url in [
        "sqlite:".to_owned(),
        "sqlite://".to_owned(),
        "sqlite:///".to_owned(),
        "sqlite:///:memory:".to_owned(),
        "sqlite:/tmp/a.db".to_owned(),
        "sqlite://localhost/a.db".to_owned(),
        format!("sqlite:///{directory}/.."),
        format!("sqlite:///{directory}/a.db?mode=ro"),
        format!("sqlite:///{directory}/a.db#b"),
        format!("sqlite:///{directory}/a%00.db"),
        format!("sqlite:///{directory}/no/such.db"),
        "sqlite:///~/portier-client.db".to_owned(),
    ] {
        let opened = SqliteStore::open(&url, Arc::clone(&scene.clock) as _);
        let error = opened.err().expect(&url);
        assert_eq!(error.code(), Code::InvalidOption, "{url}");
        let is_nul = error.to_string().ends_with("contains a NUL byte");
        assert_eq!(is_nul, url.contains("%00"), "{url}");
    }
}

#[test]
fn errors_say_the_path_and_the_reason() {
    let scene = Scene::new();
    let file = |name: &str| scene.directory.join(name);
    fs::create_dir(file("folder")).unwrap();
    fs::write(file("file"), "").unwrap();
    symlink(file("loop"), file("loop")).unwrap();
    symlink(file("nothing"), file("link")).unwrap();
    let mut deep = scene.directory.clone();
    deep.extend(["d"; 6].map(|name| name.repeat(80)));
    fs::create_dir_all(&deep).unwrap();
    let long = "n".repeat(250);
    let root = scene.directory.display().to_string();
    for (path, reason) in [
        (file("folder"), "the store's file is a directory"),
        (file("link"), "the store's file is a symbolic link"),
        (file(&long), "the name is too long"),
        (deep.join("a.db"), "SQLite opens paths of at most 504 bytes"),
        (file("missing").join("a.db"), "directory does not exist"),
        (file("file").join("a.db"), "is not a directory"),
        (file("file").join("a").join("a.db"), "Not a directory"),
        (file("loop").join("a.db"), "levels of symbolic links"),
        (file(&long.repeat(2)).join("a.db"), "the name is too long"),
        (file("line\nbreak").join("a.db"), "/line\\nbreak"),
    ] {
        let opened = SqliteStore::open(&url(&path), Arc::clone(&scene.clock) as _);
        let error = opened.err().expect(reason);
        assert_eq!(error.code(), Code::InvalidOption, "{reason}");
        let text = error.to_string();
        assert!(text.contains(reason), "{reason}: {text}");
        assert!(text.contains(&root), "{reason}: {text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let scene = Scene::new();
    for content in [
        "not a database, but long enough to be one".repeat(100),
        "x".to_owned(),
    ] {
        fs::write(scene.path(), &content).unwrap();
        assert_eq!(code(scene.open()), Code::InvalidOption, "{content}");
        assert_eq!(fs::read_to_string(scene.path()).unwrap(), content);
    }
    fs::remove_file(scene.path()).unwrap();
    scene
        .raw()
        .execute_batch("CREATE TABLE logins (key)")
        .unwrap();
    let before = fs::read(scene.path()).unwrap();
    set_mode(&scene.path(), 0o600);
    assert_eq!(code(scene.open()), Code::InvalidOption);
    assert_eq!(fs::read(scene.path()).unwrap(), before);
    let others = fs::read_dir(&scene.directory).unwrap().count();
    assert_eq!(others, 1);
}

#[test]
fn a_file_of_another_version_is_refused() {
    let scene = Scene::new();
    scene.open().unwrap();
    scene
        .raw()
        .execute_batch("PRAGMA user_version = 2")
        .unwrap();
    let error = scene.open().err().unwrap();
    assert_eq!(error.code(), Code::InvalidOption);
    assert!(error.to_string().contains("expected=1 found=2 path="));
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_left_alone() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..200 {
        put(&store, number, TTL).await.unwrap();
    }
    scene
        .raw()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let mut content = fs::read(scene.path()).unwrap();
    assert!(content.len() > 5 * 4096);
    content[4096..].fill(0xa5);
    fs::write(scene.path(), &content).unwrap();
    assert_eq!(code(scene.open()), Code::StoreFailed);
    assert_eq!(code(take(&store, 1).await), Code::StoreFailed);
    assert_eq!(code(put(&store, 1000, TTL).await), Code::StoreFailed);
    assert_eq!(fs::read(scene.path()).unwrap(), content);
}

#[test]
fn a_large_file_is_opened_without_reading_all_of_it() {
    let scene = Scene::new();
    scene.open().unwrap();
    let raw = scene.raw();
    let row = ("large", "x".repeat(17 << 20));
    raw.execute("INSERT INTO documents VALUES (?1, ?2, 0, 1)", row)
        .unwrap();
    raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(raw);
    let mut content = fs::read(scene.path()).unwrap();
    content[8 << 20..9 << 20].fill(0xa5);
    fs::write(scene.path(), &content).unwrap();
    scene.open().unwrap();
}

#[test]
fn tables_that_were_changed_are_an_error() {
    let scene = Scene::new();
    scene.open().unwrap();
    let change = "CREATE TRIGGER a AFTER DELETE ON logins BEGIN SELECT 1; END";
    scene.raw().execute_batch(change).unwrap();
    assert_eq!(code(scene.open()), Code::StoreFailed);
}

#[tokio::test]
async fn a_deleted_file_is_recreated_without_its_logins() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    for name in ["logins.db", "logins.db-wal", "logins.db-shm"] {
        fs::remove_file(scene.directory.join(name)).unwrap();
    }
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
    put(&store, 2, TTL).await.unwrap();
    assert_eq!(take(&store, 2).await.unwrap(), record(2));
    fs::remove_dir_all(&scene.directory).unwrap();
    assert_eq!(code(take(&store, 2).await), Code::StoreUnavailable);
    assert_eq!(code(put(&store, 3, TTL).await), Code::StoreUnavailable);
}

#[test]
fn committed_data_is_on_the_disk() {
    let scene = Scene::new();
    let place = Place::parse(&scene.url()).unwrap();
    let mut patience = Patience::new(IMPATIENT.patience);
    let connection = Connection::open(&place, IMPATIENT, &mut patience).unwrap();
    assert_eq!(connection.setting("synchronous"), "2");
    assert_eq!(connection.setting("journal_mode"), "wal");
}

#[tokio::test]
async fn a_full_store_refuses_and_keeps_what_it_has() {
    let scene = Scene::new();
    let limits = Limits {
        pages: 24,
        ..IMPATIENT
    };
    let store = scene.open_with(limits).unwrap();
    let mut pending = 0;
    let error = loop {
        match store.put(&key(pending), "x".repeat(1000), TTL).await {
            Ok(()) => pending += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::StoreFull);
    assert!(pending > 10, "{pending}");
    // An insertion without space does not fail the operations in the same transaction.
    let (refused, taken) = tokio::join!(put_large(&store, pending), take(&store, 0));
    assert_eq!(code(refused), Code::StoreFull);
    assert_eq!(taken.unwrap(), Taken::Record("x".repeat(1000)));
    // More than a write has space for after it has removed two rows.
    scene.clock.advance(TTL);
    let text = "x".repeat(30_000);
    store.put(&key(pending), text, TTL).await.unwrap();
}

async fn put_large(store: &SqliteStore, number: u64) -> Result<()> {
    store.put(&key(number), "x".repeat(3000), TTL).await
}
