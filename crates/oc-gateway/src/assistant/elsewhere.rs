//! Whether another session is behind a turn, at whatever distance (SP-107, SP-418).
//!
//! What a turn starts goes on with everybody who stands behind it, so this follows from those, for the turn itself and for all that comes of it.

use oc_policy::elevated::Turn;
use oc_sandbox::gate::{CallSender, Caller};

/// Whether the words of another session started it: a message of `sessions_send`. The session above a sub-agent is none: its task belongs to the
/// conversation of that session.
#[must_use]
pub fn from_another(caller: &Caller, behind: &[Caller]) -> bool {
    let above = caller.spawned_by.as_deref();
    behind.iter().any(|b| b.session != caller.session && above != Some(b.session.as_str()))
}

/// Whether it has no conversation at hand: another session's words started it, or nobody who is known did.
#[must_use]
pub fn without_conversation(caller: &Caller, behind: &[Caller]) -> bool {
    from_another(caller, behind)
        || (caller.turn == Turn::InterSession && caller.sender == CallSender::default())
}

/// Whether a session wrote or reported before it: such a turn, and what follows from it, writes to no further session.
#[must_use]
pub fn after_a_hop(caller: &Caller, behind: &[Caller]) -> bool {
    let hop = |c: &Caller| c.turn == Turn::InterSession || c.session != caller.session;
    hop(caller) || behind.iter().any(hop)
}

#[cfg(test)]
mod tests {
    use oc_sandbox::gate::Surface;
    use oc_types::AgentId;

    use super::*;

    fn of(session: &str, turn: Turn, sender: Option<&str>) -> Caller {
        let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
        caller.turn = turn;
        caller.sender.id = sender.map(str::to_owned);
        caller
    }

    #[test]
    fn sp_418_another_session_stays_behind_what_follows_from_its_message() {
        let person = of("a", Turn::Person, Some("7"));
        let (written, later) = (of("b", Turn::InterSession, None), of("b", Turn::Background, None));
        for (caller, behind) in [
            (&written, vec![person.clone()]),
            (&later, vec![written.clone(), person.clone()]),
            (&later, vec![later.clone(), written.clone(), person.clone()]),
        ] {
            assert!(from_another(caller, &behind) && without_conversation(caller, &behind), "{caller:?}");
            assert!(after_a_hop(caller, &behind), "{caller:?}");
        }
        // A person's own turn, and what follows from it.
        for (caller, behind) in [(&person, vec![]), (&of("a", Turn::Background, None), vec![person.clone()])]
        {
            assert!(!from_another(caller, &behind) && !without_conversation(caller, &behind));
            assert!(!after_a_hop(caller, &behind), "{caller:?}");
        }
    }

    #[test]
    fn sp_107_a_sub_agent_works_for_the_session_above_and_that_one_only() {
        let person = of("a", Turn::Person, Some("7"));
        let mut child = of("c", Turn::InterSession, Some("7"));
        child.spawned_by = Some("a".to_owned());
        let mut later = child.clone();
        later.turn = Turn::Background;
        for (caller, behind) in
            [(&child, vec![person.clone()]), (&later, vec![child.clone(), person.clone()])]
        {
            assert!(!from_another(caller, &behind) && after_a_hop(caller, &behind), "{caller:?}");
        }
        // Above it, somebody else wrote.
        let written = of("a", Turn::InterSession, None);
        assert!(from_another(&child, &[written, of("z", Turn::Person, Some("8"))]));
        // The report comes into the session above, which still writes to no other one.
        let report = of("a", Turn::InterSession, None);
        let starter = [person];
        assert!(!from_another(&report, &starter) && after_a_hop(&report, &starter));
        // Nobody knows who wrote this.
        assert!(without_conversation(&report, &[]));
    }
}
