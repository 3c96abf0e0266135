//! Where a value stands, borrowed from the configuration: every message asks for some dozens of settings, and few of their key paths are
//! shown. The path is made when somebody wants it.

use std::sync::Arc;

use oc_types::KeyPath;

/// Keys that are kept without an allocation; deeper ones go on from a path.
const NEAR: usize = 8;

/// A key path that is not written out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place<'a> {
    /// What comes before the keys, when it is not borrowed or was too deep.
    base: Option<Arc<KeyPath>>,
    keys: [&'a str; NEAR],
    count: usize,
}

impl<'a> Place<'a> {
    /// A place that is not of the configuration's own words.
    pub(crate) fn of(path: KeyPath) -> Self {
        Self { base: Some(Arc::new(path)), ..Self::default() }
    }

    /// One key deeper.
    pub(crate) fn key(&self, key: &'a str) -> Self {
        let mut next = self.clone();
        if let Some(free) = next.keys.get_mut(next.count) {
            *free = key;
            next.count += 1;
            return next;
        }
        Self::of(self.path().key(key))
    }

    /// The key path.
    pub(crate) fn path(&self) -> KeyPath {
        let keys = self.keys.iter().take(self.count).copied();
        match &self.base {
            None => KeyPath::keys(keys),
            Some(base) => base.join(&KeyPath::keys(keys)),
        }
    }

    /// Whether this is `prefix` or lies below it.
    pub(crate) fn starts_with(&self, prefix: &Self) -> bool {
        match (&self.base, &prefix.base) {
            (None, None) => {
                let keys = |p: &Self| p.keys.into_iter().take(p.count).collect::<Vec<_>>();
                keys(self).starts_with(&keys(prefix))
            }
            _ => self.path().starts_with(&prefix.path()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_path_that_its_keys_make_however_deep() {
        let words =
            ["a", "b c", "-1", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"];
        let mut place = Place::default();
        let mut path = KeyPath::root();
        let mut all = vec![place.clone()];
        for word in words {
            place = place.key(word);
            path = path.key(word);
            assert_eq!(place.path(), path);
            all.push(place.clone());
        }
        let other = Place::of(KeyPath::dotted("a")).key("b c");
        assert_eq!(other.path(), all[2].path());
        assert!(other.starts_with(&all[1]) && all[17].starts_with(&other) && all[3].starts_with(&all[3]));
        for (n, one) in all.iter().enumerate() {
            for (m, prefix) in all.iter().enumerate() {
                assert_eq!(one.starts_with(prefix), m <= n, "{n} {m}");
            }
        }
        assert!(!all[2].starts_with(&Place::default().key("b")));
    }
}
