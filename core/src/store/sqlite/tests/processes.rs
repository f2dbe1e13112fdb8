//! Several processes with one file. The other processes run this program again, with one of the
//! tests that are otherwise ignored.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::*;

/// The path of the file, for the processes that tests start.
const PATH: &str = "PORTIER_CLIENT_TEST_FILE";
const LOGINS: u64 = 40;

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn arguments(test: &str) -> [String; 4] {
    let name = format!("store::sqlite::tests::processes::{test}");
    ["--exact", &name, "--ignored", "--nocapture"].map(str::to_owned)
}

fn start(test: &str, path: &Path) -> Child {
    Command::new(program())
        .args(arguments(test))
        .env(PATH, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The lines of a child's output, without those of the test harness.
fn answers(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(|line| {
        line.unwrap()
            .split_once("answer:")
            .map(|(_, text)| text.to_owned())
    })
}

fn answer(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "answer:{text}").unwrap();
    output.flush().unwrap();
}

/// In a child: the store.
fn given() -> SqliteStore {
    let path = PathBuf::from(std::env::var_os(PATH).expect("started by another test"));
    SqliteStore::open(&url(&path), Arc::new(ManualClock::at(START))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_a_record_to_one_of_many_processes() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..LOGINS {
        put(&store, number, TTL).await.unwrap();
    }
    let path = scene.path();
    let mut children: Vec<_> = (0..8).map(|_| start("takes_all", &path)).collect();
    let mut outputs: Vec<_> = children.iter_mut().map(answers).collect();
    for output in &mut outputs {
        assert_eq!(output.next().as_deref(), Some("ready"));
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let (mut won, mut lost) = (0, 0);
    for output in outputs {
        for outcome in output {
            match outcome.as_str() {
                "won" => won += 1,
                "lost" => lost += 1,
                other => panic!("{other}"),
            }
        }
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((won, lost), (LOGINS, 8 * 8 * LOGINS - LOGINS));
}

/// Eight concurrent attempts in each of eight processes: 64 attempts for each login.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn takes_all() {
    let store = given();
    answer("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for number in 0..LOGINS {
        let takers = (0..8).map(|_| take(&store, number));
        for taken in futures_util::future::join_all(takers).await {
            match taken.unwrap() {
                Taken::Record(_) => answer("won"),
                Taken::Used => answer("lost"),
                Taken::Unknown => answer("unknown"),
            }
        }
    }
}

#[tokio::test]
async fn a_taken_record_stays_taken_when_the_process_is_killed() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    put(&store, 2, TTL).await.unwrap();
    let mut child = start("takes_one_and_waits", &scene.path());
    assert_eq!(answers(&mut child).next().as_deref(), Some("taken"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
    assert_eq!(take(&store, 2).await.unwrap(), record(2));
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn takes_one_and_waits() {
    let store = given();
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    answer("taken");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn open_files_of_a_process_are_counted() {
    let scene = Scene::new();
    let mut child = start("opens_and_closes", &scene.path());
    let said: Vec<_> = answers(&mut child).collect();
    assert_eq!(said, ["none", "open", "none"]);
    assert!(child.wait().unwrap().success());
}

/// No other test opens a file meanwhile.
#[tokio::test]
#[ignore = "a process that another test starts"]
async fn opens_and_closes() {
    let say = |is_none| answer(if is_none { "none" } else { "open" });
    let store = given();
    say(fork_check::is_none());
    let mut number = 0;
    // On a busy machine, the time may be over at once.
    loop {
        number += 1;
        put(&store, number, TTL).await.unwrap();
        if !fork_check::is_none() {
            break;
        }
    }
    say(false);
    drop(crate::before_fork());
    say(fork_check::is_none());
}

/// Run it with `--ignored --nocapture`, and with `TMPDIR` on the disk in question.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn measures_logins() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let mut number = 0;
    for at_once in [1_u32, 10, 100, 1000] {
        let start = std::time::Instant::now();
        let mut logins = 0_u32;
        while start.elapsed() < Duration::from_secs(2) {
            let batch = (number..number + u64::from(at_once)).map(|number| {
                let store = &store;
                async move {
                    put(store, number, TTL).await.unwrap();
                    assert_eq!(take(store, number).await.unwrap(), record(number));
                }
            });
            futures_util::future::join_all(batch).await;
            number += u64::from(at_once);
            logins += at_once;
        }
        let each = start.elapsed().as_secs_f64() / f64::from(logins) * 1e6;
        println!("at_once={at_once} logins={logins} each={each:.0}µs");
    }
}
