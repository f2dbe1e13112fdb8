//! The web side of a login: the facts of a request in, a finished answer out.

use std::rc::Rc;

use futures_util::FutureExt as _;
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either3, Uint8ArraySlice};
use napi_derive::napi;
use portier_client::web::{self, Body, WebRequest};
use portier_client::{Code, Error, FieldValue, Result};

use crate::call::{self, Cancellation, Outcome};
use crate::closable::{Closable, Closables};
use crate::completions::CompletionQueue;
use crate::session::SessionOptions;
use crate::step::{self, Problem, Step};

/// The most bytes of a form.
#[napi]
#[expect(clippy::cast_possible_truncation, reason = "they are 64 KiB")]
pub const MAX_FORM_BYTES: u32 = web::MAX_FORM_BYTES as u32;

/// The names of the headers that a flow reads.
#[napi(catch_unwind)]
pub fn web_headers() -> Vec<&'static str> {
    WebRequest::HEADERS.to_vec()
}

/// The names of the form fields that a flow reads.
#[napi(catch_unwind)]
pub fn form_fields() -> Vec<&'static str> {
    WebRequest::FIELDS.to_vec()
}

/// The path of a request's target.
#[napi(catch_unwind)]
pub fn target_path(target: String) -> String {
    web::target_path(&target).to_owned()
}

/// The options of a flow; the package has checked their types. What is absent has the default of the
/// core.
#[napi(object, object_to_js = false)]
pub struct FlowOptions {
    /// `auto`, `implicit` or `code`.
    pub flow: Option<String>,
    /// `off`, `confirm` or `require`.
    pub browser_binding: Option<String>,
    /// The page with the login form.
    pub login_url: Option<String>,
    /// The redirect target when `next` is absent.
    pub default_next: Option<String>,
    /// Other hosts that `next` may name.
    pub allowed_hosts: Option<Vec<String>>,
    /// Origins to which the broker sends people on.
    pub identity_providers: Option<Vec<String>>,
    /// The path of the callback as the site sees it.
    pub callback_path: Option<String>,
    /// Whether the site checks a token in every login form.
    pub form_token_checked: Option<bool>,
    /// The languages of the pages.
    pub languages: Option<Vec<String>>,
    /// By language, the texts by their ids.
    pub texts: Option<Texts>,
    /// Sessions of the flow's own.
    pub session: Option<SessionOptions>,
}

/// Names, or languages, with what belongs to each.
type Texts = Vec<(String, Vec<(String, String)>)>;

