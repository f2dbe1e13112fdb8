//! The command line of the doctor, the same in every language.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::options::DoctorOptions;
use super::{Report, examine};
use crate::command_line::{Grammar, is_switch};

/// What a run of the command has printed, and its exit status.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CommandOutcome {
    /// 0 if the site is healthy, 1 with findings, 2 for a wrong command line.
    pub status: u8,
    /// For the standard output.
    pub output: String,
    /// For the standard error output.
    pub complaint: String,
}

const USAGE: &str = "\
usage: doctor [--json] [--offline] --redirect-uri URI [OPTION]...

Finds out why logins fail. Sends no mail.

  --redirect-uri URI   the redirect URI of the site
  --broker ORIGIN      the broker (https://broker.portier.io)
  --store URL          the store of the site, such as redis://localhost
  --secret             the site gives its client a secret, so it needs no store;
                       the variable PORTIER_SECRET may contain it, to check it
  --login-page URL     the page with the login form, of a site that runs
  --ca-file FILE       certificate authorities to trust beside the system's
  --processes NUMBER   how many processes serve the site
  --danger-allow-http  allow a broker with plain http
  --offline            ask neither the broker nor the site
  --json               print one JSON object
  --no-colour          print no colours
  --help               print this text

Each option can also be an environment variable, such as PORTIER_REDIRECT_URI.
PORTIER_OFFLINE=1 turns an option without a value on.
The exit status is 0 if all is well, 1 with findings, and 2 for wrong usage.
";

/// Runs the command with its arguments, without the name of the program. `variable` reads the environment, and
/// `colours` says whether the output is a terminal.
pub async fn run_command(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<String>,
    versions: Vec<(String, String)>,
    colours: bool,
) -> CommandOutcome {
    let parsed = match Parsed::from(arguments, variable) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return printed(0, USAGE.to_owned()),
        Err(problem) => {
            return CommandOutcome {
                status: 2,
                output: String::new(),
                complaint: format!("doctor: {problem}\n\n{USAGE}"),
            };
        }
    };
    let mut options = parsed.options;
    options.versions = versions;
    let report = examine(options).await;
    printed(
        u8::from(!report.is_healthy()),
        render(&report, parsed.json, colours && !parsed.no_colour),
    )
}

/// Runs the command without a runtime of the caller, for programs in other languages. It blocks.
pub fn run_command_blocking(
    arguments: Vec<OsString>,
    reads_environment: bool,
    versions: Vec<(String, String)>,
    colours: bool,
) -> CommandOutcome {
    let variable = |name: &str| std::env::var(name).ok().filter(|_| reads_environment);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run_command(arguments, variable, versions, colours)),
        Err(cause) => CommandOutcome {
            status: 2,
            output: String::new(),
            complaint: format!("doctor: this process cannot start a runtime: {cause}\n"),
        },
    }
}

fn render(report: &Report, json: bool, colours: bool) -> String {
    if json {
        format!("{}\n", report.to_json())
    } else {
        report.to_text(colours)
    }
}

fn printed(status: u8, output: String) -> CommandOutcome {
    CommandOutcome {
        status,
        output,
        complaint: String::new(),
    }
}

/// A command line that was understood.
struct Parsed {
    options: DoctorOptions,
    json: bool,
    no_colour: bool,
}

const GRAMMAR: Grammar = Grammar {
    prefix: "PORTIER_",
    flags: &[
        "json",
        "offline",
        "secret",
        "danger-allow-http",
        "no-colour",
    ],
    // A secret itself may be in this variable.
    present: &["secret"],
    options: &[
        "redirect-uri",
        "broker",
        "store",
        "login-page",
        "ca-file",
        "processes",
    ],
    lists: &[],
};

impl Parsed {
    /// `None` if only the usage was asked for.
    fn from(
        arguments: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let mut values = GRAMMAR.parse(arguments, &variable)?;
        if values.has("help") {
            return Ok(None);
        }
        let redirect_uri = values
            .take("redirect-uri")
            .ok_or("--redirect-uri is missing")?;
        let processes = values
            .take("processes")
            .map(|text| text.parse::<NonZeroU32>());
        let options = DoctorOptions {
            broker: values.take("broker"),
            store: values.take("store"),
            has_secret: values.has("secret"),
            secret: variable("PORTIER_SECRET").filter(|value| !is_switch(value)),
            login_page: values.take("login-page"),
            ca_file: values.take("ca-file").map(PathBuf::from),
            danger_allow_http: values.has("danger-allow-http"),
            processes: processes
                .transpose()
                .map_err(|_| "--processes is not a number of 1 or more")?
                .map(NonZeroU32::get),
            offline: values.has("offline"),
            ..DoctorOptions::new(redirect_uri)
        };
        Ok(Some(Self {
            options,
            json: values.has("json"),
            no_colour: values.has("no-colour"),
        }))
    }
}
