//! Events and statistics.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use portier_client::events::{self, Event, Level, Listener, Value};
use portier_client::testing::{
    DevBroker, DevBrokerOptions, Fault, ManualClock, MintOptions, MockTransport,
};
use portier_client::web::{Body, FlowOptions, LoginFlow, WebRequest};
use portier_client::{Client, Code, Error};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

const START: u64 = 1_790_000_000;
const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
const KEYS_URL: &str = "https://broker.example/keys.json";
const DISCOVERY: &str = r#"{"authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/keys.json"}"#;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Collects the events of this thread.
struct Ear {
    events: Arc<Mutex<Vec<Event>>>,
    _scope: DefaultGuard,
}

impl Ear {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// Runs a function at each event.
    fn with(at_each: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        // With a single subscriber, `tracing` would cache the answer of the first thread for all threads.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND
            .get_or_init(|| Dispatch::new(events::subscriber(To(Arc::default(), |_: &Event| {}))));
        let events = Arc::default();
        let subscriber = events::subscriber(To(Arc::clone(&events), at_each));
        Self {
            events,
            _scope: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The events since the last call, one per line.
    fn take(&self) -> Vec<String> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.drain(..).map(|event| line(&event)).collect()
    }
}

struct To<F>(Arc<Mutex<Vec<Event>>>, F);

impl<F: Fn(&Event) + Send + Sync + 'static> Listener for To<F> {
    fn wants(&self, _: Level) -> bool {
        true
    }

    fn hear(&self, event: Event) {
        (self.1)(&event);
        self.0.lock().unwrap().push(event);
    }
}

fn line(event: &Event) -> String {
    let mut line = format!("{} {}", event.level, event.message);
    for (name, value) in &event.fields {
        let value = match value {
            Value::Flag(flag) => flag.to_string(),
            Value::Integer(integer) => integer.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        write!(line, " {name}={value}").unwrap();
    }
    line
}

/// A client of a broker whose documents are fresh for an hour.
fn mocked() -> (Client, Arc<MockTransport>, Arc<ManualClock>) {
    let transport = Arc::new(MockTransport::new());
    let clock = Arc::new(ManualClock::at(START));
    let client = Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .transport(transport.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    transport
        .respond(DISCOVERY_URL, 200, &[], DISCOVERY)
        .unwrap();
    (client, transport, clock)
}

fn keys(id: &str) -> String {
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"{id}","x":"{key}"}}]}}"#
    )
}

#[tokio::test]
async fn the_start_and_the_end_of_a_login_are_logged() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = Client::builder("https://example.com/verify").broker(broker.origin());
    let client = client.build().unwrap();
    client.warm().await.unwrap();
    let ear = Ear::new();
    let url = client.authenticate("alice@example.com").await.unwrap();
    let token = broker.mint(&MintOptions::for_url(&url).unwrap()).unwrap();
    client.verify(&token).await.unwrap();
    client.verify(&token).await.unwrap_err();
    client.authenticate("nobody").await.unwrap_err();
    assert_eq!(
        ear.take(),
        [
            "DEBUG login started",
            "DEBUG login completed same_browser=false",
            "INFO login refused operation=complete code=session_used \
             error=the login was completed before",
            "INFO login refused operation=authenticate code=invalid_email \
             error=the e-mail address has no @",
        ]
    );
}

#[tokio::test]
async fn the_first_unknown_login_in_a_memory_store_is_a_warning_with_a_remedy() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = || Client::builder("https://example.com/verify").broker(broker.origin());
    let (here, elsewhere) = (client().build().unwrap(), client().build().unwrap());
    let mint = async || {
        let url = elsewhere.authenticate("alice@example.com").await.unwrap();
        broker.mint(&MintOptions::for_url(&url).unwrap()).unwrap()
    };
    let (unheard, first, second) = (mint().await, mint().await, mint().await);
    here.warm().await.unwrap();
    here.verify(&unheard).await.unwrap_err();

    let ear = Ear::new();
    here.verify(&first).await.unwrap_err();
    let [refused, warning] = ear.take().try_into().unwrap();
    assert!(refused.starts_with("INFO login refused operation=complete code=session_unknown"));
    assert!(
        warning.starts_with("WARN login not in memory store likely_cause="),
        "{warning}"
    );
    assert!(warning.contains("another process") && warning.contains("redis://localhost"));

    here.verify(&second).await.unwrap_err();
    let [refused] = ear.take().try_into().unwrap();
    assert!(refused.starts_with("INFO login refused"));
}

