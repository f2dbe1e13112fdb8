//! Captures the logs of all crates in the program, at the most verbose level.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};

/// The environment variable with a file to which the logs of all tests are written, too.
const VARIABLE: &str = "PORTIER_TEST_TRACE";

/// Captures the logs of all crates from now on, through `tracing` and `log`: at all levels, with the fields of
/// all spans and events.
///
/// It is for tests that look for secrets in logs.
pub fn trace() -> &'static Trace {
    static TRACE: OnceLock<&Trace> = OnceLock::new();

    TRACE.get_or_init(|| {
        let file = std::env::var_os(VARIABLE).and_then(|path| open(path.as_ref()));
        let trace = Box::leak(Box::new(Trace {
            text: Mutex::default(),
            file,
            last_span: AtomicU64::new(0),
        }));
        // A test may set its own subscriber in a thread, which takes precedence there.
        let _ = tracing::subscriber::set_global_default(&*trace);
        let _ = log::set_logger(trace);
        log::set_max_level(log::LevelFilter::Trace);
        trace
    })
}

/// Starts the capture if the environment variable is set.
pub(crate) fn trace_if_asked() {
    if std::env::var_os(VARIABLE).is_some() {
        trace();
    }
}

/// The captured logs; see [`trace`].
#[derive(Debug)]
pub struct Trace {
    text: Mutex<String>,
    file: Option<File>,
    last_span: AtomicU64,
}

impl Trace {
    /// A line for each event and each span, up to now.
    pub fn text(&self) -> String {
        self.locked().clone()
    }

    fn say(&self, line: &str) {
        if let Some(file) = &self.file {
            // Several processes write to the file; each writes whole lines.
            let _ = (&*file).write_all(format!("{line}\n").as_bytes());
        }
        let mut text = self.locked();
        text.push_str(line);
        text.push('\n');
    }

    fn locked(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for &'static Trace {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::of(event.metadata());
        event.record(&mut line);
        self.say(&line.0);
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut line = Line::of(attributes.metadata());
        attributes.record(&mut line);
        self.say(&line.0);
        span::Id::from_u64(self.last_span.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.say(&line.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Trace {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let (level, target, text) = (record.level(), record.target(), record.args());
        self.say(&format!("{level} {target} {text}"));
    }

    fn flush(&self) {}
}

struct Line(String);

impl Line {
    fn of(metadata: &Metadata<'_>) -> Self {
        let (level, target, name) = (metadata.level(), metadata.target(), metadata.name());
        Self(format!("{level} {target} {name}"))
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

fn open(path: &Path) -> Option<File> {
    OpenOptions::new().create(true).append(true).open(path).ok()
}
