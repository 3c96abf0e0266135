//! The one door: from a tool call to its result (design 3.6).
//!
//! Policy again, approval, the place, the run, redaction, the record: in this order, for every caller. An executor takes nothing but an
//! [`AuthorizedCall`], and only this module can make one.

mod authorized;

pub use authorized::AuthorizedCall;
