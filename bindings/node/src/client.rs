//! The client and its operations. Each operation owns a clone of the core's client, which is one `Arc`:
//! `&self` belongs to JavaScript and is valid only during the call.

use std::cell::RefCell;

use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either, ToNapiValue};
use napi_derive::napi;
use portier_client::{AuthenticateOptions, CallbackParams, Code, CompleteOptions, web};

use crate::call::{self, Cancellation, Outcome};
use crate::closable::Closables;
use crate::completions::CompletionQueue;
use crate::failure::{self, Failure};
use crate::login::{self, Login};
use crate::options::Options;
use crate::session::{SessionCookie, SessionOptions};
use crate::stats::Stats;
use crate::store::Store;
use crate::web::{FlowOptions, LoginFlow};

/// A client of the core.
#[napi]
pub struct Client {
    /// `None` after [`Client::close`]. It is borrowed only while no other code can run.
    opened: RefCell<Option<portier_client::Client>>,
    flows: Closables<web::LoginFlow>,
    session_cookies: Closables<web::SessionCookie>,
    completions: CompletionQueue,
}

/// Creates a client. `store` keeps its pending logins; the package makes one if the site has chosen none. `completions` gets the outcomes of calls that wait.
#[napi(catch_unwind)]
pub fn create_client(
    options: Options,
    store: ClassInstance<'_, Store>,
    completions: ClassInstance<'_, CompletionQueue>,
) -> Either<Client, Failure> {
    let is_chosen = options.has_store;
    failure::either(Client::build(options, &completions, |builder| {
        if is_chosen {
            builder.store(store.shared())
        } else {
            builder.default_store(store.shared())
        }
    }))
}

impl Client {
    pub(crate) fn build(
        options: Options,
        completions: &CompletionQueue,
        change: impl FnOnce(portier_client::Builder) -> portier_client::Builder,
    ) -> portier_client::Result<Self> {
        let client = change(options.into_builder()?).build()?;
        Ok(Self {
            opened: RefCell::new(Some(client)),
            flows: Closables::default(),
            session_cookies: Closables::default(),
            completions: completions.clone(),
        })
    }

    fn run<T, F>(
        &self,
        env: Env,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
        operation: impl FnOnce(portier_client::Client) -> F,
    ) -> napi::Result<Outcome<T>>
    where
        T: ToNapiValue + Send + 'static,
        F: Future<Output = portier_client::Result<T>> + Send + 'static,
    {
        let operation = operation(self.opened()?);
        let cancellation = cancellation.as_deref();
        Ok(call::run(env, &self.completions, cancellation, operation))
    }

    pub(crate) fn opened(&self) -> napi::Result<portier_client::Client> {
        let client = self.opened.borrow().clone();
        client.ok_or_else(|| napi::Error::from_reason("the client was closed"))
    }
}

#[napi]
impl Client {
    /// The redirect URI, as the broker gets it.
    #[napi(getter, catch_unwind)]
    pub fn redirect_uri(&self) -> napi::Result<String> {
        Ok(self.opened()?.redirect_uri().to_owned())
    }

    /// The origin of the redirect URI.
    #[napi(getter, catch_unwind)]
    pub fn client_id(&self) -> napi::Result<String> {
        Ok(self.opened()?.client_id().to_owned())
    }

    /// The broker's origin.
    #[napi(getter, catch_unwind)]
    pub fn broker(&self) -> napi::Result<String> {
        Ok(self.opened()?.broker().to_owned())
    }

    /// Whether pending logins are in the memory of this process.
    #[napi(getter, catch_unwind)]
    pub fn has_local_store(&self) -> napi::Result<bool> {
        Ok(self.opened()?.has_local_store())
    }

