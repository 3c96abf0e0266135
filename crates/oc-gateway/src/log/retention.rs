//! What is kept of sessions (`session.retention`), and the removal of what is older.

use oc_fs::session_store::{Act, Pruned, prune};
use oc_types::Node;

use crate::methods::Place;

/// A day, the unit of `session.retention`, in milliseconds.
pub const DAY: u64 = 86_400_000;

/// The age that `session.retention` names, in milliseconds; `None` when everything is kept: absent, `off`, 0, or no time span.
#[must_use]
pub fn configured(config: &Node) -> Option<u64> {
    let set = config.path(&["session", "retention"])?;
    let text = set.as_entry()?;
    oc_config::span::millis(&text, DAY).filter(|ms| *ms > 0)
}

/// Removes what is older from the stores of all agents, and the copies of older files in the state directory. The gateway calls it once a
/// day with [`configured`]; `openclaw sessions prune` with what the operator says.
#[must_use]
pub fn apply(place: &Place, older_than_ms: u64, act: Act) -> Pruned {
    let stores: Vec<_> = place.stores(&place.known_agents()).into_iter().map(|(_, s)| s).collect();
    prune(&stores, &place.locations.state_dir, place.now_ms, older_than_ms, act)
}
