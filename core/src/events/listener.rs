//! Events as plain data.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};

use super::TARGET;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The severity.
    pub level: Level,
    /// The name of the event.
    pub message: String,
    /// The fields, in the order of the table in the documentation of the module.
    pub fields: Vec<(&'static str, Value)>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A boolean.
    Flag(bool),
    /// A count.
    Integer(i64),
    /// A duration in seconds.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// Receives events.
///
/// It is called in the middle of an operation, so it must not block.
pub trait Listener: Send + Sync + 'static {
    /// Whether events of this level are wanted now; called for each event.
    fn wants(&self, level: Level) -> bool;

    /// Receives an event of a wanted level.
    fn hear(&self, event: Event);
}

/// Makes a `tracing` subscriber that passes the events of this crate, and no others, to a listener.
///
/// ```
/// use portier_client::events::{self, Event, Level, Listener};
///
/// struct Print;
///
/// impl Listener for Print {
///     fn wants(&self, level: Level) -> bool {
///         level <= Level::INFO
///     }
///
///     fn hear(&self, event: Event) {
///         println!("{} {} {:?}", event.level, event.message, event.fields);
///     }
/// }
///
/// tracing::subscriber::set_global_default(events::subscriber(Print))?;
/// # Ok::<(), tracing::subscriber::SetGlobalDefaultError>(())
/// ```
pub fn subscriber(listener: impl Listener) -> impl Subscriber + Send + Sync {
    Heard(listener)
}

struct Heard<L>(L);

impl<L: Listener> Subscriber for Heard<L> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) && self.0.wants(*metadata.level())
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut heard = Event {
            level: *event.metadata().level(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut heard);
        self.0.hear(heard);
    }

    // Spans are never enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET && metadata.is_event()
}

impl Event {
    fn add(&mut self, field: &Field, value: Value) {
        self.fields.push((field.name(), value));
    }
}

impl Visit for Event {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Flag(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::Number(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::Text(value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, Value::Text(text));
        }
    }
}
