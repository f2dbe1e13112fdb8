//! The vectors of the web flow, through the flow itself.
#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod broker;
mod browser;
mod consent;
mod expect;
mod options;
mod page;
mod replay;
mod setting;
mod store;

use serde_json::Value;

use self::replay::Replay;
use self::setting::{Mode, Surroundings, make_flow};

const WEB: &str = include_str!("../../vectors/web.json");
const CODES: &str = include_str!("../../vectors/web_codes.json");
const SESSIONS: &str = include_str!("../../vectors/web_sessions.json");

#[tokio::test]
async fn requests_are_answered_as_the_vectors_say() {
    replay_file(WEB, Mode::Stored, &[]).await;
}

#[tokio::test]
async fn logins_of_the_code_flow_are_answered_as_the_vectors_say() {
    replay_file(CODES, Mode::Stored, &[]).await;
}

#[tokio::test]
async fn sessions_begin_and_end_as_the_vectors_say() {
    replay_file(SESSIONS, Mode::Stored, &[]).await;
}

#[tokio::test]
async fn sealed_logins_are_answered_as_those_in_a_store() {
    replay_file(WEB, Mode::Sealed, &WITHOUT_STORE).await;
    replay_file(CODES, Mode::Sealed, &WITHOUT_STORE).await;
    replay_file(SESSIONS, Mode::Sealed, &[]).await;
}

#[tokio::test]
async fn sealed_logins_of_the_code_flow_need_no_store() {
    replay_file(CODES, Mode::SealedAlone, &WITHOUT_STORE).await;
}

/// Cases in which a store fails that sealed logins do not use: when they start, and in the code flow.
const WITHOUT_STORE: [&str; 5] = [
    "health-while-the-store-is-down",
    "problem-knows-the-typed-address-while-the-store-is-down",
    "problem-store-at-the-start-as-a-page",
    "problem-store-at-the-start-for-a-script",
    "store-down-at-the-callback-of-a-code",
];

/// Replays the cases of a file, except for some.
async fn replay_file(text: &str, mode: Mode, others: &[&str]) {
    let vectors: Value = serde_json::from_str(text).unwrap();
    let surroundings = Surroundings::new(&vectors, mode).await;
    let mut wrong = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if others.contains(&id) {
            continue;
        }
        if let Err(problem) = replay_case(&vectors, case, &surroundings).await {
            wrong.push(format!("{id}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

async fn replay_case(
    vectors: &Value,
    case: &Value,
    surroundings: &Surroundings,
) -> Result<(), String> {
    let made = make_flow(vectors, case, surroundings);
    let (flow, store) = match (made, case["expect"]["code"].as_str()) {
        (Ok(made), None) => made,
        (Err(error), Some(code)) if error.code().as_str() == code => return Ok(()),
        (Err(error), _) => return Err(format!("the flow is refused: {}", error.code().as_str())),
        (Ok(_), Some(code)) => return Err(format!("the flow is not refused with {code}")),
    };
    let mut replay = Replay::new(vectors, surroundings, flow, store);
    for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let taken = replay.take(step).await;
        taken.map_err(|problem| format!("step {number}: {problem}"))?;
    }
    Ok(())
}
