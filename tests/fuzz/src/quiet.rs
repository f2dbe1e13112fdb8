//! Checks that no message quotes the input.

use portier_client::Error;

/// Panics if the message of an error, or of its causes, quotes one of the texts. Words that a
/// message may contain by itself are ignored.
pub(crate) fn says_nothing_of(error: &Error, texts: &[&str]) {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push('\n');
        message.push_str(&error.to_string());
        cause = error.source();
    }
    for text in texts.iter().filter(|text| is_telling(text)) {
        assert!(!message.contains(text), "{message:?} quotes {text:?}");
    }
}

/// Texts that are long enough, and have a character that no name or word has. The fuzzer sees the
/// compared texts, and learns whole messages and values; a secret has no white space and no `=`.
fn is_telling(text: &str) -> bool {
    let odd = |c: char| c == '@' || c == '%' || c.is_ascii_digit() || c.is_ascii_uppercase();
    text.len() >= 8
        && text.contains(odd)
        && text.contains(char::is_alphabetic)
        && !text.contains(|c: char| c.is_whitespace() || c == '=')
        && !OURS.iter().any(|ours| ours.contains(text))
}

/// Parts of messages about the configuration, and about base64url.
const OURS: [&str; 3] = [
    crate::setting::BROKER,
    crate::setting::CLIENT_ID,
    "the token is not three parts of base64url with dots between",
];
