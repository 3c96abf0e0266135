//! What a skill says about itself.

use oc_text::visible;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::front_matter::{self, Unreadable};

#[cfg(test)]
mod tests;

/// Longest name, in bytes.
pub const MAX_NAME: usize = 64;
/// Longest description that is shown to a model, in characters.
pub const MAX_DESCRIPTION: usize = 1024;
/// Most entries of a list of requirements.
pub const MAX_LIST: usize = 64;

/// A skill's name (SP-018): it becomes the name of a folder in sandboxes and a key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillName(String);

/// A list of names that a skill needs.
pub type Names = Vec<String>;

/// What must be there before a skill is of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Programs, all of them.
    pub bins: Names,
    /// Programs, at least one of them; empty: none.
    pub any_bins: Names,
    /// Variables of the environment.
    pub env: Names,
    /// Keys of the configuration that must be set to something.
    pub config: Names,
    /// Systems, one of them; empty: any.
    pub os: Names,
}

/// A skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Its name.
    pub name: SkillName,
    /// What it is for: one line, printable.
    pub description: String,
    /// Its key below `skills.entries`.
    pub key: String,
    /// Offered whatever it needs.
    pub always: bool,
    /// Not named in the prompt.
    pub hidden_from_model: bool,
    /// The variable that its `apiKey` setting fills.
    pub primary_env: Option<String>,
    /// What it needs.
    pub requires: Requirements,
}

/// Why a `SKILL.md` is no skill.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotASkill {
    /// Its head cannot be read.
    #[error("{0}")]
    Head(#[from] Unreadable),
    /// A member that must be there is not.
    #[error("the front matter has no `{0}`")]
    Missing(&'static str),
    /// The name cannot be a folder's name.
    #[error(
        "the name {0:?} is not usable: use letters, digits, `-`, `_`, `.` and blanks, at most {MAX_NAME} bytes, not starting with a dot"
    )]
    Name(String),
    /// A member of the metadata has another form than it must have.
    #[error("`{0}` in the front matter is not understood")]
    Metadata(&'static str),
}

impl NotASkill {
    /// Whether the file does not even try to be one: such a folder is passed over in silence.
    #[must_use]
    pub fn is_other_file(&self) -> bool {
        matches!(self, Self::Head(Unreadable::Missing))
    }
}

impl SkillName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NotASkill::Name`].
    pub fn parse(text: &str) -> Result<Self, NotASkill> {
        let text = text.trim();
        let fine = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        let ok = (1..=MAX_NAME).contains(&text.len())
            && text.chars().all(fine)
            && !text.starts_with('.')
            && !matches!(text, "__proto__" | "constructor" | "prototype");
        if ok { Ok(Self(text.to_owned())) } else { Err(NotASkill::Name(visible(text, 80))) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SkillName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a `SKILL.md`. What its requirements say must be understood, or it is no skill: an overlooked requirement would make it fit.
///
/// # Errors
/// See [`NotASkill`].
pub fn parse(text: &str) -> Result<Skill, NotASkill> {
    let head = front_matter::read(text)?;
    let one = |key: &'static str| match head.get(key) {
        Some(Value::String(s)) if !s.trim().is_empty() => Ok(s.trim()),
        None | Some(Value::Null | Value::String(_)) => Err(NotASkill::Missing(key)),
        Some(_) => Err(NotASkill::Metadata(key)),
    };
    let name = SkillName::parse(one("name")?)?;
    let description = one("description")?.split_whitespace().collect::<Vec<_>>().join(" ");
    let description = visible(&description, MAX_DESCRIPTION);
    let own = own_metadata(&head)?;
    let requires = match own.get("requires") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(_) => return Err(NotASkill::Metadata("requires")),
    };
    let known = ["bins", "anyBins", "env", "config"];
    if requires.keys().any(|k| !known.contains(&k.as_str())) {
        return Err(NotASkill::Metadata("requires"));
    }
    Ok(Skill {
        key: text_of(&own, "skillKey")?.map_or_else(|| Ok(name.clone()), |k| SkillName::parse(&k))?.0,
        name,
        description,
        always: flag(&own, "always")?,
        hidden_from_model: flag(&head, "disable-model-invocation")?,
        primary_env: text_of(&own, "primaryEnv")?,
        requires: Requirements {
            bins: names(&requires, "bins")?,
            any_bins: names(&requires, "anyBins")?,
            env: names(&requires, "env")?,
            config: names(&requires, "config")?,
            os: names(&own, "os")?,
        },
    })
}

/// The object below `metadata.openclaw` (older: `clawdbot`, `moltbot`); `metadata` may be JSON5 text.
fn own_metadata(head: &Map<String, Value>) -> Result<Map<String, Value>, NotASkill> {
    let metadata = match head.get("metadata") {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(members)) => members.clone(),
        Some(_) => return Err(NotASkill::Metadata("metadata")),
    };
    match ["openclaw", "clawdbot", "moltbot"].iter().find_map(|k| metadata.get(*k)) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members.clone()),
        Some(_) => Err(NotASkill::Metadata("metadata.openclaw")),
    }
}

fn flag(of: &Map<String, Value>, key: &'static str) -> Result<bool, NotASkill> {
    match of.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(on)) => Ok(*on),
        Some(_) => Err(NotASkill::Metadata(key)),
    }
}

fn text_of(of: &Map<String, Value>, key: &'static str) -> Result<Option<String>, NotASkill> {
    match of.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.trim().to_owned()).filter(|s| !s.is_empty())),
        Some(_) => Err(NotASkill::Metadata(key)),
    }
}

fn names(of: &Map<String, Value>, key: &'static str) -> Result<Names, NotASkill> {
    let list = match of.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(one)) => vec![Value::String(one.clone())],
        Some(Value::Array(list)) if list.len() <= MAX_LIST => list.clone(),
        Some(_) => return Err(NotASkill::Metadata(key)),
    };
    let mut out = Vec::new();
    for entry in list {
        let Value::String(text) = entry else { return Err(NotASkill::Metadata(key)) };
        let text = text.trim();
        // Blank names and names that no program, variable or key has stay: they are never satisfied.
        if text.len() > 256 || text.chars().any(char::is_control) {
            return Err(NotASkill::Metadata(key));
        }
        if !out.contains(&text.to_owned()) {
            out.push(text.to_owned());
        }
    }
    Ok(out)
}

/// Whether a text may be asked for as the name of a program: no path, nothing that a shell or a search would take otherwise.
#[must_use]
pub fn is_program_name(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._+-@".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(fine) && !text.starts_with(['.', '-'])
}
