//! The entries of the registry file `sandbox/containers.json`; the file itself belongs to `oc-fs`.

pub use oc_fs::sandbox_registry::{BrowserEntry, Entry, Named, Registry};
