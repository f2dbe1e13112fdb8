//! Reads JSON into a tree, one character after the other.

/// The limits of the client.
const MAX_DEPTH: usize = 16;
const MAX_NUMBER_BYTES: usize = 1024;
const MAX_MEMBERS: usize = 256;

#[derive(Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Members(Vec<(String, Self)>),
}

/// Reads a whole document (RFC 8259).
pub(crate) fn read(bytes: &[u8]) -> Option<Tree> {
    let characters = String::from_utf8(bytes.to_vec()).ok()?.chars().collect();
    let mut reader = Reader { characters, at: 0 };
    let tree = reader.value(1)?;
    (reader.at == reader.characters.len()).then_some(tree)
}

impl Tree {
    /// The members, if this is an object without repeated names and with few enough members.
    pub(crate) fn members(&self) -> Option<Object<'_>> {
        let Self::Members(members) = self else {
            return None;
        };
        let names: std::collections::HashSet<_> = members.iter().map(|(name, _)| name).collect();
        (names.len() == members.len() && names.len() <= MAX_MEMBERS).then_some(Object(members))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list that contains only texts.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::List(elements) => elements.iter().map(Self::text).collect(),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Object<'a>(&'a [(String, Tree)]);

impl<'a> Object<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a Tree> {
        let member = self.0.iter().find(|(candidate, _)| candidate == name)?;
        Some(&member.1)
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }

    /// The texts of all members.
    pub(crate) fn all_texts(self) -> Vec<&'a str> {
        self.0
            .iter()
            .filter_map(|(_, value)| value.text())
            .collect()
    }
}

struct Reader {
    characters: Vec<char>,
    at: usize,
}

impl Reader {
    /// A value with the white space around it.
    fn value(&mut self, depth: usize) -> Option<Tree> {
        self.white_space();
        let tree = match self.next()? {
            '{' => self.members(depth),
            '[' => self.list(depth),
            '"' => self.text().map(Tree::Text),
            't' => self.word("rue").map(|()| Tree::Bool(true)),
            'f' => self.word("alse").map(|()| Tree::Bool(false)),
            'n' => self.word("ull").map(|()| Tree::Null),
            first => self.number(first),
        };
        self.white_space();
        tree
    }

    fn members(&mut self, depth: usize) -> Option<Tree> {
        let mut members = Vec::new();
        self.items('}', depth, |reader| {
            reader.white_space();
            (reader.next()? == '"').then_some(())?;
            let name = reader.text()?;
            reader.white_space();
            (reader.next()? == ':').then_some(())?;
            members.push((name, reader.value(depth + 1)?));
            Some(())
        })?;
        Some(Tree::Members(members))
    }

    fn list(&mut self, depth: usize) -> Option<Tree> {
        let mut elements = Vec::new();
        self.items(']', depth, |reader| {
            elements.push(reader.value(depth + 1)?);
            Some(())
        })?;
        Some(Tree::List(elements))
    }

    fn items(
        &mut self,
        end: char,
        depth: usize,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        (depth <= MAX_DEPTH).then_some(())?;
        self.white_space();
        if self.characters.get(self.at) == Some(&end) {
            self.at += 1;
            return Some(());
        }
        loop {
            item(self)?;
            match self.next()? {
                ',' => {}
                last => return (last == end).then_some(()),
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                character if character < ' ' => return None,
                character => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut units = vec![self.unit()?];
                if (0xd800..0xdc00).contains(&units[0]) {
                    self.word("\\u")?;
                    units.push(self.unit()?);
                }
                let characters = String::from_utf16(&units).ok()?;
                characters.chars().next()?
            }
            character @ ('"' | '\\' | '/') => character,
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let digits: String = (0..4).map_while(|_| self.next()).collect();
        let hex = digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        hex.then(|| u16::from_str_radix(&digits, 16).ok())?
    }

    /// Checks the grammar of RFC 8259, section 6, for everything that looks like a part of the
    /// number.
    fn number(&mut self, first: char) -> Option<Tree> {
        let mut text = String::from(first);
        while let Some(character) = self.characters.get(self.at) {
            if !(character.is_ascii_digit() || "+-.eE".contains(*character)) {
                break;
            }
            text.push(*character);
            self.at += 1;
        }
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let whole = whole.strip_prefix('-').unwrap_or(whole);
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let good = digits(whole)
            && digits(fraction)
            && digits(exponent)
            && (whole == "0" || !whole.starts_with('0'))
            && text.len() <= MAX_NUMBER_BYTES;
        good.then_some(Tree::Number(text))
    }

    fn word(&mut self, rest: &str) -> Option<()> {
        rest.chars()
            .all(|character| self.next() == Some(character))
            .then_some(())
    }

    fn white_space(&mut self) {
        while matches!(self.characters.get(self.at), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.characters.get(self.at).copied();
        self.at += 1;
        next
    }
}
