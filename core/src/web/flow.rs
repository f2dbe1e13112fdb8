//! The login flow: from a request to its answer.

mod completion;
mod health;
mod sessions;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::callback::Callback;
use super::cookies::Cookies;
use super::form::Form;
use super::options::{BrowserBinding, CheckedOptions, FlowOptions};
use super::pages;
use super::problem::{Problem, ProblemId};
use super::reply::{Page, Reply, Step};
use super::request::{Head, Header, WebRequest, target_path};
use super::texts::Language;
use super::{same_site, script};
use crate::client::Client;
use crate::config::{Flow, ResponseMode};
use crate::error::{Code, Error, Result};
use crate::next::safe_next_on;
use crate::session::{AuthenticateOptions, WantedFlow};

/// Random bytes of a browser's secret.
const SECRET_BYTES: usize = 32;
/// Its length as URL-safe base64.
const SECRET_CHARACTERS: usize = 43;

/// The web side of a login, for all requests of a site.
///
/// Cloning is cheap; clones share all state.
#[derive(Clone)]
pub struct LoginFlow {
    client: Client,
    options: Arc<CheckedOptions>,
    cookies: Arc<Cookies>,
}

impl LoginFlow {
    /// Checks the options and makes a flow.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for an option that cannot work.
    pub fn new(client: Client, options: FlowOptions) -> Result<Self> {
        let client = match &options.session {
            Some(session) => client.sealed_by_default(&session.secrets)?,
            None => client,
        };
        let options = Arc::new(options.check(&client)?);
        let cookies = Arc::new(Cookies::for_site(is_https(&client)));
        Ok(Self {
            client,
            options,
            cookies,
        })
    }

    /// Starts a login from the site's form with the field `email` and, optionally, `next`, the page to
    /// redirect to afterwards. Redirects the browser to the broker.
    ///
    /// Forms of other sites are refused; otherwise any site could send mails in this site's name.
    pub async fn login(&self, request: WebRequest) -> Step {
        let WebRequest { mut head, body } = request;
        head.form_token_checked |= self.options.form_token_checked;
        let site = self.client.client_id();
        let form = match same_site::check(&head, site).and_then(|()| Form::read(&head, body)) {
            Ok(form) => form,
            Err(error) => return self.refuse_request("authenticate", &head, error),
        };
        let next = form.text("next").unwrap_or_default();
        let Some(email) = form.text("email") else {
            let error = Error::new(
                Code::InvalidEmail,
                "the form has no field email with one UTF-8 text in it",
            );
            let step = self.refuse_request("authenticate", &head, error);
            return self.with_form(step, None, next);
        };
        same_site::warn_of_another_host(&head, site);
        self.start_login(&head, email, next).await
    }

    /// Starts a login for a site whose form has other fields. The site reads the form and checks its
    /// origin. A `next` on another site is ignored.
    pub async fn start(&self, request: WebRequest, email: &str, next: &str) -> Step {
        self.start_login(&request.head, email, next).await
    }

    /// Answers a request to the redirect URI, whatever its method. The broker's answer is the form of a
    /// `POST` or, in the code flow, the query of a `GET`. Nothing else completes a login: no other method, no
    /// token in a query, and no request of a browser that prefetches a page.
    pub async fn callback(&self, request: WebRequest) -> Step {
        // The request stays where it is: a copy of its head would enlarge what waits for the completion.
        let head = &request.head;
        let binding = self.options.browser_binding;
        let read = match head.method.as_str() {
            "POST" => Form::read(head, request.body).and_then(|form| Callback::new(form, binding)),
            "GET" if self.takes_queries() => {
                let form = Form::read_query(head.query.as_deref().unwrap_or_default());
                match form.and_then(Callback::of_query) {
                    Ok(None) => return self.visit(head),
                    Ok(Some(_)) if head.is_prefetch() => return Reply::not_in_advance().into(),
                    Ok(Some(callback)) => Ok(callback),
                    Err(error) => Err(error),
                }
            }
            _ => return self.visit(head),
        };
        let callback = match &read {
            Ok(callback) => callback,
            Err(error) => return self.refuse_request("complete", head, error.clone()),
        };
        let mut step = self.complete(head, callback).await;
        if step.login.is_some() {
            let (flow, head) = (self.clone(), request.head);
            step.refusal = Some(Box::new(move |code| {
                let error = Error::new(code, "the site refused the login");
                flow.refuse_request("complete", &head, error)
            }));
        }
        step
    }

