//! Who may talk, what may they use, where does it run: decided from the configuration as data, without I/O.
//!
//! Question it answers: *what may this caller and this session do, and which rule says so?* Other programs embed it with nothing
//! else (`docs/embedding/`): it needs `oc-types` for the configuration tree and the answers, and `oc-text`.
//!
//! It never reads a file, a clock, the environment or the network, never executes anything, and never asks twice: the same inputs
//! give the same answer.
//!
//! Invariant: deny wins, and a layer only removes (SP-100, SP-101).
//! Invariant: what is not understood restricts and is reported; it never widens (SP-103, SP-119).
//! Invariant: tools leave the policy only as [`tool_policy::FilteredTools`] (SP-104).
//! Invariant: a malformed session key is refused, never judged as another agent's (SP-120).
//!
//! | what the documents call it | here |
//! |---|---|
//! | `resolveEffectiveToolPolicy` | [`tool_policy::CompiledPolicy::compile`] once, [`tool_policy::CompiledPolicy::stack`] for a session |
//! | `filterToolsByPolicy` | [`tool_policy::Stack::filter`], [`tool_policy::Stack::decide`] |
//! | `resolveToolProfilePolicy` | [`profile::Profile::allow`]; in the chain, layer [`layer::Layer::Profile`] |
//! | `resolveGroupToolPolicy` | layer [`layer::Layer::Group`]; its sender rules are [`sender::SenderRules`] |
//! | `resolveSandboxConfigForAgent` | [`sandbox::resolve`] |
//! | `resolveSandboxContext` | [`sandbox::plan`] |
//! | tool groups | [`group::members`] |
//! | `tools.subagent` | [`subagent`] |
//!
//! ```
//! use oc_policy::tool_policy::{CompiledPolicy, Context};
//! use oc_types::{Node, Origin};
//!
//! let config = serde_json::json!({
//!     "tools": { "profile": "coding" },
//!     "agents": { "list": [{ "id": "support", "tools": { "profile": "messaging", "allow": ["slack"] } }] },
//! });
//! let (policy, _) = CompiledPolicy::compile(&Node::from_json(&config, &Origin::Default));
//! let context = Context::session("agent:support:main");
//! let tools = policy.filter(&context, policy.inventory().tools())?;
//! assert!(tools.permits("message") && !tools.permits("exec"));
//! assert!(tools.message_scope().permits("slack"));
//! # Ok::<(), oc_policy::tool_policy::Refusal>(())
//! ```
//!
//! Case files: `fixtures/policy`, `fixtures/sandbox`, `fixtures/channels`; `cargo xtask golden DIR` runs them.

pub mod access;
pub mod batch;
pub mod command;
pub mod elevated;
pub mod exec_route;
pub mod explain_tool;
pub mod group;
pub mod http_invoke;
pub mod inbound;
pub mod inventory;
pub mod layer;
pub mod mention;
pub mod owner_only;
pub mod pattern;
pub mod profile;
pub mod reach;
pub mod read_only_mode;
pub mod routing;
pub mod sandbox;
pub mod sender;
pub mod session_key;
pub mod session_visibility;
pub mod subagent;
pub mod tool_name;
pub mod tool_policy;
