//! The options of a profile, found by name without looking at each.

use super::OptionRule;

/// One past the largest letter that has an entry of its own.
const LETTERS: usize = 128;

/// The rules of a profile and where each name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::safe_bin) struct Options {
    rules: Vec<OptionRule>,
    /// For `-x`, one more than the place of its rule; 0 when there is none.
    letters: Vec<u16>,
    /// Every name with the place of its rule, sorted.
    names: Vec<(String, u16)>,
}

impl Options {
    pub(in crate::safe_bin) fn new(rules: Vec<OptionRule>) -> Self {
        let mut letters = vec![0; LETTERS];
        let mut names = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let Ok(place) = u16::try_from(place) else { break };
            for name in &rule.names {
                names.push((name.clone(), place));
                if let [b'-', letter] = name.as_bytes()
                    && let Some(entry) = letters.get_mut(usize::from(*letter))
                    && *entry == 0
                {
                    *entry = place.saturating_add(1);
                }
            }
        }
        names.sort();
        Self { rules, letters, names }
    }

    pub(in crate::safe_bin) fn iter(&self) -> std::slice::Iter<'_, OptionRule> {
        self.rules.iter()
    }

    /// The rule of a name, exactly.
    pub(in crate::safe_bin) fn get(&self, name: &str) -> Option<&OptionRule> {
        if let [b'-', letter] = name.as_bytes() {
            return self.letter(char::from(*letter));
        }
        let place = self.names.partition_point(|(own, _)| own.as_str() < name);
        let (own, rule) = self.names.get(place)?;
        (own == name).then(|| self.rules.get(usize::from(*rule))).flatten()
    }

    /// The rule of `-x`.
    pub(in crate::safe_bin) fn letter(&self, letter: char) -> Option<&OptionRule> {
        let entry = self.letters.get(usize::try_from(u32::from(letter)).ok()?)?;
        self.rules.get(usize::from(entry.checked_sub(1)?))
    }

    /// Every name that starts with a text, with its rule.
    pub(in crate::safe_bin) fn starting<'a, 's>(
        &'a self,
        start: &'s str,
    ) -> impl Iterator<Item = (&'a str, &'a OptionRule)> + use<'a, 's> {
        let first = self.names.partition_point(|(own, _)| own.as_str() < start);
        let names = self.names.get(first..).unwrap_or_default();
        let fitting = names.iter().take_while(move |(own, _)| own.starts_with(start));
        fitting.filter_map(|(own, rule)| Some((own.as_str(), self.rules.get(usize::from(*rule))?)))
    }
}
