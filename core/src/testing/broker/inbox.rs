//! The inbox of the development broker: the mails that the real broker would send.

use std::collections::VecDeque;
use std::io::{Write as _, stdout};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::authorize::Params;
use crate::clock::{Random as _, SystemRandom, unix_seconds};
use crate::error::Result;
use crate::fork::lock;

/// How long the link and the code of a mail work; as in the real broker.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The number of mails that are kept.
const CAPACITY: usize = 100;

/// The letters of codes and of the names of sessions. 32 of them take five bits each.
const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

const CODE_LENGTH: usize = 12;
const SESSION_LENGTH: usize = 26;

/// A mail of the development broker. No mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The address as it was typed.
    pub to: String,
    /// The origin of the site that asked.
    pub site: String,
    /// The code to type on the page that waits; spaces in it do not matter.
    pub code: String,
    /// The link to follow instead.
    pub link: String,
    /// When it was sent.
    pub sent_at: SystemTime,
}

impl Mail {
    /// When it was sent, for people.
    pub(super) fn time(&self) -> String {
        httpdate::fmt_http_date(self.sent_at)
    }

    /// The mail for programs. Times are in seconds since 1970.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "to": self.to,
            "site": self.site,
            "code": self.code,
            "link": self.link,
            "sent_at": unix_seconds(self.sent_at),
        })
    }
}

/// The last mails, the newest one last.
#[derive(Default)]
pub(super) struct Inbox(Mutex<VecDeque<Sent>>);

/// A mail and its login.
#[derive(Clone)]
struct Sent {
    session: String,
    mail: Mail,
    /// The request of the login.
    params: Params,
    /// On the monotonic clock.
    expires: Duration,
    is_used: bool,
}

/// A login that waits for its mail.
pub(super) struct Waiting {
    pub(super) session: String,
    pub(super) email: String,
    pub(super) params: Params,
    code: String,
}

impl Waiting {
    /// Whether this is the code of the mail. The person may type it with other spaces, and in capitals.
    pub(super) fn accepts(&self, typed: &str) -> bool {
        plain(typed) == plain(&self.code)
    }
}

impl Inbox {
    /// Sends a mail. Returns the name of the session.
    pub(super) fn send(
        &self,
        origin: &str,
        to: &str,
        params: &Params,
        now: SystemTime,
        monotonic: Duration,
    ) -> Result<String> {
        let session = letters(SESSION_LENGTH)?;
        let mut code = letters(CODE_LENGTH)?;
        let link = format!("{origin}/confirm?session={session}&code={code}");
        code.insert(CODE_LENGTH / 2, ' ');
        let sent = Sent {
            session: session.clone(),
            mail: Mail {
                to: to.to_owned(),
                site: params.get("client_id").unwrap_or_default().to_owned(),
                code,
                link,
                sent_at: now,
            },
            params: params.clone(),
            expires: monotonic.saturating_add(LIFETIME),
            is_used: false,
        };
        let mut mails = lock(&self.0);
        if mails.len() >= CAPACITY {
            mails.pop_front();
        }
        mails.push_back(sent);
        Ok(session)
    }

    /// The login of a mail, unless it has expired or was completed.
    pub(super) fn waiting(&self, session: &str, monotonic: Duration) -> Option<Waiting> {
        let mails = lock(&self.0);
        let sent = mails.iter().find(|sent| sent.session == session)?;
        (!sent.is_used && monotonic < sent.expires).then(|| Waiting {
            session: sent.session.clone(),
            email: sent.mail.to.clone(),
            params: sent.params.clone(),
            code: sent.mail.code.clone(),
        })
    }

    /// Uses a login up; `false` if it was used before.
    pub(super) fn use_up(&self, session: &str) -> bool {
        let mut mails = lock(&self.0);
        let found = mails.iter_mut().find(|sent| sent.session == session);
        found.is_some_and(|sent| !std::mem::replace(&mut sent.is_used, true))
    }

    /// Prints a mail. A terminal that is gone is no error.
    pub(super) fn print(&self, session: &str) {
        let mails = self.mails();
        let found = mails.iter().find(|mail| mail.link.contains(session));
        if let Some(Mail { to, code, link, .. }) = found {
            let _ = writeln!(stdout(), "Mail to {to}: {link} (code {code})");
        }
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        lock(&self.0).iter().map(|sent| sent.mail.clone()).collect()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}

fn letters(count: usize) -> Result<String> {
    let mut bytes = vec![0; count];
    SystemRandom.fill(&mut bytes)?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied();
    Ok(bytes.iter().filter_map(letter).map(char::from).collect())
}

fn plain(code: &str) -> String {
    let kept = code.chars().filter(|letter| !letter.is_whitespace());
    kept.collect::<String>().to_lowercase()
}
