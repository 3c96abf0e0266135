//! The wire: frames and their errors, protocol version 3 (gateway 3).
//!
//! * [`frame`]: requests in, responses and events out, with the limits of a connection.
//! * [`connect`]: the parameters of the first request.
//!
//! Parameter objects are closed: a member that is not listed is an error, never ignored.

pub mod connect;
pub mod frame;

/// The version that is spoken.
pub const VERSION: u32 = 3;
