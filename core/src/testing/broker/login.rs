//! The two steps of a sign-in: the relying party's request, and the person's answer.

use std::sync::Arc;

use ::http::StatusCode;
use serde_json::{Map, Value, json};
use url::Url;

use super::authorize::{AuthRequest, Params, ReturnAddress};
use super::codes::Grant;
use super::mint::{DEFAULT_EMAIL, MintOptions};
use super::mode::{CANCELLED, Mode};
use super::pages::{self, Who};
use super::reply::{self, Reply};
use super::state::State;
use crate::clock::unix_seconds;
use crate::email::normalize_email;
use crate::error::{Code, Error, Result};

/// How a person signs in without a browser.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// How the broker responds; by default, it signs the person in.
    pub mode: Mode,
    /// The address of the person; by default the one that the login names.
    pub email: Option<String>,
}

impl Default for SignInOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Accept,
            email: None,
        }
    }
}

/// Handles a relying party's request.
pub(super) async fn authenticate(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
    let login = match Params::parse(encoded).map_err(refuse).and_then(Login::of) {
        Ok(login) => login,
        Err(reply) => return Ok(*reply),
    };
    let hint = login.request.login_hint.as_deref();
    // The real broker does not trim either.
    if hint.is_some_and(|hint| normalize_email(hint).is_err()) {
        let description = "login_hint is not an e-mail address";
        return Ok(login.refuse("invalid_request", description));
    }
    let mode = state.modes().begin(hint);
    login.respond(state, &mode, hint).await
}

/// Handles the form of the broker's own pages. The form contains everything, unless the person has used a mail.
pub(super) async fn confirm(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(problem) => return Ok(reply::bad_request(problem)),
    };
    if let Some(session) = params.get("session") {
        return confirm_mail(state, session, &params).await;
    }
    if let Some(mail) = params.get("mail") {
        state.inbox.use_up(mail);
    }
    let login = match Login::of(params) {
        Ok(login) => login,
        Err(reply) => return Ok(*reply),
    };
    if login.params.get("answer") != Some("continue") {
        return Ok(login.cancel());
    }
    let hint = login.request.login_hint.as_deref();
    match (login.params.get("email"), hint) {
        (Some(typed), _) if normalize_email(typed).is_ok() => {
            let mode = match state.modes().account(typed) {
                Mode::Page => Mode::Accept,
                mode => mode,
            };
            login.respond(state, &mode, Some(typed)).await
        }
        (None, Some(hint)) if normalize_email(hint).is_ok() => {
            login.accept(state, &Mode::Accept, hint).await
        }
        (typed, hint) => Ok(login.ask(typed.or(hint).unwrap_or_default(), true)),
    }
}

/// Handles a code that a person has typed, or a link of a mail that was confirmed.
async fn confirm_mail(state: &Arc<State>, session: &str, params: &Params) -> Result<Reply> {
    let Some(waiting) = state.inbox.waiting(session, state.clock.monotonic()) else {
        return Ok(reply::gone());
    };
    let login = match Login::of(waiting.params.clone()) {
        Ok(login) => login,
        Err(reply) => return Ok(*reply),
    };
    if params.get("answer") == Some("cancel") {
        state.inbox.use_up(session);
        return Ok(login.cancel());
    }
    if !waiting.accepts(params.get("code").unwrap_or_default()) {
        return Ok(login.wait(session, &waiting.email, true));
    }
    if !state.inbox.use_up(session) {
        return Ok(reply::gone());
    }
    login.accept(state, &Mode::Accept, &waiting.email).await
}

/// Shows the page behind the link of a mail. A mail program may open the link by itself, so the page asks.
pub(super) fn follow(state: &State, encoded: &[u8]) -> Reply {
    let params = Params::parse(encoded).unwrap_or_default();
    let (session, code) = (params.get("session"), params.get("code"));
    let waiting = session.and_then(|name| state.inbox.waiting(name, state.clock.monotonic()));
    let (Some(waiting), Some(code)) = (waiting, code) else {
        return reply::gone();
    };
    let fields = [("session", waiting.session.as_str()), ("code", code)];
    let site = waiting.params.get("client_id").unwrap_or_default();
    let page = pages::sign_in(site, &Who::Known(&waiting.email), &fields);
    reply::page(StatusCode::OK, page)
}

/// Answers a request as if its person had responded at once: returns the target of the browser and
/// the fields.
pub(super) fn sign_in(
    state: &State,
    url: &str,
    options: &SignInOptions,
) -> Result<(String, Vec<(String, String)>)> {
    let refused = || Error::new(Code::InvalidOption, "the broker does not accept this URL");
    let query = Url::parse(url).map_err(|cause| refused().with_source(cause))?;
    let params = Params::parse(query.query().unwrap_or_default().as_bytes());
    let login = Login::of(params.map_err(|_| refused())?).map_err(|_| refused())?;
    let email = options.email.as_deref();
    let email = email.or(login.request.login_hint.as_deref());
    let mut fields = if let Some((error, description)) = options.mode.error() {
        vec![
            ("error".to_owned(), error.to_owned()),
            ("error_description".to_owned(), description.to_owned()),
        ]
    } else {
        let token = login.token(state, &options.mode, email.unwrap_or(DEFAULT_EMAIL));
        vec![if login.request.wants_code {
            ("code".to_owned(), login.code(state, token)?)
        } else {
            ("id_token".to_owned(), state.mint(&token)?)
        }]
    };
    fields.push(("state".to_owned(), login.address.state));
    Ok((login.address.redirect_uri.into(), fields))
}