impl FlowOptions {
    fn into_core(self) -> Result<web::FlowOptions> {
        let mut options = web::FlowOptions::default();
        options.flow = match self.flow.as_deref() {
            None | Some("auto") => None,
            Some(name) => Some(name.parse().map_err(|_| {
                let problem = "flow is none of auto, implicit, code";
                Error::new(Code::InvalidOption, problem)
            })?),
        };
        if let Some(binding) = self.browser_binding {
            options.browser_binding = binding.parse()?;
        }
        for (language, texts) in self.texts.unwrap_or_default() {
            options.texts.entry(language).or_default().extend(texts);
        }
        options.login_url = self.login_url;
        options.default_next = self.default_next;
        options.callback_path = self.callback_path;
        options.session = self.session.map(SessionOptions::into_core).transpose()?;
        set(&mut options.allowed_hosts, self.allowed_hosts);
        set(&mut options.identity_providers, self.identity_providers);
        set(&mut options.form_token_checked, self.form_token_checked);
        set(&mut options.languages, self.languages);
        Ok(options)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The flow of a client.
#[napi]
pub struct LoginFlow {
    flow: Rc<Closable<web::LoginFlow>>,
    completions: CompletionQueue,
}

/// A request's body: bytes, names with a text or something else, or what became of it.
pub(crate) type GivenBody<'a> =
    Option<Either3<Uint8ArraySlice<'a>, Vec<(String, Option<String>)>, String>>;

impl LoginFlow {
    pub(crate) fn make(
        client: portier_client::Client,
        options: FlowOptions,
        flows: &Closables<web::LoginFlow>,
        completions: &CompletionQueue,
    ) -> Result<Self> {
        let flow = web::LoginFlow::new(client, options.into_core()?)?;
        Ok(Self {
            flow: flows.add(flow),
            completions: completions.clone(),
        })
    }

    pub(crate) fn run<F>(
        &self,
        env: Env,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
        operation: impl FnOnce(web::LoginFlow) -> F,
    ) -> napi::Result<Outcome<Step>>
    where
        F: Future<Output = web::Step> + Send + 'static,
    {
        let step = operation(self.opened()?).map(|step| Ok(step::to_js(step)));
        let cancellation = cancellation.as_deref();
        Ok(call::run(env, &self.completions, cancellation, step))
    }

    pub(crate) fn opened(&self) -> napi::Result<web::LoginFlow> {
        let flow = self.flow.borrow().clone();
        flow.ok_or_else(|| napi::Error::from_reason("the client was closed"))
    }
}

#[napi]
impl LoginFlow {
    /// What does not depend on a request.
    #[napi(getter, catch_unwind)]
    pub fn facts(&self) -> napi::Result<Facts> {
        let flow = self.opened()?;
        Ok(Facts {
            callback_path: flow.callback_path().to_owned(),
            form_policy: flow.form_policy().to_owned(),
            form_targets: flow.form_targets().to_vec(),
            is_secure: flow.is_secure(),
        })
    }

    /// Takes the login form of the site.
    #[napi(catch_unwind)]
    pub fn login(
        &self,
        env: Env,
        head: String,
        form_token_checked: bool,
        body: GivenBody<'_>,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(&head, body).with_checked_form_token(form_token_checked);
        self.run(env, cancellation, |flow| async move {
            flow.login(request).await
        })
    }

    /// Starts a login from a form of another shape.
    #[napi(catch_unwind)]
    pub fn start(
        &self,
        env: Env,
        head: String,
        email: String,
        next: String,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(&head, None);
        self.run(env, cancellation, |flow| async move {
            flow.start(request, &email, &next).await
        })
    }

    /// Answers a request to the redirect URI.
    #[napi(catch_unwind)]
    pub fn callback(
        &self,
        env: Env,
        head: String,
        query: Option<String>,
        body: GivenBody<'_>,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let mut request = request(&head, body);
        if let Some(query) = query {
            request = request.with_query(query);
        }
        self.run(env, cancellation, |flow| async move {
            flow.callback(request).await
        })
    }

    /// The page, if a redirect may lead to it.
    #[napi(catch_unwind)]
    pub fn safe_next(&self, page: String) -> napi::Result<Option<String>> {
        Ok(self.opened()?.safe_next(&page))
    }

    /// Puts an error into words, by its code and what the broker said.
    #[napi(catch_unwind)]
    pub fn explain(
        &self,
        code: String,
        broker_error: Option<String>,
        accept_language: Option<String>,
    ) -> napi::Result<Problem> {
        let code = Code::from_text(&code).unwrap_or(Code::Internal);
        let flow = self.opened()?;
        Ok(flow
            .explain(code, broker_error.as_deref(), accept_language.as_deref())
            .into())
    }
}

/// Reads a request. Its head has a line with the method, and one for each header: the name in lower case, a
/// colon, and the value.
pub(crate) fn request(head: &str, body: GivenBody<'_>) -> WebRequest {
    let body = match body {
        None => Body::Empty,
        Some(Either3::A(bytes)) => Body::Bytes(bytes.to_vec()),
        Some(Either3::B(fields)) => Body::Fields(fields.into_iter().map(field).collect()),
        Some(Either3::C(problem)) if problem == "too_large" => Body::TooLarge,
        Some(Either3::C(_)) => Body::Unreadable,
    };
    let mut lines = head.split('\n');
    let mut request = WebRequest::new(lines.next().unwrap_or_default(), body);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request.set_header(name, value);
    }
    request
}

fn field((name, value): (String, Option<String>)) -> (String, FieldValue) {
    (name, value.map_or(FieldValue::NotText, FieldValue::Text))
}

/// What a flow knows without a request.
#[napi(object, object_from_js = false)]
pub struct Facts {
    /// The path at which the site answers the callback.
    pub callback_path: String,
    /// A policy for a page with a login form.
    pub form_policy: String,
    /// Where such a form may lead.
    pub form_targets: Vec<String>,
    /// Whether browsers reach the site over `https`.
    pub is_secure: bool,
}
