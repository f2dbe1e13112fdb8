//! The spans of calls and of fetches.
#![cfg(feature = "testing")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use portier_client::testing::{ManualClock, MockTransport};
use portier_client::{Client, Error, events};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
const DISCOVERY: &str = r#"{"authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/keys.json"}"#;

#[derive(Default)]
struct Seen {
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<&'static str, String>,
    /// The names of the events in the span.
    events: Vec<String>,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.fields
            .insert(field.name(), text.trim_matches('"').to_owned());
    }
}

#[derive(Default)]
struct Spans {
    seen: Vec<Seen>,
    entered: Vec<u64>,
}

/// Records the spans of the crate.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Spans>>);

impl Recorder {
    fn with<T>(&self, change: impl FnOnce(&mut Spans) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn span<T>(&self, id: &Id, change: impl FnOnce(&mut Seen) -> T) -> T {
        let index = usize::try_from(id.into_u64()).unwrap() - 1;
        self.with(|spans| change(&mut spans.seen[index]))
    }

    fn take(&self) -> Vec<Seen> {
        self.with(|spans| std::mem::take(&mut spans.seen))
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == events::TARGET
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.with(|spans| {
            let mut seen = Seen {
                name: attributes.metadata().name(),
                parent: if attributes.is_contextual() {
                    spans.entered.last().copied()
                } else {
                    attributes.parent().map(Id::into_u64)
                },
                ..Seen::default()
            };
            attributes.record(&mut seen);
            spans.seen.push(seen);
            Id::from_u64(spans.seen.len() as u64)
        })
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.span(span, |seen| values.record(seen));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Seen::default();
        event.record(&mut fields);
        self.with(|spans| {
            if let Some(id) = spans.entered.last() {
                let index = usize::try_from(*id).unwrap() - 1;
                spans.seen[index]
                    .events
                    .push(fields.fields["message"].clone());
            }
        });
    }

    fn enter(&self, span: &Id) {
        self.with(|spans| spans.entered.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        self.with(|spans| spans.entered.pop());
    }
}

/// A client whose broker is in memory, and a recorder of the spans of this thread.
fn scene() -> (Arc<MockTransport>, Arc<ManualClock>, Client, Recorder) {
    // With a single subscriber, `tracing` would cache the answer of the first thread for all threads.
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(Recorder::default()));
    let broker = Arc::new(MockTransport::new());
    let headers = [("cache-control", "max-age=3600")];
    broker
        .respond(DISCOVERY_URL, 200, &headers, DISCOVERY.to_owned())
        .unwrap();
    let clock = Arc::new(ManualClock::at(1_790_000_000));
    let client = Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .clock(Arc::clone(&clock) as _)
        .transport(Arc::clone(&broker) as _)
        .build()
        .unwrap();
    (broker, clock, client, Recorder::default())
}

fn names(spans: &[Seen]) -> Vec<&'static str> {
    spans.iter().map(|span| span.name).collect()
}

#[tokio::test]
async fn a_call_has_a_span_with_its_events_and_a_fetch_has_its_own() {
    let (_broker, _clock, client, recorder) = scene();
    let _scope = tracing::subscriber::set_default(recorder.clone());
    client.authenticate("alice@example.com").await.unwrap();
    let spans = recorder.take();
    assert_eq!(names(&spans), ["authenticate", "fetch document", "request"]);
    assert_eq!(spans[0].events, ["login started"]);
    assert!(spans[0].fields.is_empty());
    // It serves other calls as well.
    assert_eq!(spans[1].parent, None);
    assert_eq!(spans[1].fields["document"], "discovery");
    // As OpenTelemetry names them.
    assert_eq!(spans[2].parent, Some(2));
    let fields: Vec<_> = spans[2].fields.iter().collect();
    let fields = fields.iter().map(|(name, value)| (**name, value.as_str()));
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("otel.kind", "client"),
            ("otel.name", "GET"),
            ("server.address", "broker.example"),
            ("server.port", "443"),
            ("url.full", DISCOVERY_URL),
        ]
    );
}

