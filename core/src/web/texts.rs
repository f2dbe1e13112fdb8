//! The texts of the pages, in the languages of a site.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::iter;

use super::problem::ProblemId;
use crate::error::{Code, Error, Result};

mod accept;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod nl;
mod pl;
mod pt;
#[cfg(test)]
mod tests;
mod zh;

/// Texts by their ids, by language.
type Overrides = BTreeMap<String, BTreeMap<String, String>>;

/// The placeholder for the address in [`Text::ConfirmHeading`].
const EMAIL: &str = "{email}";

/// The languages of a site, and its texts in each.
#[derive(Debug)]
pub(super) struct Texts {
    default: Language,
    others: Vec<Language>,
}

/// One language with all its texts.
#[derive(Debug)]
pub(super) struct Language {
    tag: String,
    built_in: &'static BuiltIn,
    /// The site's own texts, by id.
    own: BTreeMap<String, String>,
}

impl Texts {
    /// Takes the languages that a site speaks, the default first, and its own texts.
    ///
    /// A language is built in, a regional variant of one that is (`pt-BR`), or given completely.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub(super) fn new(languages: &[String], overrides: &Overrides) -> Result<Self> {
        for tag in overrides.keys() {
            if !languages
                .iter()
                .any(|known| known.eq_ignore_ascii_case(tag))
            {
                let fact = "texts has a language that is not in languages";
                return Err(invalid(format_args!("{fact} language={tag}")));
            }
        }
        let mut languages = languages.iter().map(|tag| Language::new(tag, overrides));
        let Some(default) = languages.next() else {
            return Err(invalid("languages is empty: name at least one"));
        };
        Ok(Self {
            default: default?,
            others: languages.collect::<Result<_>>()?,
        })
    }

    /// The best language for a browser's `Accept-Language`; otherwise the default.
    pub(super) fn choose(&self, accept_language: Option<&str>) -> &Language {
        let languages = iter::once(&self.default).chain(&self.others);
        accept_language
            .filter(|_| !self.others.is_empty())
            .and_then(|header| accept::lookup(header, languages))
            .unwrap_or(&self.default)
    }
}

impl Language {
    /// Its tag (BCP 47), as the site wrote it.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// The writing direction, for the HTML attribute `dir`.
    pub(super) fn direction(&self) -> &'static str {
        let tag = self.tag.to_ascii_lowercase();
        let mut subtags = tag.split('-');
        let language = subtags.next().unwrap_or_default();
        let is_right_to_left = match subtags.find(|subtag| subtag.len() == 4) {
            Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script),
            None => RIGHT_TO_LEFT_LANGUAGES.contains(&language),
        };
        if is_right_to_left { "rtl" } else { "ltr" }
    }

    pub(super) fn get(&self, text: Text) -> &str {
        match self.own.get(text.id()) {
            Some(own) => own,
            None => (self.built_in.text)(text),
        }
    }

    /// The title of a problem, and its text.
    pub(super) fn problem(&self, id: ProblemId) -> (&str, &str) {
        let (title, text) = (self.built_in.problem)(id);
        let own = |id: String| self.own.get(&id).map(String::as_str);
        (
            own(title_id(id)).unwrap_or(title),
            own(text_id(id)).unwrap_or(text),
        )
    }

    /// The title and the text of the question whether to continue in another browser.
    pub(super) fn question(&self) -> (&str, &str) {
        (self.get(Text::ConfirmTitle), self.get(Text::ConfirmWarning))
    }

    /// The texts before and after the address in [`Text::ConfirmHeading`].
    pub(super) fn around_email(&self) -> (&str, &str) {
        let heading = self.get(Text::ConfirmHeading);
        heading.split_once(EMAIL).unwrap_or((heading, ""))
    }

    pub(super) fn new(tag: &str, overrides: &Overrides) -> Result<Self> {
        if !is_language_tag(tag) {
            let fact = "languages has an entry that is not a language tag, such as pt or pt-BR";
            return Err(invalid(format_args!("{fact} value={tag}")));
        }
        let mut own = BTreeMap::new();
        for (language, texts) in overrides {
            if language.eq_ignore_ascii_case(tag) {
                own.extend(texts.clone());
            }
        }
        for (id, text) in &own {
            if let Err(fact) = check(id, text) {
                return Err(invalid(format_args!("{fact} language={tag} id={id}")));
            }
        }
        let built_in = BuiltIn::of(tag);
        let lacking: Vec<_> = ids().filter(|id| !own.contains_key(id)).collect();
        if built_in.is_none() && !lacking.is_empty() {
            let fact = "texts is incomplete for a language that is not built in";
            let lacking = lacking.join(",");
            return Err(invalid(format_args!("{fact} language={tag} ids={lacking}")));
        }
        Ok(Self {
            tag: tag.to_owned(),
            // Unused, because the site has given all texts of this language.
            built_in: built_in.unwrap_or(&ENGLISH),
            own,
        })
    }
}

