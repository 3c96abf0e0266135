//! The whole sentence of the product, through the binary and with real counterparts: a stranger writes, gets a code, is let in by the owner;
//! the model (a fake, scripted one) asks for a command, the chat is asked, the answer lets it run in the sandbox, the result goes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "assistant/chat.rs"]
mod chat;
#[path = "assistant/irc.rs"]
mod irc;
#[path = "assistant/matrix.rs"]
mod matrix;
#[path = "../support/scripted_provider.rs"]
mod scripted_provider;
#[path = "assistant/stage.rs"]
mod stage;
#[path = "assistant/telegram.rs"]
mod telegram;
#[path = "assistant/whole_way.rs"]
mod whole_way;

use whole_way::the_whole_way;

#[test]
fn over_a_real_irc_server() {
    if let Some(chat) = irc::start() {
        the_whole_way(chat);
    }
}

#[test]
fn over_the_bot_api_test_server_of_telegram() {
    if let Some(chat) = telegram::start() {
        the_whole_way(chat);
    }
}

#[test]
fn over_a_real_matrix_homeserver() {
    if let Some(chat) = matrix::start() {
        the_whole_way(chat);
    }
}
