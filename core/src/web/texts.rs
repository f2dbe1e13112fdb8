//! Texts of the pages.

use std::collections::BTreeMap;

use crate::error::Result;

pub(super) struct Texts {
    english: Language,
}

pub(super) struct Language {
    tag: String,
}

impl Texts {
    #[expect(clippy::unnecessary_wraps)]
    pub(super) fn new(
        _languages: &[String],
        _texts: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Self> {
        let tag = "en".to_owned();
        Ok(Self {
            english: Language { tag },
        })
    }

    pub(super) fn choose(&self, _accept_language: Option<&str>) -> &Language {
        &self.english
    }
}

impl Language {
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    #[expect(clippy::unused_self)]
    pub(super) fn problem(&self, id: &'static str) -> (&str, &str) {
        (id, id)
    }

    #[expect(clippy::unused_self)]
    pub(super) fn question(&self) -> (&str, &str) {
        (
            "Sign in on this device?",
            "This sign-in was started in another browser.",
        )
    }
}