#[tokio::test]
async fn requests_are_taken_once_with_their_times() {
    let (broker, clock, client, _) = scene();
    client.discover().await.unwrap();
    // Nobody has asked for them before.
    assert!(client.take_requests().is_empty());
    clock.advance(Duration::from_hours(2));
    client.discover().await.unwrap();
    let down = Error::new(portier_client::Code::BrokerTimeout, "no answer");
    broker.fail("https://broker.example/keys.json", down);
    client.keys().await.unwrap_err();
    clock.advance(Duration::from_secs(3));
    let sent = client.take_requests();
    let outcomes = sent.iter().map(|sent| {
        let path = sent.url.trim_start_matches("https://broker.example");
        (sent.method, path, sent.status, sent.error_type.as_deref())
    });
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [
            ("GET", "/.well-known/openid-configuration", Some(200), None),
            ("GET", "/keys.json", None, Some("broker_timeout")),
        ]
    );
    for sent in sent {
        assert_eq!(
            (sent.started_ago_seconds, sent.duration_seconds),
            (3.0, 0.0)
        );
        assert_eq!(
            (sent.server_address.as_str(), sent.server_port),
            ("broker.example", 443)
        );
    }
    assert!(client.take_requests().is_empty());
}

#[tokio::test]
async fn a_request_that_is_refused_has_its_status() {
    let (broker, _clock, client, _) = scene();
    client.take_requests();
    broker
        .respond(DISCOVERY_URL, 404, &[], String::new())
        .unwrap();
    client.discover().await.unwrap_err();
    let sent = client.take_requests();
    assert_eq!(
        (sent[0].status, sent[0].error_type.as_deref()),
        (Some(404), Some("404"))
    );
}

#[tokio::test]
async fn calls_are_children_of_the_current_span() {
    let (_broker, _clock, client, recorder) = scene();
    let _scope = tracing::subscriber::set_default(recorder.clone());
    client.discover().await.unwrap();
    recorder.take();
    let request = tracing::info_span!(target: "portier_client", "request").entered();
    let started = client.authenticate("alice@example.com");
    // It is ready at once, so that the span is not held over a wait.
    futures_util::FutureExt::now_or_never(started)
        .unwrap()
        .unwrap();
    drop(request);
    let spans = recorder.take();
    assert_eq!(names(&spans), ["request", "authenticate"]);
    assert_eq!(spans[1].parent, Some(1));
}

#[tokio::test]
async fn a_background_refresh_is_in_no_trace() {
    let (_broker, clock, client, recorder) = scene();
    client.discover().await.unwrap();
    clock.advance(Duration::from_secs(3_000));
    let _scope = tracing::subscriber::set_default(recorder.clone());
    client.authenticate("alice@example.com").await.unwrap();
    while client.stats().discovery.age_seconds > Some(0.0) {
        tokio::task::yield_now().await;
    }
    let spans = recorder.take();
    assert_eq!(names(&spans), ["authenticate", "fetch document", "request"]);
    assert_eq!(spans[1].parent, None);
    assert_eq!(spans[1].events, ["document fetched"; 0]);
}

#[tokio::test]
async fn only_faults_are_errors_of_a_span() {
    let (broker, clock, client, recorder) = scene();
    let _scope = tracing::subscriber::set_default(recorder.clone());
    client.verify("not a token").await.unwrap_err();
    let refused = recorder.take();
    assert_eq!(names(&refused), ["complete"]);
    assert_eq!(refused[0].fields["error.type"], "token_malformed");
    assert!(!refused[0].fields.contains_key("otel.status_code"));
    assert_eq!(refused[0].events, ["login refused"]);

    let down = Error::new(portier_client::Code::BrokerUnreachable, "no connection");
    broker.fail(DISCOVERY_URL, down);
    clock.advance(Duration::from_secs(1));
    client.authenticate("alice@example.com").await.unwrap_err();
    let failed = recorder.take();
    assert_eq!(
        names(&failed),
        ["authenticate", "fetch document", "request"]
    );
    for span in failed {
        assert_eq!(span.fields["error.type"], "broker_unreachable");
        assert_eq!(span.fields["otel.status_code"], "ERROR");
        assert!(!format!("{:?}", span.fields).contains("alice"));
    }
}
