//! Everything that touches files: what is on disk, read within limits, and how it is changed.
//!
//! Question it answers: *how does a byte get on or off the disk without anybody else deciding which file that is?*
//!
//! * [`bounded_read`]: regular files only, at most so many bytes, never blocking.
//! * [`code_walk`]: the folders of plugins and skills for the code scan.
//! * [`secret_seat`]: a new secret where the old one stands.
//! * [`secret_walk`]: where credentials lie about below a folder.
//! * [`tails`]: the newest files of a folder and the ends of long ones.
//! * [`config_source`]: configuration text, includes and `.env` files for `oc-config` (SP-051).
//! * [`facts`]: what the audit wants to know: modes, links, small files, sums of walks.
//! * [`host_view`]: the facts that the command analysis asks for.
//! * [`root`]: reads beneath an opened directory, component by component (SP-001 to SP-003).
//! * [`relocate`]: a directory to its present place, never over another.
//! * [`mode`]: owner-only files and directories, whatever the umask (SP-005).
//! * [`atomic`]: replace a file: the old bytes or the new ones, never a mix (SP-006).
//! * [`instance_lock`]: one gateway for each configuration.
//! * [`log_file`]: the log on disk; [`log_tail`]: the end of a log that is written meanwhile.
//! * [`lock`]: one writer at a time, across processes (SP-007).
//! * [`backup`]: rotated copies, never more open than the original (SP-055).
//! * [`config_store`]: the one way a configuration is written; [`change_log`]: the record of it (SP-071).
//! * [`durability`]: whether an acknowledged line outlives the process or the machine.
//! * [`journal`]: append-only lines that survive a kill.
//! * [`ledger`]: what was decided and done, append-only, in a chain of hashes.
//! * [`credential`]: credentials kept in files and keychains (SP-066).
//! * [`plugins`]: which plugins lie on the disk, by their manifests; [`plugin_install`]: a package becomes one; [`plugin_review`]: what
//!   speaks against it; [`plugin_switch`]: on, off, away.
//! * [`package_files`]: archives and folders unpacked without links and odd paths; [`npm`]: packages from a registry, no script run.
//! * [`skill_source`]: the skills of an agent; [`skill_library`]: the same as they stand now, watched.
//! * [`narrow`]: modes made owner-only, on the inode that was checked.
//! * [`audit_fix`]: what the audit mends, planned, shown and carried out.
//! * [`fix_record`]: what the last fix changed, so that it can be undone; [`lockdown_record`]: the same of a lockdown.
//! * [`approvals_store`]: `exec-approvals.json`; [`approval_queue`]: who waits for an answer, and the answers; [`owned_file`]: stores that nobody else may have written.
//! * [`pairing_files`]: who asked to be paired and who is, devices and nodes.
//! * [`session_store`]: `sessions.json`, the transcripts beside it, and what is kept of them for how long.
//! * [`workspace_files`]: files of an agent's workspace, never through a link.
//! * [`sandbox_registry`]: which sandbox containers were made for whom, and when they were used.
//! * [`companion_socket`]: the socket of the companion app.
//! * [`identity_store`]: a client's key and the tokens that gateways gave it.
//! * [`random`]: tokens from the operating system's random source.
//!
//! It never decides what a fact means, or which value may be written: that is the business of the pure crates.
//!
//! Invariant: a file is created with mode 0600 and a directory with 0700, from the first byte.
//! Invariant: what was checked is the open handle that is read, never the path again (SP-002).
//! Invariant: nothing here follows a link in the last component of a path that it writes.

pub mod approval_queue;
pub mod approvals_store;
pub mod atomic;
pub mod audit_fix;
pub mod backup;
pub mod bounded_read;
pub mod change_log;
pub mod code_walk;
pub mod companion_socket;
pub mod config_source;
pub mod config_store;
pub mod credential;
pub mod durability;
pub mod facts;
pub mod fix_record;
pub mod host_view;
pub mod identity_store;
pub mod instance_lock;
pub mod journal;
pub mod ledger;
pub mod lock;
pub mod lockdown_record;
pub mod log_file;
pub mod log_tail;
pub mod mode;
pub mod narrow;
pub mod npm;
pub mod owned_file;
pub mod package_files;
pub mod pairing_files;
pub mod plugin_install;
pub mod plugin_review;
pub mod plugin_switch;
pub mod plugins;
pub mod random;
pub mod relocate;
pub mod sandbox_registry;
pub mod secret_seat;
pub mod secret_walk;
pub mod session_store;
pub mod skill_library;
pub mod skill_source;
pub mod tails;
pub mod workspace_files;

pub use oc_rooted::root;
