//! The parameters at the redirect URI.

use super::form::Form;
use super::options::BrowserBinding;
use crate::error::Result;
use crate::session::CallbackParams;

/// The field that marks a form of our own page. Anybody can send it.
const AGAIN: &str = "portier_again";
/// The field with the confirmation of a person.
const CONFIRMATION: &str = "portier_confirmation";

/// The parameters of the broker, and the fields of our own page.
pub(super) struct Callback {
    pub(super) params: CallbackParams,
    pub(super) confirmation: Option<String>,
    pub(super) is_posted_again: bool,
}

impl Callback {
    pub(super) fn new(form: Form, binding: BrowserBinding) -> Result<Self> {
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

    /// Reads a query; `None` if it has no answer. A token in a query is ignored: it would stay in
    /// the history and in logs (OAuth 2.0 Multiple Response Type Encoding Practices, section 3). A
    /// confirmation in a query is ignored, too.
    pub(super) fn of_query(form: Form) -> Result<Option<Self>> {
        let callback = Self::new(form, BrowserBinding::Require)?;
        let params = &callback.params;
        let is_answer = params.id_token.is_none() && *params != CallbackParams::default();
        Ok(is_answer.then_some(callback))
    }
}

/// The broker's answer; other fields are not passed on.
pub(super) fn fields_to_post_again(params: &CallbackParams) -> Vec<(String, String)> {
    let CallbackParams {
        id_token,
        code,
        state,
        error,
        error_description,
    } = params;
    let answer = [id_token, code, state, error, error_description];
    let named = CallbackParams::NAMES.iter().zip(answer);
    named
        .filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)))
        .chain([(AGAIN.to_owned(), "1".to_owned())])
        .collect()
}

/// The fields that a person posts to continue in this browser.
pub(super) fn fields_to_confirm(
    params: &CallbackParams,
    confirmation: &str,
) -> Vec<(String, String)> {
    let mut fields = fields_to_post_again(params);
    fields.retain(|(name, _)| !name.starts_with("error"));
    fields.push((CONFIRMATION.to_owned(), confirmation.to_owned()));
    fields
}
