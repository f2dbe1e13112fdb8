//! Which language suits a browser: the lookup of RFC 4647, section 3.4, over `Accept-Language`
//! (RFC 9110, section 12.5.4).

use super::Language;

/// The longest language tag, in bytes. RFC 5646, section 4.4.1, asks for room for 35.
pub(super) const MAX_TAG_BYTES: usize = 64;

/// How many ranges of a header are read. Browsers send some ten.
const MAX_RANGES: usize = 32;

/// Finds the language that a header asks for most.
///
/// A range finds the language of the same tag, or of a tag that it begins with (`pt-BR` finds `pt`).
/// In addition to the RFC, it then finds another variant of the same language: readers of `pt-PT`
/// prefer `pt-BR` to the default.
pub(super) fn lookup<'a>(
    header: &str,
    languages: impl Iterator<Item = &'a Language> + Clone,
) -> Option<&'a Language> {
    let ranges: Vec<_> = header
        .split(',')
        .take(MAX_RANGES)
        .filter_map(Range::parse)
        .collect();
    let acceptable =
        languages.filter(|language| !ranges.iter().any(|range| range.refuses(language)));
    let mut best: Option<(&Language, f32)> = None;
    for range in ranges.iter().filter(|range| range.quality > 0.0) {
        if best.is_some_and(|(_, quality)| quality >= range.quality) {
            continue;
        }
        let found = if range.tag == "*" {
            // "*" is every language that no other range names.
            let named = |language: &&Language| ranges.iter().any(|range| range.names(language));
            acceptable.clone().find(|language| !named(language))
        } else {
            range.find(acceptable.clone())
        };
        best = found.map(|language| (language, range.quality)).or(best);
    }
    best.map(|(language, _)| language)
}

/// One language, or `*`, that a browser asks for.
struct Range<'a> {
    tag: &'a str,
    /// From 0, not acceptable, to 1.
    quality: f32,
}

impl<'a> Range<'a> {
    /// Parses one range. An invalid one counts as not sent.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim_ascii);
        let tag = parts.next()?;
        if tag.is_empty() || tag.len() > MAX_TAG_BYTES {
            return None;
        }
        let quality = match parts.next() {
            None => 1.0,
            Some(weight) => {
                let (name, value) = weight.split_once('=')?;
                let value = value
                    .parse()
                    .ok()
                    .filter(|value| (0.0..=1.0).contains(value));
                value.filter(|_| name.eq_ignore_ascii_case("q"))?
            }
        };
        Some(Self { tag, quality })
    }

    fn find<'l>(
        &self,
        mut languages: impl Iterator<Item = &'l Language> + Clone,
    ) -> Option<&'l Language> {
        let mut tag = self.tag;
        loop {
            let same = |language: &&Language| language.tag.eq_ignore_ascii_case(tag);
            if let Some(found) = languages.clone().find(same) {
                return Some(found);
            }
            match tag.rsplit_once('-') {
                Some((shorter, _)) => tag = shorter,
                None => return languages.find(|language| begins_with(&language.tag, tag)),
            }
        }
    }

    fn refuses(&self, language: &Language) -> bool {
        self.quality <= 0.0 && self.names(language)
    }

    fn names(&self, language: &Language) -> bool {
        begins_with(&language.tag, self.tag)
    }
}

/// Whether a tag is another one, or begins with it and a hyphen (RFC 4647, section 3.3.1).
fn begins_with(tag: &str, start: &str) -> bool {
    let (Some(first), Some(rest)) = (tag.get(..start.len()), tag.get(start.len()..)) else {
        return false;
    };
    first.eq_ignore_ascii_case(start) && (rest.is_empty() || rest.starts_with('-'))
}