    /// Answers a login form that the framework or the site has refused, with the page for `error`, for
    /// example [`Code::RequestCookies`] if a CSRF protection finds no cookie. If the form is from
    /// another site, the page says that instead.
    pub fn refuse_login(&self, request: &WebRequest, error: Error) -> Step {
        let checked = same_site::check(&request.head, self.client.client_id());
        let error = checked.err().unwrap_or(error);
        self.refuse_request("authenticate", &request.head, error)
    }

    /// Answers the request of a completed login whose person the site does not sign in, with the page for
    /// `error`: [`Code::AccountUnknown`] or [`Code::AccountRefused`]. [`Step::refuse`] does the same without
    /// the request.
    pub fn refuse_account(&self, request: &WebRequest, error: Error) -> Step {
        self.refuse_request("complete", &request.head, error)
    }

    /// Whether the broker's answer may be in the query of the redirect URI.
    fn takes_queries(&self) -> bool {
        self.options.flow != Some(Flow::Implicit)
    }

    /// The path of the callback.
    pub fn callback_path(&self) -> &str {
        &self.options.callback_path
    }

    /// Whether a request is for the callback. `target` is the target in the request line: a path,
    /// perhaps with a query, or an absolute URL. The path must match exactly.
    pub fn is_callback(&self, target: &str) -> bool {
        target_path(target) == self.callback_path()
    }

    /// A `Content-Security-Policy` for a page with a login form.
    ///
    /// Chromium applies `form-action` to every redirect after a form. So the policy must contain the
    /// origins of the broker and of the identity providers to which the broker redirects at once.
    /// Without them the form does nothing, and only the browser's console shows the reason.
    pub fn form_policy(&self) -> &str {
        &self.options.form_policy
    }

    /// The sources that `form-action` needs in the site's own policy; see
    /// [`LoginFlow::form_policy`].
    pub fn form_targets(&self) -> &[String] {
        &self.options.form_targets
    }

    /// Returns the page in the form for a redirect, or `None` if it is on another site. A URL of this site becomes
    /// its path, with the query and the fragment.
    pub fn safe_next(&self, page: &str) -> Option<String> {
        let hosts: Vec<_> = self
            .options
            .allowed_hosts
            .iter()
            .map(String::as_str)
            .collect();
        safe_next_on(self.client.client_id(), page, &hosts)
    }

    /// Turns an error into a text for the person at the browser. `broker_error` is the code in the
    /// broker's answer; see [`Error::broker_answer`].
    pub fn explain(
        &self,
        code: Code,
        broker_error: Option<&str>,
        accept_language: Option<&str>,
    ) -> Problem {
        let language = self.options.texts.choose(accept_language);
        problem(ProblemId::of(code, broker_error), language)
    }

    /// Whether the site is served over `https`, so that its cookies need the flag `Secure`.
    pub fn is_secure(&self) -> bool {
        is_https(&self.client)
    }

    /// The client of the flow.
    pub fn client(&self) -> &Client {
        &self.client
    }

    async fn start_login(&self, head: &Head, email: &str, next: &str) -> Step {
        match self.try_start(head, email, next).await {
            Ok((url, secret)) => {
                let mut step = Step::from(script::redirect(head, url));
                step.reply.cookies.extend(secret);
                step
            }
            Err(error) => self.with_form(self.refuse(head, error), Some(email), next),
        }
    }

    /// Adds the content of a login form to its problem, so that the site can show the form again.
    fn with_form(&self, mut step: Step, email: Option<&str>, next: &str) -> Step {
        if let Some(Page::Problem(problem)) = &mut step.page {
            problem.typed_email = email.map(str::to_owned);
            problem.next = self.safe_next(next);
        }
        step
    }

