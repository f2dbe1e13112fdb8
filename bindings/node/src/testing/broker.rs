//! The development broker.

use std::collections::HashMap;

use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;
use portier_client::testing::{self, DevBrokerOptions, Fault, KeyChoice, MintOptions, Mode};
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
            options.clock = clock.shared();
        }
        let broker = testing::DevBroker::spawn(options)?;
        Ok(DevBroker { broker })
    };
    either(spawn())
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
    pub fn sign_in(&self, url: String) -> Either<Vec<(String, String)>, Failure> {
        either(self.broker.sign_in(&url).map(|(_, fields)| fields))
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

fn key_choice(name: &str) -> Result<KeyChoice> {
    serde_json::from_value(name.into())
        .map_err(|cause| Error::new(Code::InvalidOption, "no such key").with_source(cause))
}
