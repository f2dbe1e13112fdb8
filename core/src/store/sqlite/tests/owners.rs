//! Directories and files that other users may write, or own.

use std::os::unix::fs::{chown, symlink};

use super::*;

/// The files that SQLite creates beside a file.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// Another user.
const OTHER: u32 = 4242;

/// A scene whose directory is like `/tmp`.
fn shared() -> Scene {
    let scene = Scene::new();
    set_mode(&scene.directory, 0o1777);
    scene
}

/// Gives a file to another user. Only root can do that; otherwise the test is skipped.
fn give_away(path: &Path) -> bool {
    let given = chown(path, Some(OTHER), Some(OTHER)).is_ok();
    if !given {
        eprintln!("SKIPPED: only root can give files away");
    }
    given
}

fn refusal(scene: &Scene) -> String {
    let error = scene.open().err().expect("a refusal");
    assert_eq!(error.code(), Code::InvalidOption, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_store_works_in_a_directory_like_tmp() {
    let scene = shared();
    for _ in 0..2 {
        let store = scene.open().unwrap();
        put(&store, 1, TTL).await.unwrap();
        assert_eq!(
            scene.open().unwrap().contains(&key(1)).await.unwrap(),
            Some(true)
        );
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        drop(store);
        fs::remove_file(scene.path()).unwrap();
        for suffix in BESIDE {
            fs::remove_file(beside(&scene, suffix)).unwrap();
        }
        // No draft is left.
        assert_eq!(fs::read_dir(&scene.directory).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn all_names_that_sqlite_opens_are_taken_in_a_directory_like_tmp() {
    let scene = shared();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    for suffix in ["", "-journal", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&scene, suffix)), 0o600, "{suffix}");
    }
    // Another process of this library removes them if it is the last one to close the store.
    drop(crate::before_fork());
    for suffix in BESIDE {
        let _ = fs::remove_file(beside(&scene, suffix));
    }
    put(&store, 2, TTL).await.unwrap();
    assert_eq!(take(&store, 2).await.unwrap(), record(2));
    assert!(beside(&scene, "-journal").exists());
}

#[test]
fn many_make_one_file_in_a_directory_like_tmp() {
    let scene = shared();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| scene.open().unwrap());
        }
    });
    assert_eq!(fs::read_dir(&scene.directory).unwrap().count(), 4);
}

