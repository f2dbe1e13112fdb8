//! The flow: from a request to its answer.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::cookies::Cookies;
use super::form::Form;
use super::options::{BrowserBinding, CheckedOptions, FlowOptions};
use super::pages;
use super::problem::{Problem, ProblemKind};
use super::reply::{Confirmation, Page, Reply, Step};
use super::request::{Head, WebRequest};
use super::same_site;
use super::texts::Language;
use crate::browser::Browser;
use crate::client::Client;
use crate::config::ResponseMode;
use crate::error::{BrowserMismatch, Code, Error, Result};
use crate::next::safe_next;
use crate::nonce::SessionKey;
use crate::session::{AuthenticateOptions, CallbackParams, CompleteOptions, Login};

/// Says that a form comes from a page of ours; anybody can claim it.
const AGAIN: &str = "portier_again";
/// What a person has confirmed.
const CONFIRMATION: &str = "portier_confirmation";

/// Random bytes of a browser's secret.
const SECRET_BYTES: usize = 32;
/// The same as URL-safe base64.
const SECRET_CHARACTERS: usize = 43;

/// The web side of a login, for all requests of a site.
///
/// Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct LoginFlow {
    client: Client,
    options: Arc<CheckedOptions>,
    cookies: Cookies,
}

impl LoginFlow {
    /// Checks the options and makes a flow.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for an option that cannot work.
    pub fn new(client: Client, options: FlowOptions) -> Result<Self> {
        let options = Arc::new(options.check(&client)?);
        let cookies = Cookies::for_site(is_https(&client));
        Ok(Self {
            client,
            options,
            cookies,
        })
    }

    /// Starts a login: takes the site's form with the field `email` and, optionally, `next`, the page
    /// to lead to afterwards. Redirects the browser to the broker.
    ///
    /// Forms of other sites are refused. Without that any site could have mail sent in this one's name.
    pub async fn login(&self, request: WebRequest) -> Step {
        let WebRequest { mut head, body } = request;
        head.form_token_checked |= self.options.form_token_checked;
        let checked = same_site::check(&head, self.client.client_id());
        let form = match checked.and_then(|()| Form::read(&head, body)) {
            Ok(form) => form,
            Err(error) => return self.refuse_request("authenticate", &head, error),
        };
        let Some(email) = form.text("email") else {
            let error = Error::new(
                Code::InvalidEmail,
                "the form has no field email with one UTF-8 text in it",
            );
            return self.refuse_request("authenticate", &head, error);
        };
        self.start_login(&head, email, form.text("next").unwrap_or_default())
            .await
    }

    /// Starts a login for a site with a form of another shape. The site checks where the request comes
    /// from and reads the form. A `next` that would lead off this site is dropped.
    pub async fn start(&self, request: WebRequest, email: &str, next: &str) -> Step {
        self.start_login(&request.head, email, next).await
    }

    /// Answers a request to the redirect URI, whatever its method. Only a `POST` completes a login.
    pub async fn callback(&self, request: WebRequest) -> Step {
        let WebRequest { head, body } = request;
        if head.method != "POST" {
            return self.visit(&head);
        }
        let read = Form::read(&head, body)
            .and_then(|form| Callback::new(form, self.options.browser_binding));
        match read {
            Ok(callback) => self.complete(&head, callback).await,
            Err(error) => self.refuse_request("complete", &head, error),
        }
    }

    /// The path at which the site answers the callback.
    pub fn callback_path(&self) -> &str {
        &self.options.callback_path
    }

