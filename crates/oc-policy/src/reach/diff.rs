//! What a change of the configuration opens and closes.

use std::collections::BTreeMap;

use oc_types::AgentId;
use serde::Serialize;

use super::{Caller, Cell, Reach, Way};

/// Whether a change lets more through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Was shut, is open.
    Opens,
    /// Open before and after, now with less in between or nearer to the host.
    Loosens,
    /// Open before and after, now with more in between.
    Tightens,
    /// Was open, is shut.
    Closes,
}

impl Direction {
    /// Whether this widens access.
    #[must_use]
    pub fn widens(self) -> bool {
        matches!(self, Self::Opens | Self::Loosens)
    }
}

/// One cell that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// Who.
    pub caller: Caller,
    /// Which agent.
    pub agent: AgentId,
    /// Which tool.
    pub tool: String,
    /// How it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Way>,
    /// How it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Way>,
}

type Key<'a> = (Caller, &'a AgentId, &'a str);

fn by_key(reach: &Reach) -> BTreeMap<Key<'_>, &Cell> {
    reach.cells.iter().map(|c| ((c.caller, &c.agent, c.tool.as_str()), c)).collect()
}

/// Every cell that differs, widening ones first.
#[must_use]
pub fn diff(before: &Reach, after: &Reach) -> Vec<Change> {
    let (old, new) = (by_key(before), by_key(after));
    let mut changes = Vec::new();
    let mut push = |direction, key: &Key<'_>, was: Option<&Cell>, is: Option<&Cell>| {
        changes.push(Change {
            direction,
            caller: key.0,
            agent: key.1.clone(),
            tool: key.2.to_owned(),
            before: was.map(|c| c.way.clone()),
            after: is.map(|c| c.way.clone()),
        });
    };
    for (key, is) in &new {
        match old.get(key) {
            None => push(Direction::Opens, key, None, Some(is)),
            Some(was) => {
                let looser = is.way.host > was.way.host || is.way.approval > was.way.approval;
                let tighter = is.way.host < was.way.host || is.way.approval < was.way.approval;
                if looser {
                    push(Direction::Loosens, key, Some(was), Some(is));
                } else if tighter {
                    push(Direction::Tightens, key, Some(was), Some(is));
                }
            }
        }
    }
    for (key, was) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        push(Direction::Closes, key, Some(was), None);
    }
    changes.sort_by(|a, b| {
        (a.direction, a.caller, &a.agent, &a.tool).cmp(&(b.direction, b.caller, &b.agent, &b.tool))
    });
    changes
}
