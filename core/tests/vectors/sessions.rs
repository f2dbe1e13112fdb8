//! Session cookies that another implementation has sealed.

use std::sync::Arc;
use std::time::Duration;

use portier_client::Client;
use portier_client::testing::{ManualClock, MockTransport};
use portier_client::web::{SessionCookie, SessionOptions};
use serde_json::{Value, json};

#[test]
fn session_cookies_are_read_as_the_vectors_say() {
    let text = include_str!("../../vectors/sealed_sessions.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let seconds = |name: &str| vectors[name].as_u64().unwrap();
    let client = Client::builder(vectors["redirect_uri"].as_str().unwrap())
        .transport(Arc::new(MockTransport::new()))
        .clock(Arc::new(ManualClock::at(seconds("now"))))
        .build()
        .unwrap();
    let secrets = vectors["secrets"].as_array().unwrap().iter();
    let secrets = secrets.map(|secret| secret.as_str().unwrap().as_bytes().to_vec());
    let mut options = SessionOptions::new(secrets.collect());
    options.max_age = Duration::from_secs(seconds("max_age"));
    options.absolute_max_age = Duration::from_secs(seconds("absolute_max_age"));
    let sessions = SessionCookie::new(client, &options).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let session = sessions.read(case["cookie"].as_str());
        let found = session.map(|session| {
            json!({
                "email": session.email,
                "id": session.id,
                "signed_in_at": session.signed_in_at,
                "expires_at": session.expires_at,
                "renews": sessions.renew(&session).unwrap().is_some(),
            })
        });
        assert_eq!(json!(found), case["expect"]["session"], "{}", case["id"]);
    }
}
