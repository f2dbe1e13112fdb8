//! The command lines that are the same in every language.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portier_client::doctor::run_command;
use portier_client::testing::{Authority, DevBroker, DevBrokerOptions, Fault, FaultServer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    arguments: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Variables of the process, which a test must not change.
    #[serde(default)]
    process: BTreeMap<String, String>,
    failing: Option<String>,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    status: u8,
    findings: Vec<String>,
    says: Option<String>,
}

#[tokio::test]
async fn a_command_line_has_the_same_findings_in_every_language() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../vectors/doctor.json")).unwrap();
    let folder = folder();
    let certificate = Authority::new().unwrap().certificate("127.0.0.1").unwrap();
    let secure = FaultServer::start_tls(&certificate).await.unwrap();
    let mut played = 0;
    for case in vectors.cases.iter().filter(|case| case.process.is_empty()) {
        let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
        if let Some(path) = &case.failing {
            let missing = Fault {
                status: Some(404),
                ..Fault::default()
            };
            broker.fail_next(path, 50, missing);
        }
        let folder = folder.display().to_string();
        let filled = |text: &String| {
            text.replace("{broker}", broker.origin())
                .replace("{address}", address(broker.origin()))
                .replace("{secure}", address(secure.origin()))
                .replace("{folder}", &folder)
        };
        let variable = |name: &str| case.environment.get(name).map(filled);
        let run = async |json: &[&str]| {
            let arguments = case.arguments.iter().map(filled);
            let json = json.iter().map(ToString::to_string);
            let arguments = arguments.chain(json).map(Into::into);
            run_command(arguments, variable, Vec::new(), false).await
        };
        let outcome = run(&[]).await;
        let text = outcome.output + &outcome.complaint;
        let is_slow = text.contains(".slow:");
        assert!(
            outcome.status == case.expect.status || is_slow,
            "{}: {text}",
            case.id
        );
        let says = case.expect.says.as_deref().unwrap_or_default();
        assert!(text.contains(says), "{}: {text}", case.id);
        assert!(!text.contains("swordfish"), "{}: {text}", case.id);
        if case.expect.status < 2 {
            let json = run(&["--json"]).await.output;
            assert!(!json.contains("swordfish"), "{}: {json}", case.id);
            assert_eq!(found(&json), case.expect.findings, "{}: {json}", case.id);
        }
        played += 1;
    }
    assert!(played > 30);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The host and port of an origin.
fn address(origin: &str) -> &str {
    origin.split_once("://").unwrap().1
}

fn folder() -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("portier-doctor-vectors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(folder.join("other.txt"), "This is no store.").unwrap();
    folder
}

#[derive(Deserialize)]
struct Reported {
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    level: String,
}

/// The ids of the findings that are more than good, sorted.
fn found(json: &str) -> Vec<String> {
    // A busy machine may be slow.
    const SLOW: [&str; 3] = ["broker.slow", "network.slow", "store.slow"];
    let report: Reported = serde_json::from_str(json).unwrap();
    let findings = report.findings.into_iter();
    let mut ids: Vec<_> = findings
        .filter(|finding| finding.level != "ok" && !SLOW.contains(&finding.id.as_str()))
        .map(|finding| finding.id)
        .collect();
    ids.sort();
    ids
}