    /// Whether a request is for the callback. `target` is that of the request line: a path, perhaps
    /// with a query, or an absolute URL. The path must be the same to the letter.
    pub fn is_callback(&self, target: &str) -> bool {
        let path = match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => rest
                .find('/')
                .and_then(|start| rest.get(start..))
                .unwrap_or("/"),
            _ => target,
        };
        path.split(['?', '#']).next() == Some(self.callback_path())
    }

    /// A `Content-Security-Policy` for a page with a login form.
    ///
    /// Chromium applies `form-action` to every redirect that follows a form. So the broker's origin must
    /// be in it, and those of the identity providers to which the broker sends people on at once.
    /// Without them the form does nothing, and only the browser's console says why.
    pub fn form_policy(&self) -> &str {
        &self.options.form_policy
    }

    /// The sources that `form-action` needs in a policy of the site's own; see
    /// [`LoginFlow::form_policy`].
    pub fn form_targets(&self) -> &[String] {
        &self.options.form_targets
    }

    /// Returns the page as a redirect may use it, or `None` if it would lead off this site.
    pub fn safe_next(&self, page: &str) -> Option<String> {
        let hosts: Vec<_> = self
            .options
            .allowed_hosts
            .iter()
            .map(String::as_str)
            .collect();
        safe_next(page, &hosts)
    }

    /// Puts an error into words for the person in front of the browser. `broker_error` is that of the
    /// broker's answer; see [`Error::broker_answer`].
    pub fn explain(
        &self,
        code: Code,
        broker_error: Option<&str>,
        accept_language: Option<&str>,
    ) -> Problem {
        let language = self.options.texts.choose(accept_language);
        problem(ProblemKind::of(code, broker_error), language)
    }

    /// Whether browsers reach the site over `https`, so that its cookies need the flag `Secure`.
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
                let mut step = Step::from(redirect(head, url));
                step.reply.cookies.extend(secret);
                step
            }
            Err(error) => self.refuse(head, error),
        }
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
        options.session = self.safe_next(next);
        options.browser.clone_from(&secret);
        let url = self.client.authenticate_with(options).await?;
        Ok((
            url,
            secret.map(|secret| self.cookies.set(self.cookies.secret, &secret)),
        ))
    }

    /// A visit to the redirect URI: a link, a scanner of mail or a reload completes no login.
    fn visit(&self, head: &Head) -> Step {
        let takes_fragment = self.client.response_mode() == ResponseMode::Fragment;
        let is_visit = matches!(head.method.as_str(), "GET" | "HEAD");
        if takes_fragment && is_visit {
            let page = pages::fragment(self.language(head));
            return Reply::page(200, page.body, page.policy).into();
        }
        let methods = if takes_fragment {
            "GET, HEAD, POST"
        } else {
            "POST"
        };
        let error = Error::new(
            Code::RequestMethod,
            format_args!("only a POST to the redirect URI completes a login allowed={methods}"),
        );
        let mut step = self.refuse(head, error);
        step.reply.headers.push(("allow", methods.to_owned()));
        step
    }

    async fn complete(&self, head: &Head, callback: Callback) -> Step {
        let Callback {
            params,
            confirmation,
            is_posted_again,
        } = callback;
        if self.options.browser_binding == BrowserBinding::Off {
            let outcome = self
                .client
                .complete_with(params, CompleteOptions::default())
                .await;
            return match outcome {
                Ok(login) => self.signed_in(head, login, None),
                Err(error) => self.refuse(head, error),
            };
        }
        let is_script = head.is_from_script();
        let known = self.known_secret(head).map(str::to_owned);
        if known.is_none() {
            if !is_script && !(is_posted_again && head.may_be_from_this_site()) {
                return self.post_again(head, &params);
            }
            let has_probe = self.cookies.probe.read(head.cookie.as_deref()).is_some();
            if confirmation.is_some() || !(is_script || has_probe) {
                let error = Error::new(
                    Code::RequestCookies,
                    "the browser does not keep the cookies of this site",
                );
                return self.refuse_request("complete", head, error);
            }
        }
        // A browser without a secret did not start the login. From here on it can be told from others.
        let is_new = known.is_none();
        let secret = match known.map_or_else(|| self.new_secret(), Ok) {
            Ok(secret) => secret,
            Err(error) => return self.refuse_request("complete", head, error),
        };
        let mut options = CompleteOptions::in_browser(&secret);
        options.confirmation = confirmation.as_deref();
        let outcome = self.client.complete_with(params.clone(), options).await;
        let mut step = match outcome {
            Ok(login) => self.signed_in(head, login, Some(&secret)),
            Err(error) => self.not_completed(head, error, &params, &secret),
        };
        if is_new {
            step.reply
                .cookies
                .push(self.cookies.set(self.cookies.secret, &secret));
        }
        step
    }

    fn signed_in(&self, head: &Head, login: Login, secret: Option<&str>) -> Step {
        let next = login
            .session
            .as_deref()
            .and_then(|page| self.safe_next(page));
        let next = next.unwrap_or_else(|| self.options.default_next.clone());
        let proof = secret
            .and_then(|secret| self.client.browser(secret))
            .map(|browser| SignedIn::prove(&browser, &login.session_key, &next));
        let mut step = Step::from(redirect(head, next));
        step.signed_in_cookie = proof.map(|proof| self.cookies.set(self.cookies.signed_in, &proof));
        step.login = Some(login);
        step
    }

    fn not_completed(
        &self,
        head: &Head,
        error: Error,
        params: &CallbackParams,
        secret: &str,
    ) -> Step {
        if let Some(next) = self.next_of_signed_in(head, &error, secret) {
            return redirect(head, next).into();
        }
        let asks = self.options.browser_binding == BrowserBinding::Confirm;
        match error.browser_mismatch() {
            Some(BrowserMismatch {
                email,
                confirmation: Some(confirmation),
            }) if asks => self.ask(head, email, params, confirmation),
            _ => self.refuse(head, error),
        }
    }

    /// Where a login led that was completed before, if its person was signed in in this browser: this is
    /// a reload, or a second press.
    fn next_of_signed_in(&self, head: &Head, error: &Error, secret: &str) -> Option<String> {
        let session_key = error.used_session()?;
        let proof = self.cookies.signed_in.read(head.cookie.as_deref())?;
        let next = SignedIn::check(&self.client.browser(secret)?, session_key, proof)?;
        if next == self.options.default_next {
            return Some(next);
        }
        self.safe_next(&next)
    }

    /// Asks the person whether to go on in this browser.
    fn ask(&self, head: &Head, email: &str, params: &CallbackParams, confirmation: &str) -> Step {
        let language = self.language(head);
        let mut fields = fields_to_post_again(params);
        fields.retain(|(name, _)| !name.starts_with("error"));
        fields.push((CONFIRMATION.to_owned(), confirmation.to_owned()));
        if head.is_from_script() {
            let (title, text) = language.question();
            let named: serde_json::Map<_, _> = fields
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect();
            let mut problem = problem_json("confirmation", 409, title, text, Code::SessionBrowser);
            problem["email"] = email.into();
            problem["fields"] = Value::Object(named);
            return Reply::json(409, PROBLEM_JSON, &problem).into();
        }
        let page = pages::confirmation(language, email, &fields, &self.options.login_url);
        let mut step = Step::from(Reply::page(200, page.body, page.policy));
        step.page = Some(Page::Confirmation(Confirmation {
            email: email.to_owned(),
            fields,
            language: language.tag().to_owned(),
        }));
        step
    }

    /// The broker's page posts its answer from another site, and so without our cookies. A page of ours
    /// posts the same fields once more, and then they are there.
    fn post_again(&self, head: &Head, params: &CallbackParams) -> Step {
        let page = pages::post_again(self.language(head), &fields_to_post_again(params));
        let mut step = Step::from(Reply::page(200, page.body, page.policy));
        step.reply
            .cookies
            .push(self.cookies.set(self.cookies.probe, "1"));
        step
    }

    /// Refuses what the client has not seen, and so has not counted.
    fn refuse_request(&self, operation: &'static str, head: &Head, error: Error) -> Step {
        self.client.failed(operation, &error);
        self.refuse(head, error)
    }

    fn refuse(&self, head: &Head, error: Error) -> Step {
        let answer = error.broker_answer().map(|answer| answer.error.as_str());
        let kind = ProblemKind::of(error.code(), answer);
        let problem = problem(kind, self.language(head));
        let mut step = if head.is_from_script() {
            let Problem {
                id,
                status,
                title,
                text,
                ..
            } = &problem;
            let value = problem_json(id, *status, title, text, error.code());
            Step::from(Reply::json(*status, PROBLEM_JSON, &value))
        } else {
            let page = pages::problem(self.language(head), &problem, &self.options.login_url);
            let mut step = Step::from(Reply::page(problem.status, page.body, page.policy));
            step.page = Some(Page::Problem(problem));
            step
        };
        if let Some(seconds) = kind.retry_after() {
            step.reply
                .headers
                .push(("retry-after", seconds.to_string()));
        }
        step.error = Some(error);
        step
    }

    fn language(&self, head: &Head) -> &Language {
        self.options.texts.choose(head.accept_language.as_deref())
    }

    /// The secret of the browser that sends a request, if it has one of the shape of ours.
    fn known_secret<'a>(&self, head: &'a Head) -> Option<&'a str> {
        let secret = self.cookies.secret.read(head.cookie.as_deref())?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (secret.len() == SECRET_CHARACTERS && secret.bytes().all(is_plain)).then_some(secret)
    }

    fn new_secret(&self) -> Result<String> {
        let mut bytes = [0; SECRET_BYTES];
        self.client.fill_random(&mut bytes)?;
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

const PROBLEM_JSON: &str = "application/problem+json";

fn is_https(client: &Client) -> bool {
    client.redirect_uri().starts_with("https:")
}

/// Sends a browser on. A script gets the address as JSON, since it cannot follow a redirect to another
/// site; that of htmx gets it in a header as well.
fn redirect(head: &Head, url: String) -> Reply {
    if !head.is_from_script() {
        return Reply::see_other(url);
    }
    let mut reply = Reply::json(200, "application/json", &json!({ "url": url }));
    if head.hx_request.as_deref() == Some("true") {
        reply.headers.push(("hx-redirect", url));
    }
    reply
}

fn problem(kind: ProblemKind, language: &Language) -> Problem {
    let (title, text) = language.problem(kind.id);
    Problem {
        id: kind.id,
        status: kind.status,
        title: title.to_owned(),
        text: text.to_owned(),
        retry_after: kind.retry_after(),
        language: language.tag().to_owned(),
    }
}

/// A problem as RFC 9457 has it.
fn problem_json(id: &str, status: u16, title: &str, text: &str, code: Code) -> Value {
    json!({
        "type": format!("urn:portier-client:problem:{id}"),
        "title": title,
        "status": status,
        "detail": text,
        "code": code.as_str(),
    })
}

/// What the broker has posted, and what a page of ours has added.
struct Callback {
    params: CallbackParams,
    confirmation: Option<String>,
    is_posted_again: bool,
}

impl Callback {
    fn new(form: Form, binding: BrowserBinding) -> Result<Self> {
        let confirmation = (binding == BrowserBinding::Confirm)
            .then(|| form.text(CONFIRMATION).filter(|text| !text.is_empty()))
            .flatten()
            .map(str::to_owned);
        Ok(Self {
            confirmation,
            is_posted_again: form.has(AGAIN),
            params: CallbackParams::from_pairs(form.into_pairs())?,
        })
    }
}

/// The broker's answer; nothing else travels on.
fn fields_to_post_again(params: &CallbackParams) -> Vec<(String, String)> {
    let CallbackParams {
        id_token,
        state,
        error,
        error_description,
    } = params;
    let answer = [id_token, state, error, error_description];
    let named = CallbackParams::NAMES.iter().zip(answer);
    named
        .filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)))
        .chain([(AGAIN.to_owned(), "1".to_owned())])
        .collect()
}

/// The proof that a login's person was signed in in a browser: the page the login led to, signed with
/// that browser's secret.
struct SignedIn;

impl SignedIn {
    fn prove(browser: &Browser<'_>, session: &SessionKey, next: &str) -> String {
        let page = URL_SAFE_NO_PAD.encode(next);
        format!("{page}.{}", browser.signed_in(session, next))
    }

    /// The page, if the proof is for this login and browser.
    fn check(browser: &Browser<'_>, session: &SessionKey, proof: &str) -> Option<String> {
        let (page, tag) = proof.split_once('.')?;
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(page).ok()?).ok()?;
        browser.was_signed_in(session, &next, tag).then_some(next)
    }
}