    /// The URL of the broker, and the cookie to set.
    async fn try_start(
        &self,
        head: &Head,
        email: &str,
        next: &str,
    ) -> Result<(String, Option<String>)> {
        let binds = self.options.browser_binding != BrowserBinding::Off;
        let secret = match self.known_secret(head) {
            _ if !binds => None,
            Some(known) => Some(known.to_owned()),
            None => Some(self.new_secret()?),
        };
        let mut options = AuthenticateOptions::for_email(email);
        options.session = self
            .safe_next(next)
            .filter(|next| self.client.can_keep(next));
        options.browser.clone_from(&secret);
        let wanted = self.options.flow;
        options.flow = Some(wanted.map_or(WantedFlow::CodeIfPossible, WantedFlow::Always));
        let url = self.client.authenticate_with(options).await?;
        Ok((
            url,
            secret.map(|secret| self.cookies.set(self.cookies.secret, &secret)),
        ))
    }

    /// A `GET` of the redirect URI, as by a link, a mail scanner or a reload, completes no login.
    fn visit(&self, head: &Head) -> Step {
        let takes_fragment = self.client.response_mode() == ResponseMode::Fragment;
        let is_visit = matches!(head.method.as_str(), "GET" | "HEAD");
        if takes_fragment && is_visit {
            let page = pages::fragment(self.language(head));
            return Reply::page(200, page.body, page.policy).into();
        }
        let methods = match (takes_fragment, self.takes_queries()) {
            (true, _) => "GET, HEAD, POST",
            (false, true) => "GET, POST",
            (false, false) => "POST",
        };
        let problem = "this request to the redirect URI completes no login";
        self.not_allowed(head, methods, problem)
    }

    fn not_allowed(&self, head: &Head, methods: &str, problem: &str) -> Step {
        let problem = format_args!("{problem} allowed={methods}");
        let mut step = self.refuse(head, Error::new(Code::RequestMethod, problem));
        step.reply
            .headers
            .push(("allow", methods.to_owned().into()));
        step
    }

    /// Refuses a request that did not reach the client, which therefore has not counted it.
    fn refuse_request(&self, operation: &'static str, head: &Head, error: Error) -> Step {
        self.client.failed(operation, &error);
        self.refuse(head, error)
    }

    fn refuse(&self, head: &Head, error: Error) -> Step {
        let answer = error.broker_answer().map(|answer| answer.error.as_str());
        let id = ProblemId::of(error.code(), answer);
        let problem = problem(id, self.language(head));
        let mut step = if head.is_from_script() {
            Step::from(script::problem(&problem, error.code()))
        } else {
            let page = pages::problem(self.language(head), &problem, &self.options.login_url);
            let mut step = Step::from(Reply::page(problem.status, page.body, page.policy));
            step.page = Some(Page::Problem(problem));
            step
        };
        if let Some(seconds) = id.retry_after() {
            step.reply
                .headers
                .push(("retry-after", seconds.to_string().into()));
        }
        step.error = Some(error);
        step
    }

    fn language(&self, head: &Head) -> &Language {
        self.options.texts.choose(head.get(Header::AcceptLanguage))
    }

    /// The secret of the browser, if the request has one with the right format.
    fn known_secret<'a>(&self, head: &'a Head) -> Option<&'a str> {
        let secret = self.cookies.secret.read(head.get(Header::Cookie))?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (secret.len() == SECRET_CHARACTERS && secret.bytes().all(is_plain)).then_some(secret)
    }

    fn new_secret(&self) -> Result<String> {
        let mut bytes = [0; SECRET_BYTES];
        self.client.random().fill(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for LoginFlow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoginFlow")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

fn is_https(client: &Client) -> bool {
    client.redirect_uri().starts_with("https:")
}

fn problem(id: ProblemId, language: &Language) -> Problem {
    let (title, text) = language.problem(id);
    Problem {
        id,
        status: id.status(),
        title: title.to_owned(),
        text: text.to_owned(),
        retry_after: id.retry_after(),
        language: language.tag().to_owned(),
        typed_email: None,
        next: None,
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
