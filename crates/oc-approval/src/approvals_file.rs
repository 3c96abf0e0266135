//! `exec-approvals.json` (exec-approval 4): read, and resolved for one agent.
//!
//! Reading never fails open: a text that is no such file is an error, and the caller refuses host commands until it is mended.

pub mod edit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::allowlist::Rule;

/// How far commands on a host are checked, tightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Refused.
    Deny,
    /// The allow list, then a person.
    Allowlist,
    /// Everything runs.
    Full,
}

/// When a person is asked, least often first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Never.
    Off,
    /// In elevated sessions.
    Elevated,
    /// When the allow list does not decide.
    OnMiss,
    /// For every command.
    Always,
}

impl Security {
    /// Reads the word of the file. Another word is `None`: the next level decides.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "deny" => Some(Self::Deny),
            "allowlist" => Some(Self::Allowlist),
            "full" => Some(Self::Full),
            _ => None,
        }
    }

    /// The word of the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allowlist => "allowlist",
            Self::Full => "full",
        }
    }
}

impl Ask {
    /// Reads the word of the file.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "off" => Some(Self::Off),
            "elevated" => Some(Self::Elevated),
            "on-miss" => Some(Self::OnMiss),
            "always" => Some(Self::Always),
            _ => None,
        }
    }

    /// The word of the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Elevated => "elevated",
            Self::OnMiss => "on-miss",
            Self::Always => "always",
        }
    }
}

/// What one level of the file sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// How far commands are checked.
    pub security: Option<Security>,
    /// When a person is asked.
    pub ask: Option<Ask>,
    /// What happens when nobody answers.
    pub ask_fallback: Option<Security>,
    /// Whether the programs of installed skills run without a person.
    pub auto_allow_skills: Option<bool>,
    /// Allowed programs, in order.
    pub allowlist: Vec<Rule>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApprovalsFile {
    /// Settings below every agent's.
    pub defaults: Settings,
    /// Settings by agent; `*` is every agent.
    pub agents: BTreeMap<String, Settings>,
}

/// Why a text is no approvals file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApprovalsFileError {
    /// Not JSON.
    #[error("line {0}: not valid JSON")]
    Syntax(usize),
    /// JSON of another shape.
    #[error("{0} is not an object")]
    Shape(&'static str),
    /// A version this program does not know.
    #[error("version is not 1")]
    Version,
}

/// The settings in force for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posture {
    /// How far commands are checked; `None` leaves it to the configuration.
    pub security: Option<Security>,
    /// When a person is asked; `None` leaves it to the configuration.
    pub ask: Option<Ask>,
    /// What happens when nobody answers.
    pub ask_fallback: Security,
    /// Whether the programs of installed skills run without a person.
    pub auto_allow_skills: bool,
}

impl ApprovalsFile {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// See [`ApprovalsFileError`]; every one of them means that host commands are refused.
    pub fn parse(text: &str) -> Result<Self, ApprovalsFileError> {
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| ApprovalsFileError::Syntax(e.line()))?;
        let root = json.as_object().ok_or(ApprovalsFileError::Shape("the file"))?;
        if root.get("version").and_then(Value::as_u64) != Some(1) {
            return Err(ApprovalsFileError::Version);
        }
        let mut out = Self::default();
        match root.get("defaults") {
            None | Some(Value::Null) => {}
            Some(value @ Value::Object(_)) => out.defaults = settings(value),
            Some(_) => return Err(ApprovalsFileError::Shape("defaults")),
        }
        match root.get("agents") {
            None | Some(Value::Null) => {}
            Some(Value::Object(agents)) => {
                for (id, value) in agents {
                    if !value.is_object() {
                        return Err(ApprovalsFileError::Shape("an entry of agents"));
                    }
                    out.agents.insert(id.clone(), settings(value));
                }
            }
            Some(_) => return Err(ApprovalsFileError::Shape("agents")),
        }
        out.migrate_default();
        Ok(out)
    }

    /// The older agent `default` is `main`: what `main` sets wins, its list comes first.
    fn migrate_default(&mut self) {
        let Some(old) = self.agents.remove("default") else { return };
        let main = self.agents.entry("main".to_owned()).or_default();
        main.security = main.security.or(old.security);
        main.ask = main.ask.or(old.ask);
        main.ask_fallback = main.ask_fallback.or(old.ask_fallback);
        main.auto_allow_skills = main.auto_allow_skills.or(old.auto_allow_skills);
        for entry in old.allowlist {
            let same = |e: &Rule| e.pattern.trim().eq_ignore_ascii_case(entry.pattern.trim());
            if !main.allowlist.iter().any(same) {
                main.allowlist.push(entry);
            }
        }
    }

    /// The settings in force for an agent: its own, those of `*`, the defaults, the built-in ones.
    #[must_use]
    pub fn posture(&self, agent: &str) -> Posture {
        let levels = [self.agents.get(agent), self.agents.get("*"), Some(&self.defaults)];
        let mut levels = levels.into_iter().flatten();
        Posture {
            security: levels.clone().find_map(|s| s.security),
            ask: levels.clone().find_map(|s| s.ask),
            ask_fallback: levels.clone().find_map(|s| s.ask_fallback).unwrap_or(Security::Deny),
            auto_allow_skills: levels.find_map(|s| s.auto_allow_skills).unwrap_or(false),
        }
    }

    /// The same as rules that can be compiled.
    #[must_use]
    pub fn rules(&self, agent: &str) -> Vec<Rule> {
        self.allowlist(agent).cloned().collect()
    }

    /// The allow list in force for an agent: that of `*`, then its own. One agent's entries never count for another.
    pub fn allowlist(&self, agent: &str) -> impl Iterator<Item = &Rule> {
        [self.agents.get("*"), self.agents.get(agent).filter(|_| agent != "*")]
            .into_iter()
            .flatten()
            .flat_map(|s| &s.allowlist)
    }
}

fn settings(value: &Value) -> Settings {
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let list = value.get("allowlist").and_then(Value::as_array);
    Settings {
        security: word("security").and_then(Security::parse),
        ask: word("ask").and_then(Ask::parse),
        ask_fallback: word("askFallback").and_then(Security::parse),
        auto_allow_skills: value.get("autoAllowSkills").and_then(Value::as_bool),
        allowlist: list.into_iter().flatten().filter_map(entry).collect(),
    }
}

/// Reads one item of an allow list.
pub(crate) fn entry(value: &Value) -> Option<Rule> {
    let pattern =
        value.as_str().or_else(|| value.get("pattern")?.as_str()).filter(|p| !p.trim().is_empty())?;
    // A member of another type is no freedom: the entry then admits nothing.
    let bound = |key: &str| match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(()),
    };
    let (Ok(arguments), Ok(directory)) = (bound("argPattern"), bound("cwd")) else { return None };
    Some(Rule { pattern: pattern.to_owned(), arguments, directory })
}

#[cfg(test)]
mod tests;
