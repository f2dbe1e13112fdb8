//! Command lines that are the same in every language: arguments, and environment variables in place of them.

use std::ffi::OsString;

/// The options of a command.
pub(crate) struct Grammar {
    /// What the names of the environment variables begin with.
    pub(crate) prefix: &'static str,
    /// Options without a value, besides `--help`.
    pub(crate) flags: &'static [&'static str],
    /// Flags whose environment variable may have any value, because the site uses the same variable.
    pub(crate) present: &'static [&'static str],
    /// Options with a value.
    pub(crate) options: &'static [&'static str],
    /// Options with a value that may be repeated. The values in a variable are separated by commas.
    pub(crate) lists: &'static [&'static str],
}

/// The values of options and the flags, by name.
#[derive(Default)]
pub(crate) struct Values {
    values: Vec<(String, String)>,
    flags: Vec<String>,
}

impl Grammar {
    /// Reads a command line. The arguments come before the variables.
    pub(crate) fn parse(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Values, String> {
        let mut values = Values::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let argument = text(argument)?;
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let name = match name {
                "-h" => "help",
                _ => name
                    .strip_prefix("--")
                    .filter(|name| self.knows(name))
                    .ok_or_else(|| format!("unknown argument {}", shown(name)))?,
            };
            if name == "help" || self.flags.contains(&name) {
                if given.is_some() {
                    return Err(format!("--{name} takes no value"));
                }
                values.flags.push(name.to_owned());
                continue;
            }
            let value = match given {
                Some(value) => value,
                None => text(
                    arguments
                        .next()
                        .ok_or_else(|| format!("--{name} needs a value"))?,
                )?,
            };
            if !self.lists.contains(&name) {
                values.values.retain(|(known, _)| known != name);
            }
            values.values.push((name.to_owned(), value));
        }
        self.add_variables(&mut values, variable)?;
        Ok(values)
    }

    fn knows(&self, name: &str) -> bool {
        let known = [self.flags, self.options, self.lists];
        name == "help" || known.iter().any(|names| names.contains(&name))
    }

    fn add_variables(
        &self,
        values: &mut Values,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let name_of = |name: &str| {
            let name = name.to_ascii_uppercase().replace('-', "_");
            format!("{}{name}", self.prefix)
        };
        let set = |name: &&'static str| {
            let value = variable(&name_of(name)).filter(|value| !value.is_empty())?;
            Some((*name, value))
        };
        for (name, value) in self.flags.iter().filter_map(set) {
            match value.as_str() {
                "0" | "false" | "no" => {}
                _ if self.present.contains(&name) => values.flags.push(name.to_owned()),
                "1" | "true" | "yes" => values.flags.push(name.to_owned()),
                _ => return Err(format!("{} is neither 1 nor 0", name_of(name))),
            }
        }
        let given: Vec<_> = values.values.iter().map(|(name, _)| name.clone()).collect();
        let is_free = |name: &&&'static str| !given.iter().any(|known| known == **name);
        for (name, value) in self.options.iter().filter(is_free).filter_map(set) {
            values.values.push((name.to_owned(), value));
        }
        for (name, value) in self.lists.iter().filter(is_free).filter_map(set) {
            let items = value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            let items = items.map(|item| (name.to_owned(), item.to_owned()));
            values.values.extend(items);
        }
        Ok(())
    }
}

impl Values {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }

    /// The value of an option.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let found = self.values.iter().position(|(known, _)| known == name)?;
        Some(self.values.remove(found).1)
    }
}

/// Whether the value of a variable turns an option on or off, and is nothing else.
pub(crate) fn is_switch(value: &str) -> bool {
    matches!(value, "" | "0" | "1" | "false" | "no" | "true" | "yes")
}

fn text(argument: OsString) -> Result<String, String> {
    argument
        .into_string()
        .map_err(|_| "an argument is not UTF-8".to_owned())
}

/// An argument for a message: it may have been a secret that was passed by mistake.
fn shown(name: &str) -> &str {
    if name.starts_with("--") && name.len() < 32 {
        name
    } else {
        "(not shown)"
    }
}