/// What is wrong with a text of the site.
fn check(id: &str, text: &str) -> Result<(), &'static str> {
    if !ids().any(|known| known == id) {
        return Err("texts has an unknown id");
    }
    if text.trim().is_empty() {
        return Err("texts has an empty text");
    }
    if text.contains(char::is_control) {
        return Err("texts has a text with control characters");
    }
    if id == Text::ConfirmHeading.id() && text.matches(EMAIL).count() != 1 {
        return Err("texts has a heading that does not name {email} exactly once");
    }
    Ok(())
}

fn invalid(message: impl Display) -> Error {
    Error::new(Code::InvalidOption, message)
}

/// The ids of all texts.
pub(super) fn ids() -> impl Iterator<Item = String> {
    let texts = Text::ALL.iter().map(|text| text.id().to_owned());
    let problems = ProblemId::ALL.iter().copied();
    texts.chain(problems.flat_map(|id| [title_id(id), text_id(id)]))
}

fn title_id(problem: ProblemId) -> String {
    format!("problem.{problem}.title")
}

fn text_id(problem: ProblemId) -> String {
    format!("problem.{problem}.text")
}

/// Whether a text looks like a language tag (RFC 5646, section 2.1), well enough for an HTML
/// attribute.
fn is_language_tag(text: &str) -> bool {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let language = text.split('-').next().unwrap_or_default();
    text.len() <= accept::MAX_TAG_BYTES
        && language.len() >= 2
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.split('-').all(is_subtag)
}

/// A language whose texts come with this crate.
#[derive(Debug)]
struct BuiltIn {
    tag: &'static str,
    text: fn(Text) -> &'static str,
    problem: fn(ProblemId) -> (&'static str, &'static str),
}

impl BuiltIn {
    const ALL: [&Self; 10] = [
        &built_in("de", de::text, de::problem),
        &ENGLISH,
        &built_in("es", es::text, es::problem),
        &built_in("fr", fr::text, fr::problem),
        &built_in("it", it::text, it::problem),
        &built_in("ja", ja::text, ja::problem),
        &built_in("nl", nl::text, nl::problem),
        &built_in("pl", pl::text, pl::problem),
        &built_in("pt", pt::text, pt::problem),
        &built_in("zh", zh::text, zh::problem),
    ];

    /// The language of a tag, or of its regional variants.
    fn of(tag: &str) -> Option<&'static Self> {
        let mut subtags = tag.split('-');
        let language = subtags.next()?;
        // These regions use traditional characters.
        if subtags.any(|subtag| ["hant", "hk", "mo", "tw"].contains(&&*subtag.to_ascii_lowercase()))
        {
            return None;
        }
        let mut all = Self::ALL.into_iter();
        all.find(|known| known.tag.eq_ignore_ascii_case(language))
    }
}

const ENGLISH: BuiltIn = built_in("en", en::text, en::problem);

const fn built_in(
    tag: &'static str,
    text: fn(Text) -> &'static str,
    problem: fn(ProblemId) -> (&'static str, &'static str),
) -> BuiltIn {
    BuiltIn { tag, text, problem }
}

/// Scripts that are written from right to left (ISO 15924).
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = [
    "adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa",
];

/// Languages that are usually written from right to left.
const RIGHT_TO_LEFT_LANGUAGES: [&str; 15] = [
    "ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi",
];

macro_rules! text_ids {
    ($($name:ident = $id:literal,)*) => {
        /// A text of a page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Text {
            $($name,)*
        }

        impl Text {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable id, for replacements by the site.
            pub(super) fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

text_ids! {
    StartAgain = "page.start_again",
    ConfirmTitle = "confirm.title",
    ConfirmHeading = "confirm.heading",
    ConfirmWarning = "confirm.text",
    ConfirmYes = "confirm.yes",
    ConfirmNo = "confirm.no",
    PostTitle = "post.title",
    PostHeading = "post.heading",
    PostHint = "post.text",
    PostButton = "post.button",
    FragmentTitle = "fragment.title",
    FragmentNoScript = "fragment.noscript",
    FragmentEmpty = "fragment.empty",
}
