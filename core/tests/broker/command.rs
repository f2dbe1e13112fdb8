//! The command line of the development broker.

use std::ffi::OsString;

use portier_client::testing::{BrokerCommand, DevBroker, run_broker_command};

use crate::site::Browser;

fn run(line: &str, environment: &[(&str, &str)]) -> BrokerCommand {
    let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    run_broker_command(arguments, |name| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn started(line: &str, environment: &[(&str, &str)]) -> DevBroker {
    match run(line, environment) {
        BrokerCommand::Started(broker) => Ok(broker),
        BrokerCommand::Ended { complaint, .. } => Err(complaint),
    }
    .unwrap()
}

fn ended(line: &str, environment: &[(&str, &str)]) -> (u8, String, String) {
    match run(line, environment) {
        BrokerCommand::Started(broker) => Err(broker),
        BrokerCommand::Ended {
            status,
            output,
            complaint,
        } => Ok((status, output, complaint)),
    }
    .unwrap()
}

/// The title of the page for an address, or the error that the broker responds with.
async fn response(broker: &DevBroker, email: &str) -> String {
    let url = format!(
        "{}/auth?client_id=http://localhost:8888&redirect_uri=http://localhost:8888/verify\
         &response_type=code&scope=openid+email&nonce=n&state=s&login_hint={email}",
        broker.origin()
    );
    let page = Browser::new().open(&url).await;
    if page.status == 303 {
        let location = page.header("location");
        let start = location.find('?').unwrap() + 1;
        let end = location[start..].find(['=', '&']).unwrap() + start;
        return location[start..end].to_owned();
    }
    let (_, after) = page.text.split_once("<h1>").unwrap();
    after.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn options_set_the_origin_and_the_mode() {
    let broker = started("--port 0 --origin http://localhost:1234", &[]);
    assert_eq!(broker.origin(), "http://localhost:1234");
    for (line, expected) in [
        ("--port=0", "Sign"),
        ("--port=0 --mail", "Check"),
        ("--port=0 --auto", "code"),
    ] {
        let broker = started(line, &[]);
        assert_eq!(response(&broker, "alice@example.com").await, expected);
    }
}

#[tokio::test]
async fn accounts_and_a_script_can_be_given() {
    let file = std::env::temp_dir().join(format!("portier-scenario-{}.json", std::process::id()));
    std::fs::write(&file, r#"{"accounts": {"bob@example.com": "refuse"}}"#).unwrap();
    let line = format!(
        "--port 0 --account *@example.org=accept --account=eve@example.com=error:x --scenario {}",
        file.display()
    );
    let broker = started(&line, &[]);
    std::fs::remove_file(&file).unwrap();
    for (email, expected) in [
        ("anna@example.org", "code"),
        ("eve@example.com", "error"),
        ("bob@example.com", "error"),
        ("carol@example.com", "Sign"),
    ] {
        assert_eq!(response(&broker, email).await, expected, "{email}");
    }
}

#[tokio::test]
async fn options_come_from_the_environment_as_well() {
    let environment = [
        ("PORTIER_DEV_BROKER_PORT", "0"),
        ("PORTIER_DEV_BROKER_ORIGIN", "http://localhost:1234"),
        ("PORTIER_DEV_BROKER_MAIL", "1"),
        (
            "PORTIER_DEV_BROKER_ACCOUNT",
            "bob@example.com=refuse, *@example.org=accept",
        ),
    ];
    let broker = started("", &environment);
    assert_eq!(broker.origin(), "http://localhost:1234");
    let broker = started("--origin http://localhost:5", &environment);
    assert_eq!(broker.origin(), "http://localhost:5");
    let without_origin = [environment[0], environment[2], environment[3]];
    let broker = started("", &without_origin);
    for (email, expected) in [
        ("bob@example.com", "error"),
        ("anna@example.org", "code"),
        ("alice@example.com", "Check"),
    ] {
        assert_eq!(response(&broker, email).await, expected, "{email}");
    }
    let broker = started("--account bob@example.com=accept", &without_origin);
    assert_eq!(response(&broker, "bob@example.com").await, "code");
    assert_eq!(response(&broker, "anna@example.org").await, "Check");
}

#[test]
fn a_wrong_command_line_ends_with_status_2_and_the_usage() {
    for (line, problem) in [
        ("--prot 1", "unknown argument --prot"),
        ("now", "unknown argument (not shown)"),
        ("--port x", "--port is not a number from 0 to 65535"),
        ("--port 65536", "--port is not a number from 0 to 65535"),
        ("--port", "--port needs a value"),
        ("--auto=1", "--auto takes no value"),
        ("--auto --mail", "--auto and --mail exclude each other"),
        ("--account bob@example.com", "--account is not ADDRESS=MODE"),
    ] {
        let (status, output, complaint) = ended(line, &[]);
        assert_eq!((status, output.as_str()), (2, ""), "{line}");
        assert!(
            complaint.starts_with(&format!("broker: {problem}\n\nusage: broker [OPTION]...\n")),
            "{complaint}"
        );
    }
    let variable = [("PORTIER_DEV_BROKER_AUTO", "perhaps")];
    assert_eq!(ended("--port 0", &variable).0, 2);
}

#[test]
fn a_broker_that_cannot_start_ends_with_status_1_and_one_line() {
    for line in [
        "--host localhost",
        "--host 192.0.2.1",
        "--origin localhost:3333",
        "--account bob=accept",
        "--account bob@example.com=sleep",
        "--scenario /no/such/file.json",
    ] {
        let (status, output, complaint) = ended(&format!("--port 0 {line}"), &[]);
        assert_eq!((status, output.as_str()), (1, ""), "{line}");
        assert!(complaint.starts_with("broker: "), "{complaint}");
        assert_eq!(complaint.matches('\n').count(), 1, "{complaint}");
    }
}

#[test]
fn the_help_names_every_option() {
    for line in ["--help", "-h", "--port x -h"] {
        let (status, output, complaint) = ended(line, &[]);
        assert_eq!((status, complaint.as_str()), (0, ""));
        let manual = include_str!("../../docs/testing.md");
        for name in [
            "port", "host", "origin", "auto", "mail", "account", "scenario", "help",
        ] {
            assert!(output.contains(&format!("  --{name} ")), "{name}");
            assert!(manual.contains(&format!("| `--{name}")), "{name}");
        }
        assert!(output.lines().all(|line| line.len() <= 80), "{output}");
    }
}
