//! The command line of the doctor, the same in every language.

use std::ffi::OsString;
use std::path::PathBuf;

use super::options::DoctorOptions;
use super::{Report, examine};

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
  --secret             the site gives its client a secret, so it needs no store
  --login-page URL     the page with the login form, of a site that runs
  --ca-file FILE       certificate authorities to trust beside the system's
  --processes NUMBER   how many processes serve the site
  --danger-allow-http  allow a broker with plain http
  --offline            ask neither the broker nor the site
  --json               print one JSON object
  --no-colour          print no colours
  --help               print this text

Each option can also be an environment variable, such as PORTIER_REDIRECT_URI;
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

impl Parsed {
    /// `None` if only the usage was asked for.
    fn from(
        arguments: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let mut values = Values::of_environment(variable)?;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = text(argument)?;
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let name = match name {
                "-h" => "help",
                _ => name
                    .strip_prefix("--")
                    .filter(|name| is_known(name))
                    .ok_or_else(|| format!("unknown argument {}", shown(name)))?,
            };
            if FLAGS.contains(&name) {
                if given.is_some() {
                    return Err(format!("--{name} takes no value"));
                }
                values.flags.push(name.to_owned());
                continue;
            }
            let value = match given {
                Some(value) => value,
                None => text(
                    arguments
                        .next()
                        .ok_or_else(|| format!("--{name} needs a value"))?,
                )?,
            };
            values.set(name, value);
        }
        values.parsed()
    }
}

const FLAGS: [&str; 6] = [
    "json",
    "offline",
    "secret",
    "danger-allow-http",
    "no-colour",
    "help",
];
const NAMES: [&str; 6] = [
    "redirect-uri",
    "broker",
    "store",
    "login-page",
    "ca-file",
    "processes",
];

fn is_known(name: &str) -> bool {
    FLAGS.contains(&name) || NAMES.contains(&name)
}

/// The values of options and the flags, by name.
struct Values {
    values: Vec<(String, String)>,
    flags: Vec<String>,
}

impl Values {
    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let name_of =
            |name: &str| format!("PORTIER_{}", name.to_ascii_uppercase().replace('-', "_"));
        let set = |name: &&'static str| {
            let value = variable(&name_of(name)).filter(|value| !value.is_empty())?;
            Some((*name, value))
        };
        let mut flags = Vec::new();
        // A secret itself may be in this variable.
        for (name, value) in FLAGS.iter().filter(|name| **name != "help").filter_map(set) {
            match value.as_str() {
                "0" | "false" | "no" => {}
                _ if name == "secret" => flags.push(name.to_owned()),
                "1" | "true" | "yes" => flags.push(name.to_owned()),
                _ => return Err(format!("{} is neither 1 nor 0", name_of(name))),
            }
        }
        let values = NAMES.iter().filter_map(set);
        Ok(Self {
            values: values
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            flags,
        })
    }

    fn set(&mut self, name: &str, value: String) {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value));
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let found = self.values.iter().position(|(known, _)| known == name)?;
        Some(self.values.swap_remove(found).1)
    }

    fn parsed(mut self) -> Result<Option<Parsed>, String> {
        let flags = std::mem::take(&mut self.flags);
        let has = |name: &str| flags.iter().any(|flag| flag == name);
        if has("help") {
            return Ok(None);
        }
        let redirect_uri = self
            .take("redirect-uri")
            .ok_or("--redirect-uri is missing")?;
        let processes = self.take("processes").map(|text| text.parse()).transpose();
        let options = DoctorOptions {
            broker: self.take("broker"),
            store: self.take("store"),
            has_secret: has("secret"),
            login_page: self.take("login-page"),
            ca_file: self.take("ca-file").map(PathBuf::from),
            danger_allow_http: has("danger-allow-http"),
            processes: processes.map_err(|_| "--processes is not a number")?,
            offline: has("offline"),
            ..DoctorOptions::new(redirect_uri)
        };
        Ok(Some(Parsed {
            options,
            json: has("json"),
            no_colour: has("no-colour"),
        }))
    }
}

fn text(argument: OsString) -> Result<String, String> {
    argument
        .into_string()
        .map_err(|_| "an argument is not UTF-8".to_owned())
}

/// An argument for a message: it may have been a secret that was passed by mistake.
fn shown(name: &str) -> &str {
    if name.starts_with("--") && name.len() < 32 {
        name
    } else {
        "(not shown)"
    }
}
