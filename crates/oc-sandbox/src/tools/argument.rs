//! Reading one argument of a call: by name or alias, of one type, or a sentence that says what is wrong.

use serde_json::{Map, Value as Json};
use thiserror::Error;

/// Why the arguments of a call cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArgumentError {
    /// It must be given.
    #[error("`{name}` is missing")]
    Missing {
        /// The argument.
        name: &'static str,
    },
    /// It has another type, or a value outside its range.
    #[error("`{name}` must be {expected}")]
    Wrong {
        /// The argument.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The same thing is said twice, differently.
    #[error("`{name}` and `{alias}` say different things; give one of them")]
    Contradiction {
        /// The argument.
        name: &'static str,
        /// Its other name.
        alias: &'static str,
    },
    /// The text of a patch cannot be read.
    #[error("`input` is no patch: {0}")]
    Patch(#[from] super::patch::PatchError),
}

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(pub &'a Map<String, Json>);

impl<'a> Arguments<'a> {
    fn get(
        &self,
        name: &'static str,
        alias: Option<&'static str>,
    ) -> Result<Option<&'a Json>, ArgumentError> {
        let present = |key: &str| self.0.get(key).filter(|v| !v.is_null());
        match (present(name), alias.and_then(|a| Some((a, present(a)?)))) {
            (Some(one), Some((alias, other))) if one != other => {
                Err(ArgumentError::Contradiction { name, alias })
            }
            (Some(one), _) => Ok(Some(one)),
            (None, other) => Ok(other.map(|(_, v)| v)),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// When it is there and no text.
    pub fn text(
        &self,
        name: &'static str,
        alias: Option<&'static str>,
    ) -> Result<Option<&'a str>, ArgumentError> {
        match self.get(name, alias)? {
            None => Ok(None),
            Some(v) => v.as_str().map(Some).ok_or(ArgumentError::Wrong { name, expected: "a text" }),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is missing or no text.
    pub fn required(
        &self,
        name: &'static str,
        alias: Option<&'static str>,
    ) -> Result<&'a str, ArgumentError> {
        self.text(name, alias)?.ok_or(ArgumentError::Missing { name })
    }

    /// A whole number from `least` on.
    ///
    /// # Errors
    /// When it is there and not such a number.
    pub fn number(
        &self,
        name: &'static str,
        least: u64,
        expected: &'static str,
    ) -> Result<Option<u64>, ArgumentError> {
        let wrong = ArgumentError::Wrong { name, expected };
        match self.get(name, None)? {
            None => Ok(None),
            // Some callers write 5.0 for 5.
            Some(v) => match v.as_u64().or_else(|| whole(v.as_f64()?)) {
                Some(n) if n >= least => Ok(Some(n)),
                _ => Err(wrong),
            },
        }
    }

    /// A yes or no.
    ///
    /// # Errors
    /// When it is there and neither.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, ArgumentError> {
        match self.get(name, None)? {
            None => Ok(None),
            Some(v) => v.as_bool().map(Some).ok_or(ArgumentError::Wrong { name, expected: "true or false" }),
        }
    }

    /// A map of texts.
    ///
    /// # Errors
    /// When it is there and anything else.
    pub fn texts(&self, name: &'static str) -> Result<Vec<(String, String)>, ArgumentError> {
        let wrong = ArgumentError::Wrong { name, expected: "an object of texts" };
        let Some(value) = self.get(name, None)? else { return Ok(Vec::new()) };
        let members = value.as_object().ok_or(wrong.clone())?;
        members.iter().map(|(k, v)| Ok((k.clone(), v.as_str().ok_or(wrong.clone())?.to_owned()))).collect()
    }

    /// A list of texts.
    ///
    /// # Errors
    /// When it is there and anything else.
    pub fn list(&self, name: &'static str) -> Result<Vec<String>, ArgumentError> {
        let wrong = ArgumentError::Wrong { name, expected: "a list of texts" };
        let Some(value) = self.get(name, None)? else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(wrong.clone())?;
        items.iter().map(|v| Ok(v.as_str().ok_or(wrong.clone())?.to_owned())).collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "checked: whole, not negative, exactly representable"
)]
fn whole(f: f64) -> Option<u64> {
    (f >= 0.0 && f.trunc() == f && f < 9_007_199_254_740_992.0).then_some(f as u64)
}
