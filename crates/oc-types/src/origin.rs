//! Where a value came from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a text. Line and column count from 1; the column counts Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// A position from its two numbers, both counted from 1.
    #[must_use]
    pub fn new(line: u32, column: u32) -> Self {
        Self { line, column }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where a value came from. For an object member the position is that of its key token (of its quote, if quoted);
/// for a list element that of the element; for the root `1:1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A configuration file. `at` is `None` when the two readers of the text disagree about positions.
    File {
        /// The file as named to the user (absolute path).
        file: Arc<str>,
        /// Position of the key token or list element.
        at: Option<Position>,
    },
    /// A file reached through `$include`.
    Include {
        /// The included file.
        file: Arc<str>,
        /// Position in the included file.
        at: Option<Position>,
        /// Where the `$include` key stands (itself possibly in an include).
        from: Arc<Origin>,
    },
    /// A value whose text came from `${VAR}` references (or a variable that overrides a key).
    Env {
        /// Variable names in order of appearance.
        names: Arc<[Arc<str>]>,
        /// The file position that holds the reference; `None` for a variable that overrides a key by itself.
        behind: Option<Arc<Origin>>,
        /// Where the variable itself was set when not in the process environment, for example `<state>/.env:1`.
        via: Option<Arc<str>>,
    },
    /// A value read from an older key and moved in memory.
    Migrated {
        /// The older key path, as text.
        from_key: Arc<str>,
        /// Where that key stands.
        from: Arc<Origin>,
    },
    /// A state file (pairing store, session store, approvals file).
    Store {
        /// The file.
        file: Arc<str>,
        /// Position, when known.
        at: Option<Position>,
    },
    /// Given with `--set` on the command line.
    CommandLine,
    /// Not set; the value in force is the product's default.
    Default,
    /// A rule of the program that no key changes.
    Builtin,
}

impl Origin {
    /// An origin in a plain configuration file.
    #[must_use]
    pub fn file(file: &Arc<str>, at: Option<Position>) -> Self {
        Self::File { file: Arc::clone(file), at }
    }

    /// The file this origin lies in, if it lies in one.
    #[must_use]
    pub fn file_name(&self) -> Option<&Arc<str>> {
        match self {
            Self::File { file, .. } | Self::Include { file, .. } | Self::Store { file, .. } => Some(file),
            Self::Env { behind, .. } => behind.as_ref().and_then(|o| o.file_name()),
            Self::Migrated { from, .. } => from.file_name(),
            Self::CommandLine | Self::Default | Self::Builtin => None,
        }
    }

    /// The position in that file, if known.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::File { at, .. } | Self::Include { at, .. } | Self::Store { at, .. } => *at,
            Self::Env { behind, .. } => behind.as_ref().and_then(|o| o.position()),
            Self::Migrated { from, .. } => from.position(),
            Self::CommandLine | Self::Default | Self::Builtin => None,
        }
    }

    /// The stable word for JSON: `file`, `include`, `env`, `migrated`, `store`, `command-line`, `default`, `builtin`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Include { .. } => "include",
            Self::Env { .. } => "env",
            Self::Migrated { .. } => "migrated",
            Self::Store { .. } => "store",
            Self::CommandLine => "command-line",
            Self::Default => "default",
            Self::Builtin => "builtin",
        }
    }
}

/// `base name:line:column` for files; the chain for includes, variables and migrations. File names are shortened to their last component.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn place(f: &mut std::fmt::Formatter<'_>, file: &str, at: Option<Position>) -> std::fmt::Result {
            let name = file.rsplit('/').next().unwrap_or(file);
            match at {
                Some(p) => write!(f, "{name}:{p}"),
                None => f.write_str(name),
            }
        }
        match self {
            Self::File { file, at } | Self::Store { file, at } => place(f, file, *at),
            Self::Include { file, at, from } => {
                place(f, file, *at)?;
                write!(f, " (included at {from})")
            }
            Self::Env { names, behind, via } => {
                if let Some(b) = behind {
                    write!(f, "{b} -> ")?;
                }
                f.write_str("environment ")?;
                for (i, n) in names.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    f.write_str(n)?;
                }
                if let Some(v) = via {
                    write!(f, " ({v})")?;
                }
                Ok(())
            }
            Self::Migrated { from_key, from } => write!(f, "{from} (legacy key {from_key})"),
            Self::CommandLine => f.write_str("command line"),
            Self::Default => f.write_str("default"),
            Self::Builtin => f.write_str("builtin"),
        }
    }
}

/// `{kind, file?, line?, column?, includedAt?, env?, behind?, via?, legacyKey?}`.
impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut m = s.serialize_map(None)?;
        m.serialize_entry("kind", self.kind())?;
        if let Some(file) = self.file_name() {
            m.serialize_entry("file", &**file)?;
        }
        if let Some(p) = self.position() {
            m.serialize_entry("line", &p.line)?;
            m.serialize_entry("column", &p.column)?;
        }
        match self {
            Self::Include { from, .. } => m.serialize_entry("includedAt", &**from)?,
            Self::Env { names, via, .. } => {
                m.serialize_entry("env", &names.iter().map(|n| &**n).collect::<Vec<_>>())?;
                if let Some(v) = via {
                    m.serialize_entry("via", &**v)?;
                }
            }
            Self::Migrated { from_key, .. } => m.serialize_entry("legacyKey", &**from_key)?,
            Self::File { .. } | Self::Store { .. } | Self::CommandLine | Self::Default | Self::Builtin => {}
        }
        m.end()
    }
}
