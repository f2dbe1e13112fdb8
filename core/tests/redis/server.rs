//! Redis servers for the tests.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use portier_client::testing::session_key;
use portier_client::{Code, RedisStore, Result, SessionKey, Store as _, Taken};

/// The time limit of all operations here.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The pause between two checks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// A lifetime that outlasts every test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// A server with its own directory, which is removed with it.
pub(crate) struct Redis {
    process: Option<Child>,
    folder: PathBuf,
    port: u16,
    /// The first and the last arguments.
    first: Vec<String>,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts a server that keeps nothing on disk; nothing where none is installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with more arguments, as on its command line.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        Self::start_as(&[], arguments, "")
    }

    /// Starts a Sentinel with these lines in its configuration file, which the Sentinel rewrites.
    pub(crate) fn start_sentinel(configuration: &str) -> Option<Self> {
        Self::start_as(&["sentinel.conf"], &["--sentinel"], configuration)
    }

    /// The same as [`Redis::start_with`], but nothing if the program was built without TLS.
    pub(crate) fn start_with_tls(arguments: &[&str]) -> Option<Self> {
        let output = Command::new(program()?)
            .args(["--tls-port", "0", "--port", "x"])
            .output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        if String::from_utf8_lossy(&text).contains("tls-port") {
            missing("a redis-server that was built with TLS");
            return None;
        }
        Self::start_with(arguments)
    }

    fn start_as(first: &[&str], arguments: &[&str], configuration: &str) -> Option<Self> {
        let program = program()?;
        for _ in 0..20 {
            let port = free_port();
            let folder = std::env::temp_dir().join(format!("portier-redis-{port}"));
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).unwrap();
            let mut redis = Self {
                process: None,
                folder,
                port,
                first: first.iter().map(ToString::to_string).collect(),
                arguments: arguments.iter().map(ToString::to_string).collect(),
            };
            std::fs::write(redis.folder.join("sentinel.conf"), configuration).unwrap();
            if redis.launch(program) {
                return Some(redis);
            }
        }
        panic!("no server starts");
    }

    /// Whether the server is up; it fails if its port was taken in the meantime.
    fn launch(&mut self, program: &Path) -> bool {
        let log = File::create(self.folder.join("log")).unwrap();
        let port = self.port.to_string();
        let process = Command::new(program)
            .args(&self.first)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .unwrap();
        let process = self.process.insert(process);
        for _ in 0..TIMEOUT.as_millis() / PAUSE.as_millis() {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("the server does not listen: {}", self.log());
    }

    /// Kills the server.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts the server again, with the same port and data.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.launch(program().unwrap()), "{}", self.log());
    }

    /// Starts the server again, with more arguments.
    pub(crate) fn restart_with(&mut self, arguments: &[&str]) {
        let more = arguments.iter().map(ToString::to_string);
        self.arguments.extend(more);
        self.restart();
    }

    /// Removes the directory of a running server.
    pub(crate) fn remove_folder(&self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }

    /// Waits until a reply contains a text.
    pub(crate) fn until_reply(&self, words: &[&str], text: &str) {
        for _ in 0..TIMEOUT.as_millis() / PAUSE.as_millis() {
            if self.tell::<String>(words).contains(text) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("{text} does not come to pass: {}", self.log());
    }

    /// Waits until the server's report has a line.
    pub(crate) fn until_info(&self, section: &str, wanted: &str) {
        let mut info = String::new();
        for _ in 0..TIMEOUT.as_millis() / PAUSE.as_millis() {
            info = self.tell(&["INFO", section]);
            if info.lines().any(|line| line == wanted) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("{wanted} does not come to pass: {info}");
    }

    /// Freezes the server; its connections stay open.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::new(&self.url()).unwrap()
    }

    /// Sends a command to the server directly.
    pub(crate) fn say<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(TIMEOUT)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query(&mut connection)
    }

    /// Sends a command that must succeed.
    pub(crate) fn tell<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.say(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The server to test with: the one `REDIS_SERVER` names, one on the path, or one in `.tools`.
pub(crate) fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/redis-server");
        let named = std::env::var_os("REDIS_SERVER").map(PathBuf::from);
        let candidates = match named {
            Some(named) => vec![named],
            None => vec!["redis-server".into(), tools.into()],
        };
        candidates
            .into_iter()
            .find(|candidate| is_program(candidate))
    });
    if found.is_none() {
        missing("redis-server");
    }
    found.as_deref()
}

/// Reports that a test is skipped; in CI this is a failure.
fn missing(what: &str) {
    let text = format!("this test of the Redis store did NOT run, for want of {what}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
    eprintln!("{text}; `make redis` gets one where the system has none");
}

fn is_program(path: &Path) -> bool {
    let mut command = Command::new(path);
    match command.arg("--version").stdout(Stdio::null()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{}", path.display());
            false
        }
    }
}

/// A port without a listener whose companion for the cluster bus is free, too. It is below the
/// range that the system uses for outgoing connections, and each process uses other ports.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 40).unwrap();
    loop {
        let port = 12000 + process * 250 + NEXT.fetch_add(1, Ordering::Relaxed) % 250;
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if is_free(port) && is_free(port + 10000) {
            return port;
        }
    }
}

/// Runs a test with a time limit.
pub(crate) async fn limited<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(50), test)
        .await
        .expect("the test takes too long")
}

/// Retries until the operation succeeds.
pub(crate) async fn eventually<T, E: std::fmt::Debug>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let retry = async {
        loop {
            match attempt().await {
                Ok(value) => return value,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(TIMEOUT, retry)
        .await
        .expect("it does not come to pass")
}

pub(crate) fn key(number: usize) -> SessionKey {
    session_key(&number.to_string())
}

pub(crate) async fn put(store: &RedisStore, number: usize) -> Result<()> {
    store.put(&key(number), number.to_string(), LONG).await
}

pub(crate) async fn take(store: &RedisStore, number: usize) -> Result<Taken> {
    store.take(&key(number)).await
}

pub(crate) fn record(number: usize) -> Taken {
    Taken::Record(number.to_string())
}

pub(crate) fn code<T: std::fmt::Debug>(result: &Result<T>) -> Code {
    result.as_ref().unwrap_err().code()
}
