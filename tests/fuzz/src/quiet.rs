//! What no message may say.

use portier_client::Error;

/// Panics if the message of an error, or of its causes, quotes one of the texts. Words that a
/// message may have by itself are not looked for.
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

/// Long enough, and with something that no name or word has. The fuzzer looks at what texts are
/// compared with, and learns whole sentences and values; what is secret has no white space and no `=`.
fn is_telling(text: &str) -> bool {
    let odd = |c: char| c == '@' || c == '%' || c.is_ascii_digit() || c.is_ascii_uppercase();
    text.len() >= 8
        && text.contains(odd)
        && text.contains(char::is_alphabetic)
        && !text.contains(|c: char| c.is_whitespace() || c == '=')
        && !OURS.iter().any(|ours| ours.contains(text))
}

/// What messages say of the configuration, and of base64url.
const OURS: [&str; 3] = [
    crate::setting::BROKER,
    crate::setting::CLIENT_ID,
    "the token is not three parts of base64url with dots between",
];