#[cfg(all(unix, feature = "sqlite"))]
#[tokio::test]
async fn an_unknown_login_in_a_shared_store_is_not_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = std::env::temp_dir().join(format!("portier-events-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = |name: &str| {
        let client = Client::builder("https://example.com/verify").broker(broker.origin());
        let client = client.store_url(format!("sqlite:///{}/{name}.db", folder.display()));
        client.build().unwrap()
    };
    let url = client("one").authenticate("alice@example.com").await;
    let token = broker.mint(&MintOptions::for_url(&url.unwrap()).unwrap());
    let other = client("other");
    other.warm().await.unwrap();
    let ear = Ear::new();
    other.verify(&token.unwrap()).await.unwrap_err();
    let events = ear.take();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(
        events.iter().all(|event| !event.starts_with("WARN")),
        "{events:?}"
    );
}

#[tokio::test]
async fn failures_of_the_broker_are_logged_with_their_pause_and_their_end() {
    let (client, transport, clock) = mocked();
    transport.fail(
        DISCOVERY_URL,
        Error::new(Code::BrokerUnreachable, "no connection"),
    );
    let ear = Ear::new();
    client.authenticate("alice@example.com").await.unwrap_err();
    let [fetch, login] = ear.take().try_into().unwrap();
    let (fetch, rest) = fetch.split_once(" pause_seconds=").unwrap();
    assert_eq!(
        fetch,
        "WARN document not fetched document=discovery code=broker_unreachable failures=1 \
         has_document=false"
    );
    let (pause, error) = rest.split_once(' ').unwrap();
    assert!(
        (0.5..=1.0).contains(&pause.parse::<f64>().unwrap()),
        "{pause}"
    );
    assert_eq!(error, "error=no connection");
    assert_eq!(
        login,
        "WARN login failed operation=authenticate code=broker_unreachable error=no connection"
    );
    let stats = client.stats().discovery;
    assert!(stats.retry_in_seconds.is_some_and(|seconds| seconds <= 1.0));

    clock.advance(Duration::from_secs(1));
    assert_eq!(client.stats().discovery.retry_in_seconds, Some(0.0));
    transport
        .respond(DISCOVERY_URL, 200, &[], DISCOVERY)
        .unwrap();
    client.discover().await.unwrap();
    assert_eq!(
        ear.take(),
        [
            "DEBUG document fetched document=discovery unchanged=false lifetime_seconds=3600 failures=1"
        ]
    );
    assert_eq!(client.stats().discovery.retry_in_seconds, None);
}

#[tokio::test]
async fn a_rotation_of_keys_is_logged_and_counted_once() {
    let (client, transport, clock) = mocked();
    transport.respond(KEYS_URL, 200, &[], keys("a")).unwrap();
    client.warm().await.unwrap();
    let ear = Ear::new();
    clock.advance(HOUR);
    client.keys().await.unwrap();
    let fetched =
        "DEBUG document fetched document=keys unchanged=false lifetime_seconds=3600 failures=0";
    assert!(
        !ear.take()
            .iter()
            .any(|line| line.contains("changed document"))
    );
    assert_eq!(client.stats().keys.changes, 0);
    clock.advance(HOUR);
    transport.respond(KEYS_URL, 200, &[], keys("b")).unwrap();
    client.keys().await.unwrap();
    let told = ear.take();
    assert_eq!(
        told[told.len() - 2..],
        [fetched, "INFO document changed document=keys"]
    );
    assert_eq!(client.stats().keys.changes, 1);
}

#[tokio::test]
async fn serving_a_stale_document_is_logged() {
    let (client, transport, clock) = mocked();
    client.discover().await.unwrap();
    transport.fail(DISCOVERY_URL, Error::new(Code::BrokerTimeout, "no answer"));
    clock.advance(HOUR);
    let ear = Ear::new();
    client.discover().await.unwrap();
    let told = ear.take();
    assert!(
        told[0].starts_with("WARN document not fetched document=discovery"),
        "{told:?}"
    );
    assert!(told[0].contains("has_document=true"), "{told:?}");
    assert_eq!(
        told[1..],
        ["DEBUG stale document served document=discovery"]
    );
}

