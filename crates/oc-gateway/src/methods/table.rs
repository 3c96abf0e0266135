//! Which method is carried out by what.

use super::Handler::{self, Blocking, Quick, Waiting};
use super::{console, devices, nodes, system, system_events};

/// The handlers, by name.
const HANDLERS: [(&str, Handler); 32] = [
    ("access.pairing.approve", Blocking(console::pairing_approve)),
    ("access.pairing.list", Blocking(console::pairing_list)),
    ("audit.fix", Blocking(console::fix)),
    ("audit.run", Blocking(console::run)),
    ("audit.undo", Blocking(console::undo)),
    ("device.pair.approve", Blocking(devices::approve)),
    ("device.pair.list", Blocking(devices::list)),
    ("device.pair.reject", Blocking(devices::reject)),
    ("device.token.revoke", Blocking(devices::revoke)),
    ("device.token.rotate", Blocking(devices::rotate)),
    ("explain.ask", Blocking(console::ask)),
    ("health", Waiting(system::health)),
    ("last-heartbeat", Quick(system::last_heartbeat)),
    ("ledger.list", Blocking(console::ledger_list)),
    ("models.list", Quick(system::models)),
    ("node.describe", Blocking(nodes::describe)),
    ("node.event", Quick(nodes::event)),
    ("node.invoke", Waiting(nodes::invoke)),
    ("node.invoke.result", Quick(nodes::result)),
    ("node.list", Blocking(nodes::list)),
    ("node.pair.approve", Blocking(nodes::pair_approve)),
    ("node.pair.list", Blocking(nodes::pair_list)),
    ("node.pair.reject", Blocking(nodes::pair_reject)),
    ("node.pair.request", Blocking(nodes::pair_request)),
    ("node.pair.verify", Blocking(nodes::pair_verify)),
    ("node.rename", Blocking(nodes::rename)),
    ("reach.matrix", Blocking(console::matrix)),
    ("status", Blocking(system::status)),
    ("system-event", Quick(system_events::event)),
    ("system-presence", Quick(system::presence)),
    ("voicewake.get", Quick(system::voicewake)),
    ("wake", Quick(system_events::wake)),
];

/// The handler of a method; `None`: it is not built.
#[must_use]
pub fn handler(method: &str) -> Option<Handler> {
    HANDLERS.iter().find(|(name, _)| *name == method).map(|(_, handler)| *handler)
}

/// The methods that are offered.
#[must_use]
pub fn offered() -> Vec<&'static str> {
    HANDLERS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority;

    #[test]
    fn sp_339_every_offered_method_stands_in_the_table_of_needs() {
        for name in offered() {
            assert!(authority::need_of(name).is_some(), "{name}");
        }
        let mut names = offered();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), HANDLERS.len());
    }
}
