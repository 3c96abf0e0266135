//! Files beneath an opened directory, and nothing else (SP-001 to SP-004, SP-242).
//!
//! Question it answers: *how does untrusted text name a file without ever reaching another one?* Every operation starts at an open
//! directory handle and resolves component by component without following links; what was checked is the handle that is used.
//!
//! Used by `oc-fs` for state and includes, and by the runner and the host executor for the file tools.
//!
//! Invariant: no step resolves a path again: what was opened is what is read, replaced, renamed in or removed from.
//! Invariant: a write leaves the old bytes or the new ones (SP-006).

pub mod root;