#[tokio::test]
async fn clocks_that_differ_by_a_minute_are_logged() {
    for (date, difference) in [
        ("Mon, 21 Sep 2026 14:14:20 GMT", Some("60")),
        ("Mon, 21 Sep 2026 14:03:20 GMT", Some("-600")),
        ("Mon, 21 Sep 2026 14:14:19 GMT", None),
    ] {
        let (client, transport, _) = mocked();
        let headers = [("date", date)];
        transport
            .respond(DISCOVERY_URL, 200, &headers, DISCOVERY)
            .unwrap();
        let ear = Ear::new();
        client.discover().await.unwrap();
        let told = ear.take();
        let told = told
            .iter()
            .find_map(|line| line.strip_prefix("WARN clocks differ difference_seconds="));
        assert_eq!(told, difference, "{date}");
    }
}

#[tokio::test]
async fn a_repeated_request_is_logged() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = Client::builder("https://example.com/verify").broker(broker.origin());
    let client = client.build().unwrap();
    broker.fail_next(
        "/.well-known/openid-configuration",
        1,
        Fault {
            status: Some(503),
            ..Fault::default()
        },
    );
    let ear = Ear::new();
    client.discover().await.unwrap();
    assert_eq!(ear.take()[0], "DEBUG request repeated host=127.0.0.1");
}

#[tokio::test]
async fn a_login_form_under_another_host_name_than_the_redirect_uri_is_logged() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = Client::builder("http://localhost:8000/verify")
        .broker(broker.origin())
        .build()
        .unwrap();
    let flow = LoginFlow::new(client, FlowOptions::default()).unwrap();
    let ear = Ear::new();
    let warning = "WARN login form on another host page_host=127.0.0.1 redirect_host=localhost";
    for (page, warnings) in [
        ("http://127.0.0.1:8000", vec![warning]),
        ("http://localhost:8000", vec![]),
    ] {
        let body = Body::Bytes(b"email=alice%40example.com".to_vec());
        let mut request = WebRequest::new("POST", body);
        request.set_header("content-type", "application/x-www-form-urlencoded");
        request.set_header("sec-fetch-site", "same-origin");
        request.set_header("origin", page);
        assert_eq!(flow.login(request).await.reply.status, 303);
        let heard = ear.take();
        let about_hosts = heard.iter().filter(|line| line.contains("another host"));
        assert_eq!(about_hosts.collect::<Vec<_>>(), warnings);
    }
}

#[tokio::test]
async fn a_listener_can_use_the_client() {
    let (client, transport, clock) = mocked();
    transport.respond(KEYS_URL, 200, &[], keys("a")).unwrap();
    let used = client.clone();
    // This would deadlock if a lock were held.
    let ear = Ear::with(move |_| drop(used.stats()));
    client.warm().await.unwrap();
    client.authenticate("alice@example.com").await.unwrap();
    client.verify("x.y.z").await.unwrap_err();
    transport.fail(KEYS_URL, Error::new(Code::BrokerTimeout, "no answer"));
    clock.advance(HOUR);
    client.keys().await.unwrap();
    clock.advance(HOUR * 30);
    client.keys().await.unwrap_err();
    assert!(ear.take().len() > 6);
}

#[test]
fn every_event_is_in_the_table_and_in_the_manual() {
    let source = include_str!("../src/events/mod.rs");
    let manual = include_str!("../docs/operations.md");
    let row = |line: &str| {
        let name = line.strip_prefix("| `")?.split_once("` | ")?;
        let (level, _) = name.1.split_once(" |")?;
        ["debug", "info", "warn"]
            .contains(&level)
            .then(|| format!("{level} {}", name.0))
    };
    let table: BTreeSet<_> = source
        .lines()
        .filter_map(|line| row(line.strip_prefix("//! ")?))
        .collect();
    let in_manual: BTreeSet<_> = manual.lines().filter_map(row).collect();
    assert_eq!(table, in_manual);
    let mut emitted = BTreeSet::from(["warn events dropped".to_owned()]);
    for call in source.split("tracing::").skip(1) {
        let Some((level, rest)) = call.split_once("!(") else {
            continue;
        };
        let (arguments, _) = rest.split_once(");").unwrap();
        let name = arguments.rsplit('"').nth(1).unwrap();
        emitted.insert(format!("{level} {name}"));
    }
    assert_eq!(table, emitted);
}
