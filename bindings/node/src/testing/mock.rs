//! A client whose time, randomness and network a test controls.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use napi::bindgen_prelude::{ClassInstance, Either, Uint8Array};
use napi_derive::napi;
use portier_client::testing::{self, ManualRandom};
use portier_client::{Clock as _, Code, Error, Transport};

use crate::client::Client;
use crate::completions::CompletionQueue;
use crate::failure::{Failure, either};
use crate::options::{Options, duration};
use crate::store::Store;

/// A clock that changes only when a test changes it.
#[napi]
pub struct ManualClock {
    clock: Arc<testing::ManualClock>,
}

impl ManualClock {
    pub(super) fn shared(&self) -> Arc<testing::ManualClock> {
        Arc::clone(&self.clock)
    }
}

/// Creates a clock that shows a time in milliseconds since 1970.
#[napi(catch_unwind)]
pub fn create_manual_clock(now: f64) -> Either<ManualClock, Failure> {
    either(duration("now", now).map(|now| ManualClock {
        clock: Arc::new(testing::ManualClock::new(UNIX_EPOCH + now)),
    }))
}

#[napi]
impl ManualClock {
    /// The time, in milliseconds since 1970.
    #[napi(getter, catch_unwind)]
    pub fn now(&self) -> f64 {
        let since = self.clock.now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs_f64() * 1000.0
    }

    /// Moves it forward.
    #[napi(catch_unwind)]
    pub fn advance(&self, milliseconds: f64) -> Either<(), Failure> {
        either(duration("advance", milliseconds).map(|by| self.clock.advance(by)))
    }

    /// Sets it, in milliseconds since 1970.
    #[napi(catch_unwind)]
    pub fn set(&self, now: f64) -> Either<(), Failure> {
        either(duration("now", now).map(|now| self.clock.set(UNIX_EPOCH + now)))
    }
}

/// A network that responds from memory.
#[napi]
pub struct MockTransport {
    transport: Arc<testing::MockTransport>,
}

#[napi]
impl MockTransport {
    /// Creates a network without responses.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self {
            transport: Arc::new(testing::MockTransport::new()),
        }
    }

    /// Sets the response to requests for `url`.
    #[napi(catch_unwind)]
    pub fn respond(
        &self,
        url: String,
        body: Uint8Array,
        status: u16,
        headers: Vec<(String, String)>,
    ) -> Either<(), Failure> {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        either(
            self.transport
                .respond(&url, status, &headers, body.to_vec()),
        )
    }

    /// Fails requests for `url` as if the broker could not be reached.
    #[napi(catch_unwind)]
    pub fn fail(&self, url: String) {
        let error = Error::new(Code::BrokerUnreachable, "the test said so");
        self.transport.fail(&url, error);
    }

    /// The number of requests for `url`.
    #[napi(catch_unwind)]
    pub fn requests(&self, url: String) -> u32 {
        u32::try_from(self.transport.requests(&url)).unwrap_or(u32::MAX)
    }

    /// Makes requests wait.
    #[napi(catch_unwind)]
    pub fn hold(&self) {
        self.transport.hold();
    }

    /// Responds to the requests that wait.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        self.transport.release();
    }
}

/// Creates a client with the given time, randomness and network. Without a store it has its own.
#[napi(catch_unwind)]
pub fn create_mock_client(
    options: Options,
    store: Option<ClassInstance<'_, Store>>,
    clock: ClassInstance<'_, ManualClock>,
    random: Vec<Uint8Array>,
    transport: ClassInstance<'_, MockTransport>,
    completions: ClassInstance<'_, CompletionQueue>,
) -> Either<Client, Failure> {
    let random = ManualRandom::new(random.iter().map(|bytes| bytes.to_vec()));
    either(Client::build(options, &completions, |mut builder| {
        if let Some(store) = &store {
            builder = builder.store(store.shared());
        }
        builder
            .clock(clock.shared())
            .random(Arc::new(random))
            .transport(Arc::clone(&transport.transport) as Arc<dyn Transport>)
    }))
}
