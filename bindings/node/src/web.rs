//! The web side of a login: the facts of a request in, a finished answer out.

use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either3, Uint8Array};
use napi_derive::napi;
use portier_client::web::{self, Body, WebRequest};
use portier_client::{Code, Error, FieldValue, Result};

use crate::call::{self, Cancellation, Outcome};
use crate::closable::{Closable, Closables};
use crate::completions::CompletionQueue;
use crate::failure::Failure;
use crate::login::Login;
use crate::session::{PackedSession, SessionOptions, packed};

/// The most bytes of a form.
#[napi]
#[expect(clippy::cast_possible_truncation, reason = "they are 64 KiB")]
pub const MAX_FORM_BYTES: u32 = web::MAX_FORM_BYTES as u32;

/// The names of the headers that a flow reads, in the order in which it gets them.
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
    /// Where a login leads by default.
    pub default_next: Option<String>,
    /// Other hosts that a login may lead to.
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
        let texts = self.texts.unwrap_or_default().into_iter();
        options.texts = texts
            .map(|(language, texts)| (language, texts.into_iter().collect()))
            .collect();
        options.callback_path = self.callback_path;
        options.session = self.session.map(SessionOptions::into_core).transpose()?;
        set(&mut options.login_url, self.login_url);
        set(&mut options.default_next, self.default_next);
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
pub(crate) type GivenBody = Option<Either3<Uint8Array, Vec<(String, Option<String>)>, String>>;

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
        let step = operation(self.opened()?);
        let operation = async move { Ok(Step::from(step.await)) };
        let cancellation = cancellation.as_deref();
        Ok(call::run(env, &self.completions, cancellation, operation))
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
        method: String,
        headers: Vec<Option<String>>,
        form_token_checked: bool,
        body: GivenBody,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(method, headers, body).with_checked_form_token(form_token_checked);
        self.run(env, cancellation, |flow| async move {
            flow.login(request).await
        })
    }

    /// Starts a login from a form of another shape.
    #[napi(catch_unwind)]
    pub fn start(
        &self,
        env: Env,
        method: String,
        headers: Vec<Option<String>>,
        email: String,
        next: String,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(method, headers, None);
        self.run(env, cancellation, |flow| async move {
            flow.start(request, &email, &next).await
        })
    }

    /// Answers a request to the redirect URI.
    #[napi(catch_unwind)]
    pub fn callback(
        &self,
        env: Env,
        method: String,
        headers: Vec<Option<String>>,
        query: Option<String>,
        body: GivenBody,
        cancellation: Option<ClassInstance<'_, Cancellation>>,
    ) -> napi::Result<Outcome<Step>> {
        let mut request = request(method, headers, body);
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

pub(crate) fn request(method: String, headers: Vec<Option<String>>, body: GivenBody) -> WebRequest {
    let body = match body {
        None => Body::Empty,
        Some(Either3::A(bytes)) => Body::Bytes(bytes.to_vec()),
        Some(Either3::B(fields)) => Body::Fields(fields.into_iter().map(field).collect()),
        Some(Either3::C(problem)) if problem == "too_large" => Body::TooLarge,
        Some(Either3::C(_)) => Body::Unreadable,
    };
    let mut request = WebRequest::new(method, body);
    for (name, value) in WebRequest::HEADERS.iter().zip(headers) {
        if let Some(value) = value {
            request.set_header(name, &value);
        }
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

/// What came of a request.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Step {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The policy of the body.
    pub policy: Option<String>,
    /// The body.
    pub body: String,
    /// A completed login.
    pub login: Option<Login>,
    /// The session that begins with it.
    pub session: Option<PackedSession>,
    /// Values of `Set-Cookie`, for when its person was signed in.
    pub login_cookies: Vec<String>,
    /// The problem that the body shows.
    pub problem: Option<Problem>,
    /// The question that the body asks.
    pub confirmation: Option<Confirmation>,
    /// Why there is no login.
    pub error: Option<Failure>,
}

impl From<web::Step> for Step {
    fn from(step: web::Step) -> Self {
        let (problem, confirmation) = match step.page {
            Some(web::Page::Problem(problem)) => (Some(problem.into()), None),
            Some(web::Page::Confirmation(question)) => (None, Some(question.into())),
            _ => (None, None),
        };
        Self {
            status: step.reply.status,
            headers: step.reply.headers,
            cookies: step.reply.cookies,
            policy: step.reply.policy,
            body: step.reply.body,
            login: step.login.map(Login::from),
            session: step.session.map(|session| packed(&session, None)),
            login_cookies: step.login_cookies,
            problem,
            confirmation,
            error: step.error.as_ref().map(Failure::from),
        }
    }
}

/// A failed login in words.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Problem {
    /// The stable name.
    pub id: &'static str,
    /// The status.
    pub status: u16,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// Seconds.
    pub retry_after: Option<u32>,
    /// The language of the words.
    pub language: String,
}

impl From<web::Problem> for Problem {
    fn from(problem: web::Problem) -> Self {
        Self {
            id: problem.id.as_str(),
            status: problem.status,
            title: problem.title,
            text: problem.text,
            retry_after: problem.retry_after,
            language: problem.language,
        }
    }
}

/// The question whether to sign in in this browser.
#[napi(object, object_from_js = false)]
pub struct Confirmation {
    /// The address to sign in as.
    pub email: String,
    /// Names and values of the hidden fields of the form that confirms.
    pub fields: Vec<(String, String)>,
    /// The language chosen for this browser.
    pub language: String,
}

impl From<web::Confirmation> for Confirmation {
    fn from(question: web::Confirmation) -> Self {
        Self {
            email: question.email,
            fields: question.fields,
            language: question.language,
        }
    }
}
