//! Process variables, `.env` files, their precedence and deny rules.

use std::collections::BTreeMap;

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
}

/// The variables a run sees. Process wins over `<cwd>/.env`, which wins over `<state>/.env` (audit spec 4.2).
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

    /// Where a variable was set.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&VariableSource> {
        self.variables.get(name).map(|(_, s)| s)
    }
}
