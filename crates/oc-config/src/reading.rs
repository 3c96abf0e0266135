//! By whose rules a configuration is read.

/// By whose rules a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The product's: includes confined (SP-051), `.env` of the current directory filtered (SP-057), TOML known, older keys
    /// moved in memory, the product's own keys known.
    Product,
    /// As the era release (2026.2.9) reads it. For the audit's `2026.2` rules only.
    Era,
}
