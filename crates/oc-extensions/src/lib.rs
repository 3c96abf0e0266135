//! Plugins and skills: what they say about themselves, and whether they are used.
//!
//! Question it answers: *is this folder a plugin or a skill, and may the assistant have it now?*
//!
//! * [`front_matter`]: the head of a `SKILL.md`, read strictly.
//! * [`skill`]: what a skill says about itself.
//! * [`eligibility`]: whether a skill is offered: its programs here or on a node, its variables and settings, the operator's lists.
//! * [`snapshot`]: the skills of one turn, and the text that the model reads.
//! * [`plugin`]: the manifest of a plugin, the program that it is, and whether the configuration lets it run.
//! * [`package`]: what `plugins install` takes: pinned names, integrity, paths inside an archive.
//!
//! It never reads a file, starts nothing, and knows no clock.
//!
//! Invariant: what cannot be read is not used; nothing has a requirement that was overlooked because it was unreadable.
//! Invariant: a name that becomes a path component or a configuration key is a checked type (SP-018).
//! Invariant: a plugin that `plugins.allow` does not name is not loaded.

pub mod eligibility;
pub mod front_matter;
pub mod package;
pub mod plugin;
pub mod skill;
pub mod snapshot;
