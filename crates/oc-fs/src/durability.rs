//! How safe a written line is when its writer hears of it.

/// How safe an appended line is when the append returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is in the file: the end of this process does not matter.
    Written,
    /// It is on the disk: the end of the machine does not matter.
    Synced,
}
