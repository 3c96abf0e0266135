//! Whether a change widens access.

use oc_types::Segment;
use serde_json::Value as Json;

use super::Access;
use super::rules::{
    ADMITTING, CLOSING, CLOSING_WHEN_SET, DOORS, FORBIDDING, ON_WHEN_ABSENT, OPENING, RESTRICTING, SCALES,
    Scale,
};
use crate::difference::KeyChange;
use crate::{schema, view};

/// What a change did to access, and why in a few words. `before` and `after` are the whole configurations.
///
/// When no rule ranks a protected key, the answer is [`Access::Review`], never [`Access::Neutral`].
#[must_use]
pub fn judge(change: &KeyChange, before: &Json, after: &Json) -> (Access, &'static str) {
    let keys: Vec<&str> = change
        .path
        .segments()
        .iter()
        .filter_map(|s| match s {
            Segment::Key(k) => Some(k.as_str()),
            Segment::Index(_) => None,
        })
        .collect();
    let (old, new) = (change.before.as_ref(), change.after.as_ref());
    door(change, before, after)
        .or_else(|| credential(change))
        .or_else(|| scale(&keys, old, new))
        .or_else(|| list(&keys, old, new))
        .or_else(|| switch(&keys, old, new))
        .unwrap_or_else(|| {
            if schema::is_security_key(&change.path) {
                (Access::Review, "a protected key changed")
            } else {
                (Access::Neutral, "")
            }
        })
}

/// A whole member of one of the [`DOORS`] came or went.
fn door(change: &KeyChange, before: &Json, after: &Json) -> Option<(Access, &'static str)> {
    let steps = change.path.segments();
    for pattern in DOORS {
        let fits = steps.len() > pattern.len()
            && pattern.iter().zip(steps).all(|(p, s)| *p == "*" || matches!(s, Segment::Key(k) if k == p));
        if !fits {
            continue;
        }
        let member = |tree: &Json| {
            steps
                .iter()
                .take(pattern.len() + 1)
                .try_fold(tree, |t, s| match s {
                    Segment::Key(k) => t.get(k),
                    Segment::Index(i) => t.get(*i),
                })
                .is_some()
        };
        // `channels.defaults` is no channel.
        let defaults = matches!(steps.get(pattern.len()), Some(Segment::Key(k)) if k == "defaults");
        match (member(before), member(after)) {
            (false, true) if !defaults => return Some((Access::Widens, "a new way in")),
            (true, false) if !defaults => return Some((Access::Narrows, "a way in is closed")),
            _ => {}
        }
    }
    None
}

fn credential(change: &KeyChange) -> Option<(Access, &'static str)> {
    if !view::is_sensitive(&change.path)
        || change.path.segments().iter().any(|s| matches!(s, Segment::Key(k) if k == "maxTokens"))
    {
        return None;
    }
    let text =
        |v: &Option<Json>| v.as_ref().is_some_and(|v| !v.is_null() && !v.is_number() && !v.is_boolean());
    match (text(&change.before), text(&change.after)) {
        (true, false) => Some((Access::Widens, "a credential is gone")),
        (false, true) => Some((Access::Review, "a credential was added")),
        (true, true) => Some((Access::Review, "a credential was replaced")),
        (false, false) => None,
    }
}

fn scale(keys: &[&str], old: Option<&Json>, new: Option<&Json>) -> Option<(Access, &'static str)> {
    let scale = SCALES.iter().find(|s| keys.ends_with(s.key))?;
    let (a, b) = (rank(scale, old), rank(scale, new));
    Some(match a.cmp(&b) {
        std::cmp::Ordering::Less => (Access::Widens, scale.why),
        std::cmp::Ordering::Equal => (Access::Neutral, ""),
        std::cmp::Ordering::Greater => (Access::Narrows, ""),
    })
}

/// The place of a value on a scale; what the scale does not know is widest.
fn rank(scale: &Scale, value: Option<&Json>) -> usize {
    let word = match value {
        None | Some(Json::Null) => scale.absent,
        Some(Json::String(s)) => s.as_str(),
        Some(_) => return scale.order.len(),
    };
    scale.order.iter().position(|group| group.contains(&word)).unwrap_or(scale.order.len())
}

fn list(keys: &[&str], old: Option<&Json>, new: Option<&Json>) -> Option<(Access, &'static str)> {
    let last = *keys.last()?;
    // `elevated.allowFrom.<channel>` and the like: the list is named one step above.
    let above = keys.len().checked_sub(2).and_then(|i| keys.get(i)).copied().unwrap_or_default();
    let named =
        |names: &[&str]| names.contains(&last) || (names.contains(&above) && is_list(old) && is_list(new));
    let (a, b) = (items(old), items(new));
    let gained = b.iter().any(|x| !a.contains(x));
    let lost = a.iter().any(|x| !b.contains(x));
    if named(ADMITTING) {
        if gained && b.iter().any(|x| x.as_str() == Some("*")) && !a.iter().any(|x| x.as_str() == Some("*")) {
            return Some((Access::Widens, "everybody is let in"));
        }
        return Some(if gained {
            (Access::Widens, "the list lets more in")
        } else if lost {
            (Access::Narrows, "")
        } else {
            (Access::Neutral, "")
        });
    }
    if named(RESTRICTING) {
        return Some(match (a.is_empty(), b.is_empty()) {
            (false, true) => (Access::Widens, "the list no longer restricts anything"),
            (true, false) => (Access::Narrows, ""),
            (false, false) if gained => (Access::Widens, "the list lets more in"),
            (false, false) if lost => (Access::Narrows, ""),
            _ => (Access::Neutral, ""),
        });
    }
    if named(FORBIDDING) {
        return Some(if lost {
            (Access::Widens, "the list keeps less out")
        } else if gained {
            (Access::Narrows, "")
        } else {
            (Access::Neutral, "")
        });
    }
    None
}

fn is_list(value: Option<&Json>) -> bool {
    value.is_none_or(Json::is_array)
}

fn items(value: Option<&Json>) -> Vec<Json> {
    match value {
        Some(Json::Array(a)) => a.clone(),
        None | Some(Json::Null) => Vec::new(),
        Some(other) => vec![other.clone()],
    }
}

fn switch(keys: &[&str], old: Option<&Json>, new: Option<&Json>) -> Option<(Access, &'static str)> {
    let last = *keys.last()?;
    let above = keys.len().checked_sub(2).and_then(|i| keys.get(i)).copied().unwrap_or_default();
    let flag = |v: Option<&Json>| match v {
        None | Some(Json::Null) => Some(None),
        Some(Json::Bool(b)) => Some(Some(*b)),
        Some(_) => None,
    };
    let (a, b) = (flag(old)?, flag(new)?);
    let in_channels = keys.first() == Some(&"channels");
    let (open_when, absent) = if last == "enabled" {
        (true, in_channels || ON_WHEN_ABSENT.contains(&above))
    } else if CLOSING.contains(&last) {
        (false, true)
    } else if CLOSING_WHEN_SET.contains(&last) {
        (false, false)
    } else if OPENING.contains(&last)
        || ["allow", "dangerously", "insecure", "bypass"].iter().any(|p| last.starts_with(p))
        || last.ends_with("Insecure")
    {
        (true, false)
    } else {
        return None;
    };
    let open = |v: Option<bool>| v.unwrap_or(absent) == open_when;
    Some(match (open(a), open(b)) {
        (false, true) if open_when => (Access::Widens, "it is switched on"),
        (false, true) => (Access::Widens, "a protection is switched off"),
        (true, false) => (Access::Narrows, ""),
        _ => (Access::Neutral, ""),
    })
}
