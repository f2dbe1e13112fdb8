//! The command line of the development broker, the same in every language.

use std::ffi::OsString;

use super::{DevBroker, DevBrokerOptions, Mode, Scenario};
use crate::command_line::{Grammar, Values};
use crate::error::{Code, Error};

/// What a command line of the broker has led to.
#[derive(Debug)]
pub enum BrokerCommand {
    /// The broker runs. The program prints its banner, and stops it at a signal.
    Started(DevBroker),
    /// The program ends.
    Ended {
        /// The exit status: 0 for the help, 1 if the broker cannot be started, 2 for a wrong command line.
        status: u8,
        /// For the standard output.
        output: String,
        /// For the standard error output.
        complaint: String,
    },
}

const USAGE: &str = "\
usage: broker [OPTION]...

Runs a broker on this machine, for development only: anyone can sign in as
anyone.

  --port PORT             the port to listen on; 0 chooses a free one (3333)
  --host HOST             the IP address to listen on (127.0.0.1); if it is not
                          a loopback address, other machines can sign in as
                          anyone
  --origin ORIGIN         the origin under which browsers and sites reach the
                          broker (http://HOST:PORT)
  --auto                  sign in at once, without a page
  --mail                  wait for the code or the link of the mail in the inbox
  --account ADDRESS=MODE  how to respond to an address, in which * stands for
                          any text; may be repeated
  --scenario FILE         a JSON file with accounts, the next logins and faults
  --help                  print this text

A mode is one of page, mail, accept, refuse, expired, error:CODE, as:ADDRESS.
Each option can also be an environment variable, such as
PORTIER_DEV_BROKER_PORT; PORTIER_DEV_BROKER_AUTO=1 turns an option without a
value on, and commas separate accounts. The mails are on the page /inbox, and
for scripts in /inbox.json.
";

const GRAMMAR: Grammar = Grammar {
    prefix: "PORTIER_DEV_BROKER_",
    flags: &["auto", "mail"],
    present: &[],
    options: &["port", "host", "origin", "scenario"],
    lists: &["account"],
};

const PORT: u16 = 3333;

/// Starts a broker by a command line, without the name of the program. `variable` reads the environment.
pub fn run_broker_command(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<String>,
) -> BrokerCommand {
    let values = match GRAMMAR.parse(arguments, variable) {
        Ok(values) if values.has("help") => return BrokerCommand::ended(0, USAGE, ""),
        Ok(values) => values,
        Err(problem) => return BrokerCommand::wrong(&problem),
    };
    let (options, scenario) = match read(values) {
        Ok(read) => read,
        Err(Problem::Usage(problem)) => return BrokerCommand::wrong(&problem),
        Err(Problem::Refused(error)) => return BrokerCommand::refused(&error),
    };
    let started = DevBroker::spawn(options).and_then(|broker| {
        broker.apply(scenario)?;
        Ok(broker)
    });
    match started {
        Ok(broker) => BrokerCommand::Started(broker),
        Err(error) => BrokerCommand::refused(&error),
    }
}

impl BrokerCommand {
    fn wrong(problem: &str) -> Self {
        Self::ended(2, "", &format!("broker: {problem}\n\n{USAGE}"))
    }

    fn refused(error: &Error) -> Self {
        Self::ended(1, "", &format!("broker: {error}\n"))
    }

    fn ended(status: u8, output: &str, complaint: &str) -> Self {
        Self::Ended {
            status,
            output: output.to_owned(),
            complaint: complaint.to_owned(),
        }
    }
}

/// Why a command line cannot be followed.
enum Problem {
    /// The usage explains it.
    Usage(String),
    Refused(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

fn read(mut values: Values) -> Result<(DevBrokerOptions, Scenario), Problem> {
    let usage = |problem: &str| Problem::Usage(problem.to_owned());
    let defaults = DevBrokerOptions::default();
    let port = values.take("port").map_or(Ok(PORT), |text| text.parse());
    let options = DevBrokerOptions {
        port: port.map_err(|_| usage("--port is not a number from 0 to 65535"))?,
        host: match values.take("host") {
            Some(host) => DevBrokerOptions::parse_host(&host)?,
            None => defaults.host,
        },
        origin: values.take("origin"),
        mode: match (values.has("auto"), values.has("mail")) {
            (true, true) => return Err(usage("--auto and --mail exclude each other")),
            (true, false) => Mode::Accept,
            (false, true) => Mode::Mail,
            (false, false) => Mode::Page,
        },
        prints_mails: true,
        ..defaults
    };
    let mut scenario = match values.take("scenario") {
        Some(file) => scenario(&file)?,
        None => Scenario::default(),
    };
    while let Some(account) = values.take("account") {
        let (pattern, mode) = account
            .split_once('=')
            .ok_or_else(|| usage("--account is not ADDRESS=MODE"))?;
        scenario.accounts.insert(pattern.to_owned(), mode.parse()?);
    }
    Ok((options, scenario))
}

fn scenario(file: &str) -> Result<Scenario, Error> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        let problem = format_args!("the scenario cannot be read: {cause}");
        Error::new(Code::InvalidOption, problem)
    })?;
    Scenario::from_json(&text)
}