/// A sign-in that can continue.
struct Login {
    params: Params,
    address: ReturnAddress,
    request: AuthRequest,
}

impl Login {
    fn of(params: Params) -> std::result::Result<Self, Box<Reply>> {
        let address = ReturnAddress::parse(&params).map_err(refuse)?;
        match AuthRequest::parse(&params) {
            Ok(request) => Ok(Self {
                params,
                address,
                request,
            }),
            Err(refusal) => Err(Box::new(refused(
                &address,
                refusal.error,
                refusal.description,
            ))),
        }
    }

    async fn respond(&self, state: &Arc<State>, mode: &Mode, email: Option<&str>) -> Result<Reply> {
        if let Some((error, description)) = mode.error() {
            return Ok(self.refuse(error, description));
        }
        match (mode, email) {
            (Mode::Page | Mode::Mail, None) => Ok(self.ask("", false)),
            (Mode::Page, Some(email)) => {
                let mail = self.send(state, email)?;
                let mut fields: Vec<_> = self.params.request().collect();
                fields.push(("mail", &mail));
                Ok(self.show(&Who::Known(email), &fields))
            }
            (Mode::Mail, Some(email)) => {
                let session = self.send(state, email)?;
                if state.prints_mails {
                    state.inbox.print(&session);
                }
                Ok(self.wait(&session, email, false))
            }
            (_, email) => {
                self.accept(state, mode, email.unwrap_or(DEFAULT_EMAIL))
                    .await
            }
        }
    }

    async fn accept(&self, state: &Arc<State>, mode: &Mode, email: &str) -> Result<Reply> {
        let token = self.token(state, mode, email);
        let (name, value) = if self.request.wants_code {
            ("code", self.code(state, token)?)
        } else {
            let minted = state.blocking(move |state| state.mint(&token)).await?;
            ("id_token", minted)
        };
        Ok(reply::callback(&self.address, &[(name, &value)]))
    }

    fn token(&self, state: &State, mode: &Mode, email: &str) -> MintOptions {
        let email = match mode {
            Mode::As(other) => other,
            _ => email,
        };
        let claims = match mode {
            Mode::Expired => expired(unix_seconds(state.clock.now())),
            _ => Map::new(),
        };
        MintOptions {
            client_id: self.request.client_id.clone(),
            nonce: self.request.nonce.clone(),
            email: email.to_owned(),
            algorithm: self.request.algorithm,
            claims,
            ..MintOptions::default()
        }
    }

    fn code(&self, state: &State, token: MintOptions) -> Result<String> {
        let grant = Grant {
            token,
            redirect_uri: self
                .params
                .get("redirect_uri")
                .unwrap_or_default()
                .to_owned(),
            code_challenge: self.request.code_challenge.clone(),
        };
        state.codes.issue(grant, state.clock.monotonic())
    }

    fn send(&self, state: &State, email: &str) -> Result<String> {
        let (now, monotonic) = (state.clock.now(), state.clock.monotonic());
        let params = &self.params;
        state
            .inbox
            .send(&state.origin, email, params, now, monotonic)
    }

    fn refuse(&self, error: &str, description: &str) -> Reply {
        refused(&self.address, error, description)
    }

    fn cancel(&self) -> Reply {
        let (error, description) = CANCELLED;
        self.refuse(error, description)
    }

    fn ask(&self, typed: &str, invalid: bool) -> Reply {
        let fields: Vec<_> = self.params.request().collect();
        self.show(&Who::Asked { typed, invalid }, &fields)
    }

    fn show(&self, who: &Who<'_>, fields: &[(&str, &str)]) -> Reply {
        let page = pages::sign_in(&self.request.client_id, who, fields);
        reply::page(StatusCode::OK, page)
    }

    fn wait(&self, session: &str, email: &str, is_wrong: bool) -> Reply {
        let page = pages::wait(&self.request.client_id, email, session, is_wrong);
        reply::page(StatusCode::OK, page)
    }
}

/// The claims of a token that has expired an hour ago, and was valid for ten minutes.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the broker counts whole seconds"
)]
fn expired(now: f64) -> Map<String, Value> {
    let expires_at = now as i64 - 3600;
    let times = [("iat", expires_at - 600), ("exp", expires_at)];
    let claims = times.map(|(name, time)| (name.to_owned(), json!(time)));
    claims.into_iter().collect()
}

fn refuse(problem: &'static str) -> Box<Reply> {
    Box::new(reply::bad_request(problem))
}

fn refused(address: &ReturnAddress, error: &str, description: &str) -> Reply {
    let answer = [("error", error), ("error_description", description)];
    reply::callback(address, &answer)
}
