//! The adapters there are, and the accounts that a configuration asks for.
