use proptest::prelude::*;

use super::*;

fn texts(languages: &[&str], own: &[(&str, &[(&str, &str)])]) -> Result<Texts> {
    let owned = |own: &[(&str, &str)]| {
        let own = own
            .iter()
            .map(|(id, text)| ((*id).to_owned(), (*text).to_owned()));
        own.collect()
    };
    let languages: Vec<_> = languages.iter().map(|&tag| tag.to_owned()).collect();
    let own = own.iter().map(|(tag, own)| ((*tag).to_owned(), owned(own)));
    Texts::new(&languages, &own.collect())
}

/// Every text of a language, with its id.
fn all(language: &Language) -> Vec<(String, String)> {
    let texts = Text::ALL
        .iter()
        .map(|text| (text.id().to_owned(), language.get(*text)));
    let problems = ProblemId::ALL.iter().flat_map(|problem| {
        let (title, text) = language.problem(*problem);
        [(title_id(*problem), title), (text_id(*problem), text)]
    });
    texts
        .chain(problems)
        .map(|(id, text)| (id, text.to_owned()))
        .collect()
}

fn built_in_languages() -> Vec<Language> {
    let tags = BuiltIn::ALL.iter().map(|built_in| built_in.tag);
    tags.map(|tag| Language::new(tag, &Overrides::new()).unwrap())
        .collect()
}

#[test]
fn every_built_in_text_is_one_that_a_site_could_give() {
    for language in built_in_languages() {
        for (id, text) in all(&language) {
            assert_eq!(check(&id, &text), Ok(()), "{} {id}", language.tag);
            assert_eq!(text.trim(), text, "{} {id}", language.tag);
            assert!(!text.contains("  "), "{} {id}", language.tag);
        }
    }
}

#[test]
fn every_built_in_language_has_as_many_different_texts_as_english() {
    let different = |language: &Language| -> Vec<bool> {
        let all = all(language);
        let pairs = all
            .iter()
            .flat_map(|(_, a)| all.iter().map(move |(_, b)| a == b));
        pairs.collect()
    };
    let english = Language::new("en", &Overrides::new()).unwrap();
    for language in built_in_languages() {
        assert_eq!(
            different(&language),
            different(&english),
            "{}",
            language.tag
        );
    }
}

#[test]
fn titles_are_titles_and_sentences_end() {
    for language in built_in_languages() {
        for (id, text) in all(&language) {
            let (_, part) = id.rsplit_once('.').unwrap();
            let is_sentence = ["text", "noscript", "empty"].contains(&part);
            let ends = text.ends_with(['.', '。']);
            assert_eq!(ends, is_sentence, "{} {id}: {text}", language.tag);
        }
    }
}

#[test]
fn a_site_replaces_texts_of_a_built_in_language() {
    let own = [
        ("confirm.yes", "Los geht’s"),
        ("problem.over.title", "Vorbei"),
        ("confirm.heading", "{email}?"),
    ];
    let texts = texts(&["en", "de"], &[("DE", &own)]).unwrap();
    let german = texts.choose(Some("de"));
    assert_eq!(german.get(Text::ConfirmYes), "Los geht’s");
    assert_eq!(german.get(Text::ConfirmNo), "Nein, abbrechen");
    assert_eq!(
        german.problem(ProblemId::Over),
        ("Vorbei", de::problem(ProblemId::Over).1)
    );
    assert_eq!(german.around_email(), ("", "?"));
    assert_eq!(texts.choose(None).get(Text::ConfirmYes), "Sign in");
    assert_eq!(
        texts.choose(None).around_email(),
        ("Sign in as ", " on this device?")
    );
}

#[test]
fn a_site_adds_a_language_if_it_gives_every_text() {
    let all: Vec<_> = ids().map(|id| (id, "{email}")).collect();
    let all: Vec<_> = all.iter().map(|(id, text)| (&**id, *text)).collect();
    let texts = texts(&["en", "sv"], &[("sv", &all)]).unwrap();
    let swedish = texts.choose(Some("sv"));
    assert!(self::all(swedish).iter().all(|(_, text)| text == "{email}"));
    let error = self::texts(&["en", "sv"], &[("sv", &all[1..])]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("language=sv ids=page.start_again"),
        "{error}"
    );
    assert_eq!(error.code(), Code::InvalidOption);
}

#[test]
fn a_regional_variant_has_the_texts_of_its_language() {
    let texts = texts(&["de-AT", "zh-Hans-CN"], &[]).unwrap();
    assert_eq!(texts.choose(None).get(Text::ConfirmYes), "Anmelden");
    assert_eq!(texts.choose(None).tag(), "de-AT");
    assert_eq!(texts.choose(Some("zh")).get(Text::ConfirmYes), "登录");
}

