//! The development broker.

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;
use portier_client::testing::{
    self, BrokerCommand, DevBrokerOptions, Fault, KeyChoice, MintOptions, Mode, SignInOptions,
};
use portier_client::{Algorithm, Code, Error, Result};

use super::mock::ManualClock;
use crate::failure::{Failure, either};
use crate::options::duration;

/// The development broker of the core.
#[napi]
pub struct DevBroker {
    broker: testing::DevBroker,
}

/// Starts a broker. Durations are in milliseconds.
#[napi(catch_unwind)]
pub fn spawn_dev_broker(
    host: String,
    port: u16,
    origin: Option<String>,
    mode: String,
    keys_lifetime: f64,
    clock: Option<ClassInstance<'_, ManualClock>>,
) -> Either<DevBroker, Failure> {
    let spawn = || {
        let mut options = DevBrokerOptions {
            host: DevBrokerOptions::parse_host(&host)?,
            port,
            origin,
            mode: mode.parse()?,
            keys_lifetime: duration("keysLifetimeMs", keys_lifetime)?,
            ..DevBrokerOptions::default()
        };
        if let Some(clock) = &clock {
            options.clock = Some(clock.shared());
        }
        let broker = testing::DevBroker::spawn(options)?;
        Ok(DevBroker { broker })
    };
    either(spawn())
}

/// A mail of the broker.
#[napi(object, object_from_js = false)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The origin of the site.
    pub site: String,
    /// The code to type.
    pub code: String,
    /// The link to follow.
    pub link: String,
    /// In milliseconds since 1970.
    pub sent_at: f64,
}

/// How a command line of the broker has ended.
#[napi(object, object_from_js = false)]
pub struct BrokerOutcome {
    /// 0, 1 or 2.
    pub status: u8,
    /// For the standard output.
    pub output: String,
    /// For the standard error output.
    pub complaint: String,
}

/// Starts a broker by a command line.
#[napi(catch_unwind)]
pub fn run_broker_command(arguments: Vec<String>) -> Either<DevBroker, BrokerOutcome> {
    let arguments = arguments.into_iter().map(OsString::from);
    match testing::run_broker_command(arguments, |name| std::env::var(name).ok()) {
        BrokerCommand::Started(broker) => Either::A(DevBroker { broker }),
        BrokerCommand::Ended {
            status,
            output,
            complaint,
        } => Either::B(BrokerOutcome {
            status,
            output,
            complaint,
        }),
    }
}

#[napi]
impl DevBroker {
    /// Its origin.
    #[napi(getter, catch_unwind)]
    pub fn origin(&self) -> &str {
        self.broker.origin()
    }

    /// The port it listens on.
    #[napi(getter, catch_unwind)]
    pub fn port(&self) -> u16 {
        self.broker.port()
    }

    /// The text that a program prints when it starts the broker.
    #[napi(getter, catch_unwind)]
    pub fn banner(&self) -> String {
        self.broker.banner()
    }

    /// The time, in milliseconds since 1970.
    #[napi(getter, catch_unwind)]
    pub fn now(&self) -> f64 {
        milliseconds(self.broker.now())
    }

    /// Stops the time, now or at a time in milliseconds since 1970.
    #[napi(catch_unwind)]
    pub fn freeze_time(&self, at: Option<f64>) -> Either<(), Failure> {
        let at = at.map(unix_time).transpose();
        either(at.and_then(|at| self.broker.freeze_time(at)))
    }

    /// Moves the time forward, by milliseconds.
    #[napi(catch_unwind)]
    pub fn advance_time(&self, by: f64) -> Either<(), Failure> {
        either(duration("milliseconds", by).and_then(|by| self.broker.advance_time(by)))
    }

    /// Returns to the time of the system.
    #[napi(catch_unwind)]
    pub fn resume_time(&self) {
        self.broker.resume_time();
    }

    /// Changes how it responds to the logins of an address.
    #[napi(catch_unwind)]
    pub fn set_account(&self, pattern: String, mode: String) -> Either<(), Failure> {
        let mode = mode.parse::<Mode>();
        either(mode.and_then(|mode| self.broker.set_account(&pattern, mode)))
    }

    /// Changes how it responds to the next logins.
    #[napi(catch_unwind)]
    pub fn next_logins(&self, modes: Vec<String>) -> Either<(), Failure> {
        let modes: Result<Vec<Mode>> = modes.iter().map(|mode| mode.parse()).collect();
        either(modes.map(|modes| self.broker.next_logins(modes)))
    }