    /// Starts a login, and returns the URL to redirect to.
    #[napi(catch_unwind)]
    pub fn authenticate(
        &self,
        env: Env,
        email: Option<String>,
        state: Option<String>,
        session: Option<String>,
        browser: Option<String>,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<String>> {
        let mut options = AuthenticateOptions::default();
        options.email = email;
        options.state = state;
        options.session = session;
        options.browser = browser;
        self.run(env, cancellation, |client| async move {
            client.authenticate_with(options).await
        })
    }

    /// Completes a login, and returns the verified address.
    #[napi(catch_unwind)]
    pub fn verify(
        &self,
        env: Env,
        id_token: String,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<String>> {
        self.run(env, cancellation, |client| async move {
            client.verify(&id_token).await
        })
    }

    /// Completes a login with the names and values of a callback.
    #[napi(catch_unwind)]
    pub fn complete(
        &self,
        env: Env,
        params: Vec<(String, String)>,
        browser: Option<String>,
        confirmation: Option<String>,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Login>> {
        self.run(env, cancellation, |client| async move {
            let params = CallbackParams::from_pairs(params)?;
            let mut options = CompleteOptions::default();
            options.browser = browser.as_deref();
            options.confirmation = confirmation.as_deref();
            let login = client.complete_with(params, options).await?;
            Ok(login::to_js(login))
        })
    }

    /// Returns the text of the discovery document.
    #[napi(catch_unwind)]
    pub fn discover(
        &self,
        env: Env,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<String>> {
        self.run(env, cancellation, |client| async move {
            client.discover().await
        })
    }

    /// Returns the usable keys.
    #[napi(catch_unwind)]
    pub fn keys(
        &self,
        env: Env,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Vec<Key>>> {
        self.run(env, cancellation, |client| async move {
            Ok(client.keys().await?.into_iter().map(Key::from).collect())
        })
    }

    /// Fetches the documents.
    #[napi(catch_unwind)]
    pub fn warm(
        &self,
        env: Env,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<()>> {
        self.run(
            env,
            cancellation,
            |client| async move { client.warm().await },
        )
    }

    /// Creates the web side of logins with this client.
    #[napi(catch_unwind)]
    pub fn login_flow(&self, options: FlowOptions) -> napi::Result<Either<LoginFlow, Failure>> {
        let flow = LoginFlow::make(self.opened()?, options, &self.flows, &self.completions);
        Ok(failure::either(flow))
    }

    /// Creates a session cookie of this site.
    #[napi(catch_unwind)]
    pub fn session_cookie(
        &self,
        options: SessionOptions,
    ) -> napi::Result<Either<SessionCookie, Failure>> {
        let client = self.opened()?;
        let options = options.into_core();
        let made = options.and_then(|options| web::SessionCookie::new(client, &options));
        let cookie = made.map(|cookie| SessionCookie::new(self.session_cookies.add(cookie)));
        Ok(failure::either(cookie))
    }

    /// Returns the counters.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> napi::Result<Stats> {
        Ok(self.opened()?.stats().into())
    }

    /// Takes the requests to the broker that have ended, as the text of a JSON array.
    #[napi(catch_unwind)]
    pub fn take_requests(&self) -> napi::Result<String> {
        serde_json::to_string(&self.opened()?.take_requests())
            .map_err(|cause| napi::Error::from_reason(cause.to_string()))
    }

    /// Returns the health, as the text of a JSON object.
    #[napi(catch_unwind)]
    pub fn health(&self, env: Env) -> napi::Result<Outcome<String>> {
        self.run(env, None, |client| async move {
            serde_json::to_string(&client.health())
                .map_err(|cause| portier_client::Error::new(Code::Internal, cause))
        })
    }

    /// Drops documents and connections, without waiting for JavaScript's garbage collector. Calls in
    /// progress keep them until they end.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.flows.close();
        self.session_cookies.close();
        drop(self.opened.take());
    }
}

/// A usable key of the broker.
#[napi(object, object_from_js = false)]
pub struct Key {
    /// The key id.
    pub id: String,
    /// `RS256` or `EdDSA`.
    pub algorithm: &'static str,
    /// The size.
    pub bits: u32,
}

impl From<portier_client::KeyInfo> for Key {
    fn from(key: portier_client::KeyInfo) -> Self {
        Self {
            id: key.id,
            algorithm: key.algorithm.as_str(),
            bits: key.bits,
        }
    }
}