#[test]
fn errors_name_what_is_wrong_with_languages_and_texts() {
    let cases: &[(&[&str], &str, &str, &str, &str)] = &[
        (&[], "", "", "", "languages is empty: name at least one"),
        (&["en", ""], "", "", "", "such as pt or pt-BR value="),
        (&["pt_BR"], "", "", "", "such as pt or pt-BR value=pt_BR"),
        (
            &["en\" x=\""],
            "",
            "",
            "",
            "such as pt or pt-BR value=en\" x=\"",
        ),
        (
            &["zh-TW"],
            "",
            "",
            "",
            "language=zh-TW ids=page.start_again,",
        ),
        (
            &["tlh"],
            "tlh",
            "confirm.yes",
            "Luq",
            "language=tlh ids=page.start_again,",
        ),
        (
            &["en"],
            "de",
            "confirm.yes",
            "Ja",
            "is not in languages language=de",
        ),
        (
            &["en"],
            "en",
            "confirm.maybe",
            "Yes",
            "unknown id language=en id=confirm.maybe",
        ),
        (
            &["en"],
            "en",
            "problem.over",
            "No",
            "unknown id language=en id=problem.over",
        ),
        (
            &["en"],
            "en",
            "problem.else.title",
            "No",
            "language=en id=problem.else.title",
        ),
        (
            &["en"],
            "en",
            "confirm.yes",
            " ",
            "an empty text language=en id=confirm.yes",
        ),
        (
            &["en"],
            "en",
            "confirm.yes",
            "a\nb",
            "control characters language=en id=confirm.yes",
        ),
        (
            &["en"],
            "en",
            "confirm.heading",
            "You?",
            "exactly once language=en id=confirm.heading",
        ),
        (
            &["en"],
            "en",
            "confirm.heading",
            "{email} {email}",
            "language=en id=confirm.heading",
        ),
    ];
    for (languages, tag, id, text, message) in cases {
        let own: &[(&str, &str)] = &[(id, text)];
        let own: &[(&str, &[(&str, &str)])] = &[(tag, own)];
        let own = if tag.is_empty() { &[] } else { own };
        let error = texts(languages, own).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_language_that_a_browser_asks_for_most_is_chosen() {
    let speaks = |languages: &[&str], header: &str| {
        let texts = texts(languages, &[]).unwrap();
        texts.choose(Some(header)).tag().to_owned()
    };
    let cases: &[(&[&str], &str, &str)] = &[
        (&["en", "de"], "de", "de"),
        (&["en", "de"], "DE-at", "de"),
        (&["en", "de", "fr"], "fr;q=0.5, de;q=0.8, en;q=0.3", "de"),
        (&["en", "de", "fr"], "fr , de", "fr"),
        (&["en", "de"], "sv, de;q=0.1", "de"),
        (&["en", "zh"], "zh-Hans-CN", "zh"),
        (&["en", "pt", "pt-BR"], "pt-BR,pt;q=0.9", "pt-BR"),
        (&["en", "pt", "pt-BR"], "pt-PT", "pt"),
        (&["en", "pt-BR"], "pt-PT,en;q=0.5", "pt-BR"),
        (&["en", "de"], "*", "en"),
        (&["en", "de"], "en;q=0, *", "de"),
        (&["en", "de"], "en;q=0.1, *;q=0.5", "de"),
        (&["en", "de"], "*;q=0, de", "de"),
        (&["en", "de"], "de;q=0, en;q=0", "en"),
        (&["en", "de"], "de;Q=0.9 , en; q=0.8", "de"),
        (&["en", "de"], "de;q=2", "en"),
        (&["en", "de"], "de;q=NaN", "en"),
        (&["en", "de"], "de;level=1", "en"),
        (&["en", "de"], "d", "en"),
        (&["en", "de"], "deu", "en"),
        (&["en", "de"], "-", "en"),
        (&["en", "de"], "", "en"),
        (&["en", "de"], ",;=;q,de;;q=\u{e9},dé,\0", "en"),
        (&["de", "en"], "fr", "de"),
    ];
    for (languages, header, expected) in cases {
        assert_eq!(
            speaks(languages, header),
            *expected,
            "{languages:?} {header:?}"
        );
    }
}

proptest! {
    #[test]
    fn every_header_finds_a_language_of_the_site(
        header in "(\\PC|[,;=*-]|de|fr|q=0|\\.[0-9]){0,100}",
    ) {
        let texts = texts(&["en", "de", "fr-CA"], &[]).unwrap();
        let found = texts.choose(Some(&header)).tag();
        prop_assert!(["en", "de", "fr-CA"].contains(&found));
    }
}

#[test]
fn a_very_long_header_costs_little() {
    let texts = texts(&["en", "de"], &[]).unwrap();
    let long_tag = format!("{}de", "de-".repeat(500_000));
    assert_eq!(texts.choose(Some(&long_tag)).tag(), "en");
    let many = format!("{}de", "fr,".repeat(500_000));
    assert_eq!(texts.choose(Some(&many)).tag(), "en");
}

#[test]
fn languages_know_their_direction() {
    let direction = |tag: &str| {
        let language = Language {
            tag: tag.to_owned(),
            built_in: &ENGLISH,
            own: BTreeMap::new(),
        };
        language.direction()
    };
    for tag in [
        "ar",
        "ar-EG",
        "he",
        "fa-IR",
        "ur",
        "UR",
        "az-Arab",
        "pa-arab-PK",
        "ckb",
    ] {
        assert_eq!(direction(tag), "rtl", "{tag}");
    }
    for tag in [
        "en",
        "de",
        "ja",
        "ur-Latn",
        "az",
        "zh-Hans",
        "arn",
        "ks-Deva-IN",
    ] {
        assert_eq!(direction(tag), "ltr", "{tag}");
    }
}
