//! A real Chromium, pages on loopback, the real gate.

mod bench;
mod guarded;
mod pages;
mod separate;
