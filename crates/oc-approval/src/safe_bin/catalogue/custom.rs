//! Profiles of the configuration: `tools.exec.safeBinProfiles`.

use crate::plan::Miss;
use crate::safe_bin::decode::Decoded;
use crate::safe_bin::profile::{
    ANY_NUMBER, Dialect, Digits, Kind, Meaning, Operands, OptionRule, Options, Plus, Profile, Takes,
    TerminalRule,
};

/// One entry of `tools.exec.safeBinProfiles`, as it is written.
///
/// Without a built-in profile of that name it describes a filter: options that it does not name ask, and so does every argument that
/// could name a file by its spelling. With one it only tightens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomProfile {
    /// `minPositional`: fewer operands ask.
    pub min_positional: Option<usize>,
    /// `maxPositional`: more operands ask; 0 when it is not given and there is no built-in profile.
    pub max_positional: Option<usize>,
    /// `allowedValueFlags`: options with a value that are allowed; others with a value ask.
    pub allowed_value_flags: Option<Vec<String>>,
    /// `deniedFlags`: options that ask.
    pub denied_flags: Vec<String>,
}

impl CustomProfile {
    /// The profile that it is by itself.
    pub(super) fn profile(&self, name: &str) -> Profile {
        let rule = |flag: &String, takes: Takes| OptionRule { names: vec![spelled(flag)], takes };
        let denied = |flag| rule(flag, Takes::Denied("is refused by the configuration".to_owned()));
        let allowed = self.allowed_value_flags.iter().flatten();
        let options = self.denied_flags.iter().map(denied);
        let options = options.chain(allowed.map(|flag| rule(flag, Takes::Value(Meaning::Spelled)))).collect();
        Profile {
            program: name.to_owned(),
            also: Vec::new(),
            kind: Kind::Filter,
            says: "Described in the configuration.".to_owned(),
            dialect: Dialect::Words,
            digits: Digits::None,
            plus: Plus::Operand,
            terminal: TerminalRule::Any,
            options: Options::new(options),
            operands: Operands {
                mean: vec![Meaning::Spelled],
                first_by: Vec::new(),
                least: self.min_positional.unwrap_or(0),
                most: self.max_positional.unwrap_or(0),
                without: None,
            },
            recursion: None,
            forms: Vec::new(),
        }
    }
}

/// What the configuration takes away from a built-in profile.
#[derive(Clone, Debug)]
pub(in crate::safe_bin) struct Tightening {
    least: usize,
    most: usize,
    values: Option<Vec<String>>,
    denied: Vec<String>,
}

impl Tightening {
    pub(super) fn new(own: CustomProfile) -> Self {
        Self {
            least: own.min_positional.unwrap_or(0),
            most: own.max_positional.unwrap_or(ANY_NUMBER),
            values: own.allowed_value_flags.map(|flags| flags.iter().map(|f| spelled(f)).collect()),
            denied: own.denied_flags.iter().map(|f| spelled(f)).collect(),
        }
    }

    /// Whether what was found is within what the configuration leaves.
    pub(in crate::safe_bin) fn check(&self, decoded: &Decoded<'_>) -> Result<(), Miss> {
        for given in &decoded.options {
            let refused = given.rule.is_one_of(&self.denied)
                || !given.values.is_empty()
                    && self.values.as_ref().is_some_and(|allowed| !given.rule.is_one_of(allowed));
            if refused {
                let names = given.rule.names.join(" ");
                return Err(Miss::new("option", format!("{names} is refused by tools.exec.safeBinProfiles")));
            }
        }
        let operands = decoded.operands.len();
        if operands < self.least || operands > self.most {
            return Err(Miss::new("operand", format!("{operands} operands, tools.exec.safeBinProfiles")));
        }
        Ok(())
    }
}

/// `-o` and `--output`, also when they are written without dashes.
fn spelled(flag: &str) -> String {
    let flag = flag.trim();
    let mut letters = flag.chars();
    match (flag.starts_with('-'), letters.next(), letters.next()) {
        (true, _, _) => flag.to_owned(),
        (false, Some(_), None) => format!("-{flag}"),
        (false, _, _) => format!("--{flag}"),
    }
}
