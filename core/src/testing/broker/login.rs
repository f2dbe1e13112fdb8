//! The two steps of a sign-in: the relying party's request, and the person's answer.

use std::sync::Arc;

use ::http::StatusCode;
use url::Url;

use super::authorize::{AuthRequest, Params, Refusal, ReturnAddress};
use super::codes::Grant;
use super::mint::{DEFAULT_EMAIL, MintOptions};
use super::pages::{self, Who};
use super::reply::{self, Reply};
use super::state::{Mode, State};
use crate::email::normalize_email;
use crate::error::{Code, Error, Result};

const CANCELLED: Refusal = Refusal {
    error: "access_denied",
    description: "the person cancelled the sign-in",
};

const NO_ADDRESS: Refusal = Refusal {
    error: "invalid_request",
    description: "login_hint is not an e-mail address",
};

/// Handles a relying party's request.
pub(super) async fn authenticate(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
    let login = match Login::parse(encoded) {
        Ok(login) => login,
        Err(reply) => return Ok(*reply),
    };
    let hint = login.request.login_hint.as_deref();
    // The real broker does not trim either.
    if hint.is_some_and(|hint| normalize_email(hint).is_err()) {
        return Ok(login.refuse(&NO_ADDRESS));
    }
    match (state.mode(), hint) {
        (Mode::Refuse, _) => Ok(login.refuse(&CANCELLED)),
        (Mode::Accept, email) => login.accept(state, email.unwrap_or(DEFAULT_EMAIL)).await,
        (Mode::Page, Some(email)) => Ok(login.show(&Who::Known(email))),
        (Mode::Page, None) => Ok(login.ask("", false)),
    }
}

/// Handles the form of the broker's own page. The form contains everything, because the broker
/// stores nothing.
pub(super) async fn confirm(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
    let login = match Login::parse(encoded) {
        Ok(login) => login,
        Err(reply) => return Ok(*reply),
    };
    if login.params.get("answer") != Some("continue") {
        return Ok(login.refuse(&CANCELLED));
    }
    let typed = login.params.get("email");
    let email = typed.or(login.request.login_hint.as_deref());
    let email = email.unwrap_or_default();
    match normalize_email(email) {
        Ok(_) => login.accept(state, email).await,
        Err(_) => Ok(login.ask(email, true)),
    }
}

/// Answers a request as if its person had signed in at once: returns the target of the browser and
/// the fields.
pub(super) fn sign_in(state: &State, url: &str) -> Result<(String, Vec<(String, String)>)> {
    let refused = || Error::new(Code::InvalidOption, "the broker does not accept this URL");
    let query = Url::parse(url).map_err(|cause| refused().with_source(cause))?;
    let login =
        Login::parse(query.query().unwrap_or_default().as_bytes()).map_err(|_| refused())?;
    let token = login.token(login.request.login_hint.as_deref().unwrap_or(DEFAULT_EMAIL));
    let answer = if login.request.wants_code {
        ("code".to_owned(), login.code(state, token)?)
    } else {
        ("id_token".to_owned(), state.mint(&token)?)
    };
    let fields = vec![answer, ("state".to_owned(), login.address.state)];
    Ok((login.address.redirect_uri.into(), fields))
}

/// A sign-in that can continue.
struct Login {
    params: Params,
    address: ReturnAddress,
    request: AuthRequest,
}

impl Login {
    fn parse(encoded: &[u8]) -> std::result::Result<Self, Box<Reply>> {
        let refuse = |text| Box::new(reply::bad_request(text));
        let params = Params::parse(encoded).map_err(refuse)?;
        let address = ReturnAddress::parse(&params).map_err(refuse)?;
        match AuthRequest::parse(&params) {
            Ok(request) => Ok(Self {
                params,
                address,
                request,
            }),
            Err(refusal) => Err(Box::new(refused(&address, &refusal))),
        }
    }

    async fn accept(&self, state: &Arc<State>, email: &str) -> Result<Reply> {
        let token = self.token(email);
        let (name, value) = if self.request.wants_code {
            ("code", self.code(state, token)?)
        } else {
            let minted = state.blocking(move |state| state.mint(&token)).await?;
            ("id_token", minted)
        };
        Ok(reply::callback(&self.address, &[(name, &value)]))
    }

    fn token(&self, email: &str) -> MintOptions {
        MintOptions {
            client_id: self.request.client_id.clone(),
            nonce: self.request.nonce.clone(),
            email: email.to_owned(),
            algorithm: self.request.algorithm,
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

    fn refuse(&self, refusal: &Refusal) -> Reply {
        refused(&self.address, refusal)
    }

    fn ask(&self, typed: &str, invalid: bool) -> Reply {
        self.show(&Who::Asked { typed, invalid })
    }

    fn show(&self, who: &Who<'_>) -> Reply {
        let page = pages::sign_in(&self.request.client_id, who, &self.params);
        reply::page(StatusCode::OK, page)
    }
}

fn refused(address: &ReturnAddress, refusal: &Refusal) -> Reply {
    reply::callback(
        address,
        &[
            ("error", refusal.error),
            ("error_description", refusal.description),
        ],
    )
}
