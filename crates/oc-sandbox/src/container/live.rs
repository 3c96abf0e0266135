//! The container executor against a real engine. Without one the tests say so and pass, unless `OC_REQUIRE` has the word `docker`.
#![allow(clippy::indexing_slicing, reason = "tests")]

mod bench;
mod commands;
mod hardening;
mod lifecycle;
mod second;
mod setting;
mod workspace;

use setting::{Setting, engine};
