//! The command line of the doctor.

use std::ffi::OsString;

use portier_client::doctor::{CommandOutcome, FindingId, run_command};
use serde_json::Value;

async fn run(line: &str, environment: &[(&str, &str)]) -> CommandOutcome {
    let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    let variable = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    run_command(
        arguments,
        variable,
        vec![("Test".to_owned(), "1.0".to_owned())],
        true,
    )
    .await
}

const SITE: &str = "--redirect-uri https://example.com/verify --offline --secret";

#[tokio::test]
async fn a_healthy_site_ends_with_status_0() {
    let outcome = run(SITE, &[]).await;
    assert_eq!(outcome.status, 0, "{}", outcome.output);
    assert!(
        outcome.output.contains("\u{1b}[32mok"),
        "{}",
        outcome.output
    );
    assert!(outcome.output.ends_with("healthy\n"));
    let plain = run(&format!("{SITE} --no-colour"), &[]).await;
    assert!(!plain.output.contains('\u{1b}'));
}

#[tokio::test]
async fn findings_end_with_status_1_and_say_what_to_do() {
    let outcome = run(&format!("{SITE} --store mysql://localhost"), &[]).await;
    assert_eq!(outcome.status, 1);
    let advice = FindingId::StoreInvalid.advice().unwrap();
    assert!(outcome.output.contains(advice), "{}", outcome.output);
    assert!(
        outcome.output.contains("1 error, 0 warnings"),
        "{}",
        outcome.output
    );
}

#[tokio::test]
async fn json_is_one_object() {
    let outcome = run(&format!("{SITE} --json --processes=3"), &[]).await;
    let report: Value = serde_json::from_str(&outcome.output).unwrap();
    assert_eq!(report["healthy"], true);
    assert_eq!(report["versions"]["Test"], "1.0");
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["id"] == "redirect_uri")
    );
    for finding in findings {
        assert!(
            finding["text"].as_str().unwrap().ends_with('.'),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn options_come_from_the_environment_as_well() {
    let environment = [
        ("PORTIER_REDIRECT_URI", "http://127.0.0.1:1/verify"),
        ("PORTIER_OFFLINE", "1"),
        ("PORTIER_JSON", "yes"),
        ("PORTIER_SECRET", "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u"),
    ];
    let outcome = run("", &environment).await;
    assert_eq!(outcome.status, 0, "{}", outcome.complaint);
    assert!(
        outcome.output.contains("redirect_uri.address"),
        "{}",
        outcome.output
    );
    // The command line wins.
    let outcome = run("--redirect-uri https://example.com/verify", &environment).await;
    assert!(
        !outcome.output.contains("redirect_uri.address"),
        "{}",
        outcome.output
    );
    assert!(!outcome.output.contains("WkT1vS7"));
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_status_2() {
    for line in [
        "",
        "--offline",
        "--redirect-uri",
        "--redirect-uri https://example.com --json=1",
        "--redirect-uri https://example.com --unknown",
        "--redirect-uri https://example.com swordfish",
        "--redirect-uri https://example.com --processes many",
    ] {
        let outcome = run(line, &[]).await;
        assert_eq!(outcome.status, 2, "{line}");
        assert!(outcome.output.is_empty());
        assert!(
            outcome.complaint.contains("usage: doctor"),
            "{}",
            outcome.complaint
        );
        assert!(
            !outcome.complaint.contains("swordfish"),
            "{}",
            outcome.complaint
        );
    }
    let outcome = run("", &[("PORTIER_OFFLINE", "perhaps")]).await;
    assert_eq!(outcome.status, 2);
    let help = run("--help", &[]).await;
    assert_eq!(
        (help.status, help.output.starts_with("usage: doctor")),
        (0, true)
    );
}