    /// Closes connections, or serves them.
    #[napi(catch_unwind)]
    pub fn set_reachable(&self, reachable: bool) {
        self.broker.set_reachable(reachable);
    }

    /// The mails, the newest one last.
    #[napi(catch_unwind)]
    pub fn inbox(&self) -> Vec<Mail> {
        let mails = self.broker.inbox().into_iter();
        mails
            .map(|mail| Mail {
                to: mail.to,
                site: mail.site,
                code: mail.code,
                link: mail.link,
                sent_at: milliseconds(mail.sent_at),
            })
            .collect()
    }

    /// Deletes all mails.
    #[napi(catch_unwind)]
    pub fn clear_inbox(&self) {
        self.broker.clear_inbox();
    }

    /// Undoes everything except the rotation of keys.
    #[napi(catch_unwind)]
    pub fn reset(&self) {
        self.broker.reset();
    }

    /// Changes how it responds to logins.
    #[napi(catch_unwind)]
    pub fn set_mode(&self, mode: String) -> Either<(), Failure> {
        either(mode.parse::<Mode>().map(|mode| self.broker.set_mode(mode)))
    }

    /// The number of requests, by path.
    #[napi(catch_unwind)]
    pub fn requests(&self) -> HashMap<String, i64> {
        let requests = self.broker.requests().into_iter();
        requests
            .map(|(path, count)| (path, i64::try_from(count).unwrap_or(i64::MAX)))
            .collect()
    }

    /// Makes the next requests for a path fail.
    #[napi(catch_unwind)]
    pub fn fail_next(
        &self,
        path: String,
        requests: u32,
        status: Option<u16>,
        delay: f64,
        headers: Vec<(String, String)>,
        body: Option<String>,
    ) -> Either<(), Failure> {
        either(duration("delayMs", delay).map(|delay| {
            let fault = Fault {
                delay,
                status,
                headers,
                body,
            };
            self.broker.fail_next(&path, requests, fault);
        }))
    }

    /// Makes requests for a path wait.
    #[napi(catch_unwind)]
    pub fn hold(&self, path: String) {
        self.broker.hold(&path);
    }

    /// Responds to the requests for a path that wait.
    #[napi(catch_unwind)]
    pub fn release(&self, path: String) {
        self.broker.release(&path);
    }

    /// Makes the next keys the current ones.
    #[napi(catch_unwind)]
    pub fn rotate_keys(&self) -> Either<(), Failure> {
        either(self.broker.rotate_keys())
    }

    /// Replaces all keys.
    #[napi(catch_unwind)]
    pub fn forget_keys(&self) -> Either<(), Failure> {
        either(self.broker.forget_keys())
    }

    /// The id of a key.
    #[napi(catch_unwind)]
    pub fn key_id(&self, key: String, algorithm: String) -> Either<String, Failure> {
        let key_id = || {
            let key = key_choice(&key)?;
            self.broker.key_id(key, algorithm.parse::<Algorithm>()?)
        };
        either(key_id())
    }

    /// Signs a token. The options are the text of a JSON object.
    #[napi(catch_unwind)]
    pub fn mint(&self, options: String) -> Either<String, Failure> {
        either(MintOptions::from_json(&options).and_then(|options| self.broker.mint(&options)))
    }

    /// What the browser brings back, as names and values.
    #[napi(catch_unwind)]
    pub fn sign_in(
        &self,
        url: String,
        mode: String,
        email: Option<String>,
    ) -> Either<Vec<(String, String)>, Failure> {
        let sign_in = || {
            let mode = mode.parse()?;
            let options = SignInOptions { mode, email };
            self.broker.sign_in_with(&url, &options)
        };
        either(sign_in().map(|(_, fields)| fields))
    }

    /// Measures in milliseconds how long verifying the signatures of the tokens takes, and nothing else.
    #[napi(catch_unwind)]
    pub fn time_signatures(&self, tokens: Vec<String>) -> Either<f64, Failure> {
        let took = self.broker.time_signatures(&tokens);
        either(took.map(|took| took.as_secs_f64() * 1000.0))
    }

    /// Stops the server.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.broker.stop();
    }
}

fn unix_time(milliseconds: f64) -> Result<SystemTime> {
    let time = UNIX_EPOCH.checked_add(duration("at", milliseconds)?);
    time.ok_or_else(|| Error::new(Code::InvalidOption, "the time is out of range"))
}

fn milliseconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1000.0
}

fn key_choice(name: &str) -> Result<KeyChoice> {
    serde_json::from_value(name.into())
        .map_err(|cause| Error::new(Code::InvalidOption, "no such key").with_source(cause))
}
