//! How often the doctor waits: a healthy site is examined in two rounds of requests, so that it takes no longer than
//! the slowest of each.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use portier_client::doctor::examine;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::stub::{AUTH, Answer, Answers, DISCOVERY, KEYS, answer, healthy};
use crate::{found_in, site};

/// The requests of each round. Nothing of a round is answered before all of it was asked.
const ROUNDS: [&[&str]; 2] = [&[DISCOVERY, "/login", "/verify"], &[KEYS, "/ver.txt", AUTH]];

struct Server {
    answers: Answers,
    barriers: [Barrier; 2],
    asked: Mutex<Vec<String>>,
}

#[tokio::test]
async fn a_healthy_site_is_examined_in_two_rounds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut answers = healthy(&origin);
    let form = r#"<form method="post"><input name="email"></form>"#;
    let problem = Answer::new(400, "{}").with("content-type", "application/problem+json");
    answers.extend([("/login", Answer::new(200, form)), ("/verify", problem)]);
    let server = Arc::new(Server {
        answers,
        barriers: ROUNDS.map(|round| Barrier::new(round.len())),
        asked: Mutex::default(),
    });
    let app = Router::new().fallback(respond).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut options = site(&origin);
    options.redirect_uri = format!("{origin}/verify");
    options.login_page = Some(format!("{origin}/login"));
    options.has_secret = true;
    let report = examine(options).await;

    // A request that was never asked, or too late, lets the others of its round fail.
    let mut found = found_in(&report);
    // A busy machine may be slow.
    found.retain(|id| !["broker.slow", "network.slow"].contains(id));
    let expected = ["redirect_uri.address"].into();
    assert_eq!(found, expected, "{}", report.to_text(false));
    let mut asked = server.asked.lock().unwrap().clone();
    asked.sort();
    let mut expected = ROUNDS.concat();
    expected.sort_unstable();
    assert_eq!(asked, expected);
}

async fn respond(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    let path = request.uri().path();
    server.asked.lock().unwrap().push(path.to_owned());
    for (round, barrier) in ROUNDS.iter().zip(&server.barriers) {
        if round.contains(&path) {
            barrier.wait().await;
        }
    }
    answer(&server.answers, path)
}