#[test]
fn a_file_of_another_user_in_a_directory_like_tmp_is_named_in_the_error() {
    for (suffix, name) in [
        ("", "the store's file "),
        ("-journal", "the store's journal (-journal) "),
        ("-wal", "the store's write-ahead log (-wal) "),
        ("-shm", "the store's shared memory (-shm) "),
    ] {
        let scene = shared();
        if !suffix.is_empty() {
            scene.open().unwrap();
        }
        let path = beside(&scene, suffix);
        let _ = fs::remove_file(&path);
        let before = fs::read(scene.path()).ok();

        symlink("/dev/null", &path).unwrap();
        let at = format!("path={}", path.display());
        assert_eq!(refusal(&scene), format!("{name}is a symbolic link {at}"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(refusal(&scene), format!("{name}is a directory {at}"));
        fs::remove_dir(&path).unwrap();
        let target = scene.directory.join("target");
        fs::write(&target, "x".repeat(1000)).unwrap();
        fs::hard_link(&target, &path).unwrap();
        let refused = refusal(&scene);
        assert!(
            refused.starts_with(&format!("{name}has another name as well; ")),
            "{refused}"
        );
        fs::remove_file(&path).unwrap();
        if give_away(&target) {
            fs::rename(&target, &path).unwrap();
            let refused = refusal(&scene);
            let start =
                format!("{name}belongs to another user; use a directory of its own, mode 0700");
            assert!(refused.starts_with(&start), "{refused}");
            assert!(
                refused.contains(&format!("{suffix}\" owner={OTHER}")),
                "{refused}"
            );
            assert_eq!(fs::read(&path).unwrap().len(), 1000);
        }
        if !suffix.is_empty() {
            assert_eq!(fs::read(scene.path()).ok(), before);
        }
    }
}

#[test]
fn a_file_of_another_user_is_refused_also_in_a_directory_of_its_own() {
    let scene = Scene::new();
    scene.open().unwrap();
    for suffix in BESIDE {
        let path = beside(&scene, suffix);
        fs::write(&path, "").unwrap();
        if give_away(&path) {
            assert!(refusal(&scene).contains(suffix));
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn an_empty_file_is_refused_where_others_can_make_its_journal() {
    let scene = shared();
    fs::write(scene.path(), "").unwrap();
    set_mode(&scene.path(), 0o600);
    let refused = refusal(&scene);
    assert!(
        refused.starts_with("the store's file is empty, "),
        "{refused}"
    );
}

#[test]
fn a_directory_that_others_may_write_is_refused_with_the_reason() {
    let scene = Scene::new();
    for mode in [0o777, 0o2777, 0o2773] {
        set_mode(&scene.directory, mode);
        let refused = refusal(&scene);
        let start = "the store's directory can be written by others, who could replace its files; \
            use a directory of its own, mode 0700 directory=";
        assert!(refused.starts_with(start), "{refused}");
        assert!(refused.ends_with(&format!(" mode={mode:04o}")), "{refused}");
        assert!(!refused.contains("chmod"), "{refused}");
    }
    assert!(!scene.path().exists());
    // A directory that all may read, with the set-group-ID bit, is accepted.
    for mode in [0o2755, 0o755, 0o1755] {
        set_mode(&scene.directory, mode);
        scene.open().unwrap();
    }
}

#[test]
fn a_directory_of_another_user_is_refused() {
    for mode in [0o755, 0o1777] {
        let scene = Scene::new();
        set_mode(&scene.directory, mode);
        if give_away(&scene.directory) {
            set_mode(&scene.directory, mode);
            let refused = refusal(&scene);
            let start = "the store's directory belongs to another user, who could replace its files; \
                use a directory of its own, mode 0700 directory=";
            assert!(refused.starts_with(start), "{refused}");
            assert!(refused.contains(&format!(" owner={OTHER} ")), "{refused}");
        }
    }
}

#[test]
fn a_parent_directory_that_others_can_replace_is_named_in_the_error() {
    let scene = Scene::new();
    let above = scene.directory.join("above");
    let own = above.join("between").join("own");
    fs::create_dir_all(&own).unwrap();
    for directory in [&above, &above.join("between"), &own] {
        set_mode(directory, 0o700);
    }
    let open = || SqliteStore::open(&url(&own.join("a.db")), Arc::clone(&scene.clock) as _);
    open().unwrap();
    set_mode(&above, 0o1777);
    open().unwrap();
    set_mode(&above, 0o777);
    let refused = open().err().unwrap();
    assert_eq!(refused.code(), Code::InvalidOption);
    let refused = refused.to_string();
    let start = "a directory above the store's can be written by others, who could replace it; \
        use a directory of its own, mode 0700, elsewhere directory=";
    assert!(refused.starts_with(start), "{refused}");
    assert!(refused.contains("/above\" owner="), "{refused}");
    set_mode(&above, 0o755);
    if give_away(&above) {
        assert!(
            open()
                .err()
                .unwrap()
                .to_string()
                .contains("belongs to another user")
        );
    }
}

#[test]
fn a_group_that_is_not_the_users_own_may_not_write() {
    let scene = Scene::new();
    if chown(&scene.directory, None, Some(OTHER)).is_err() {
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    for mode in [0o770, 0o2775, 0o720] {
        set_mode(&scene.directory, mode);
        assert!(refusal(&scene).ends_with(&format!(" mode={mode:04o}")));
    }
    set_mode(&scene.directory, 0o2755);
    scene.open().unwrap();
}

fn beside(scene: &Scene, suffix: &str) -> PathBuf {
    scene.directory.join(format!("logins.db{suffix}"))
}

/// Like home directories with a umask of 002, for a user with a private group.
#[test]
#[cfg(target_os = "linux")]
fn the_users_own_group_may_write() {
    use std::os::unix::process::CommandExt as _;

    let scene = Scene::new();
    let Some(user) = user_with_a_group() else {
        eprintln!("SKIPPED: no user has a group of its own");
        return;
    };
    if chown(&scene.directory, Some(user), Some(user)).is_err() {
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    for (mode, answer) in [
        (0o775, "answer:opened"),
        (0o2775, "answer:opened"),
        (0o777, "answer:invalid_option"),
    ] {
        set_mode(&scene.directory, mode);
        let name = "store::sqlite::tests::owners::opens_a_file";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env("PORTIER_CLIENT_TEST_FILE", scene.path())
            .uid(user)
            .gid(user)
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(answer),
            "{output:?}"
        );
    }
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask_is() {
    for umask in ["000", "077", "777"] {
        for directory in [0o700, 0o1777] {
            let scene = Scene::new();
            set_mode(&scene.directory, directory);
            let script = format!("umask {umask} && exec \"$@\"");
            let output = std::process::Command::new("sh")
                .args(["-c", &script, "sh"])
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", "store::sqlite::tests::owners::opens_a_file"])
                .args(["--ignored", "--nocapture"])
                .env("PORTIER_CLIENT_TEST_FILE", scene.path())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("answer:opened"), "{output:?}");
            for suffix in ["", "-wal", "-shm"] {
                assert_eq!(mode(&beside(&scene, suffix)), 0o600, "{umask} {suffix}");
            }
        }
    }
}

#[test]
#[ignore = "a process that another test starts"]
fn opens_a_file() {
    let path = std::env::var_os("PORTIER_CLIENT_TEST_FILE").expect("started by another test");
    let store = SqliteStore::open(&url(Path::new(&path)), Arc::new(ManualClock::at(START)));
    let answer = store.map_or_else(|error| error.code().as_str(), |_| "opened");
    println!("answer:{answer}");
}

/// A user whose group has the same number and the same name, and no members.
#[cfg(target_os = "linux")]
fn user_with_a_group() -> Option<u32> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let groups = fs::read_to_string("/etc/group").ok()?;
    users.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, user, group, ..] = fields.as_slice() else {
            return None;
        };
        let own = format!("{name}:x:{group}:");
        let is_own = user == group && *user != "0" && groups.lines().any(|line| line == own);
        is_own.then(|| user.parse().ok()).flatten()
    })
}
