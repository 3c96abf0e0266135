//! Everything that touches files: what is on disk, read within limits, and how it is changed.
//!
//! * [`bounded_read`]: regular files only, at most so many bytes, never blocking.
//! * [`code_walk`]: the folders of plugins and skills for the code scan.
//!
//! It never decides what a fact means.

pub mod bounded_read;
pub mod code_walk;
