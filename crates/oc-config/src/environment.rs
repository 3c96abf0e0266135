//! Process variables, `.env` files, their precedence and where each came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dotenv::Entry;

/// Where a variable was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// The process environment.
    Process,
    /// A `.env` file, with the 1-based line.
    DotEnv {
        /// The file.
        file: String,
        /// The line.
        line: u32,
    },
    /// The configuration's own `env` block.
    Config {
        /// The key, with its place in the file.
        place: String,
    },
}

/// The variables a run sees. Process wins over `<cwd>/.env`, which wins over `<state>/.env`, which wins over the configuration's
/// `env` block (audit spec 4.2).
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, (String, VariableSource)>,
}

impl Environment {
    /// The process environment; pairs that are not UTF-8 must have been dropped by the caller.
    pub fn from_process<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self { variables: pairs.into_iter().map(|(k, v)| (k, (v, VariableSource::Process))).collect() }
    }

    /// The value of a variable, empty values included.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|(v, _)| v.as_str())
    }

    /// The value of a variable after trimming; `None` when it is unset or blank.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|v| !v.is_empty())
    }

    /// Where a variable was set.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&VariableSource> {
        self.variables.get(name).map(|(_, s)| s)
    }

    /// Where a variable was set, for people: `/home/u/.openclaw/.env:1`; `None` for the process environment.
    #[must_use]
    pub fn via(&self, name: &str) -> Option<Arc<str>> {
        match self.source(name)? {
            VariableSource::Process => None,
            VariableSource::DotEnv { file, line } => Some(Arc::from(format!("{file}:{line}"))),
            VariableSource::Config { place } => Some(Arc::from(place.as_str())),
        }
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Adds what a `.env` file sets; variables that are there already (even empty) stay. Inside one file the later line wins.
    pub fn add_dotenv<'a, I: IntoIterator<Item = &'a Entry>>(&mut self, file: &str, entries: I) {
        let mut added: BTreeMap<String, (String, VariableSource)> = BTreeMap::new();
        for entry in entries.into_iter().filter(|e| !self.variables.contains_key(&e.name)) {
            let source = VariableSource::DotEnv { file: file.to_owned(), line: entry.line };
            added.insert(entry.name.clone(), (entry.value.clone(), source));
        }
        self.variables.append(&mut added);
    }

    /// Fills a variable from the configuration's `env` block when it is unset or blank; says whether it did.
    pub fn fill_from_config(&mut self, name: &str, value: &str, place: &str) -> bool {
        if self.text(name).is_some() {
            return false;
        }
        let source = VariableSource::Config { place: place.to_owned() };
        self.variables.insert(name.to_owned(), (value.to_owned(), source));
        true
    }
}
