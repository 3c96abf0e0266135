//! The nearest valid key for an unknown one.

use oc_text::distance::nearest;
use oc_types::KeyPath;

use crate::Reading;
use crate::moved;
use crate::schema::{Key, Shape, places};

/// What to say about an unknown key.
#[derive(Debug, Default)]
pub(super) struct Hint {
    /// Instead of "unknown key".
    pub(super) message: Option<String>,
    /// The full path of the nearest valid key.
    pub(super) nearest: Option<String>,
    /// Instead of "rename or remove it".
    pub(super) fix: Option<String>,
}

/// Looks at the listed moves first, then at the key's siblings, then at the same section, then everywhere.
pub(super) fn for_key(at: &KeyPath, name: &str, shape: Shape, reading: Reading) -> Hint {
    if let Some(to) = moved::target(at) {
        let fix = match reading {
            Reading::Product => format!("write {to} instead"),
            Reading::Era => format!("write {to} instead; `openclaw doctor --fix` does it"),
        };
        return Hint { message: Some("this key has moved".to_owned()), nearest: Some(to), fix: Some(fix) };
    }
    let known = |k: &&Key| reading == Reading::Product || !k.product;
    let siblings = shape.keys().filter(known).map(|k| k.name);
    let parent = at.parent().unwrap_or_default();
    if let Some(near) = nearest(name, siblings) {
        return Hint { nearest: Some(parent.key(near).to_string()), ..Hint::default() };
    }
    Hint { nearest: elsewhere(at, name, reading), ..Hint::default() }
}

/// The same key, or one with nearly its name, in another object: the same section before others, shorter paths first.
fn elsewhere(at: &KeyPath, name: &str, reading: Reading) -> Option<String> {
    let section = at.to_string();
    let section = section.split(['.', '[']).next().unwrap_or_default();
    let mut candidates: Vec<_> = places()
        .into_iter()
        .filter(|p| reading == Reading::Product || !p.product)
        .filter(|p| !p.pattern.contains(".config."))
        .map(|p| {
            let own = p.pattern.split(['.', '[']).next() == Some(section);
            (!own, p.pattern.matches('.').count(), p.pattern, p.key.name)
        })
        .collect();
    candidates.sort_by_key(|(foreign, depth, ..)| (*foreign, *depth));
    let exact = candidates.iter().find(|(_, _, _, key)| *key == name);
    let near = || {
        let own: Vec<_> = candidates.iter().filter(|(foreign, ..)| !foreign).collect();
        let word = nearest(name, own.iter().map(|(_, _, _, key)| *key))?;
        own.into_iter().find(|(_, _, _, key)| *key == word)
    };
    exact.or_else(near).map(|(_, _, pattern, _)| pattern.clone())
}
