//! The checks of the era, one file per subject. The latest rules run them too; where they judge differently the check says so.

pub mod browser;
pub mod elevated;
pub mod exposure;
pub mod extensions;
pub mod gateway;
pub mod hooks;
pub mod logging;
pub mod models;
pub mod modes;
pub mod probe;
pub mod secrets;
pub mod small_models;
pub mod surface;
pub mod synced;
