//! The words of the sandbox configuration: mode, scope, workspace access.

use oc_types::{KeyPath, Node};

use super::SandboxError;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word as it stands in the configuration.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the value of a key.
            ///
            /// # Errors
            /// When it is none of the words (SP-119).
            pub fn read(node: &Node, key: &KeyPath) -> Result<Self, SandboxError> {
                match node.as_str() {
                    $(Some($word) => Ok(Self::$variant),)*
                    _ => Err(SandboxError::unknown_word(node, key, &[$($word),*])),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.word())
            }
        }
    };
}

words! {
    /// `sandbox.mode`: which sessions are sandboxed.
    Mode {
        /// None.
        Off = "off",
        /// All but the agent's main session.
        NonMain = "non-main",
        /// All.
        All = "all",
    }
}

words! {
    /// `sandbox.scope`: who shares a sandbox.
    Scope {
        /// Each session has its own.
        Session = "session",
        /// All sessions of an agent share one.
        Agent = "agent",
        /// Everybody shares one; then the agent's own docker, browser and prune settings do not count.
        Shared = "shared",
    }
}

words! {
    /// `sandbox.workspaceAccess`: what a sandbox sees of the agent's workspace.
    WorkspaceAccess {
        /// Nothing: tools work in a copy of their own.
        None = "none",
        /// It is mounted read-only at `/agent`; the tools that write files are withdrawn.
        Ro = "ro",
        /// It is mounted read-write as the working directory.
        Rw = "rw",
    }
}

words! {
    /// `sandbox.backend`: what a sandbox is made of.
    Backend {
        /// A container when an engine answers, else the native sandbox.
        Auto = "auto",
        /// A container; refused when no engine answers.
        Container = "container",
        /// The sandbox that needs no engine; refused when the kernel does not offer it.
        Native = "native",
    }
}
