//! The proof that a login's person was signed in in this browser.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::browser::Browser;
use crate::session_key::SessionKey;

/// Makes the proof: the page the login led to, and a code that only this browser's secret can make.
pub(super) fn prove(browser: &Browser<'_>, session: &SessionKey, next: &str) -> String {
    let page = URL_SAFE_NO_PAD.encode(next);
    [&page, ".", &browser.signed_in(session, next)].concat()
}

/// Returns the page, if the proof is for this login and browser.
pub(super) fn check(browser: &Browser<'_>, session: &SessionKey, proof: &str) -> Option<String> {
    let (page, code) = proof.split_once('.')?;
    let next = String::from_utf8(URL_SAFE_NO_PAD.decode(page).ok()?).ok()?;
    browser.was_signed_in(session, &next, code).then_some(next)
}
