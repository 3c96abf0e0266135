//! The same flow as in `assistant.rs`, through the adapters of services for which no server can be had: each against a fake of it, named as one.
//! Where the service has buttons, somebody else presses first, which has to change nothing; then the one who was asked.
//! Services that call the gateway deliver everything twice here, signed the same: the second time has to change nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    dead_code,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "assistant/chat.rs"]
mod chat;
#[path = "assistant/fake_bluebubbles.rs"]
mod fake_bluebubbles;
#[path = "assistant/fake_discord.rs"]
mod fake_discord;
#[path = "assistant/fake_imessage.rs"]
mod fake_imessage;
#[path = "assistant/fake_mattermost.rs"]
mod fake_mattermost;
#[path = "assistant/fake_msteams.rs"]
mod fake_msteams;
#[path = "assistant/fake_service.rs"]
mod fake_service;
#[path = "assistant/fake_signal.rs"]
mod fake_signal;
#[path = "assistant/fake_slack.rs"]
mod fake_slack;
#[path = "assistant/fake_whatsapp.rs"]
mod fake_whatsapp;
#[path = "../support/scripted_provider.rs"]
mod scripted_provider;
#[path = "assistant/stage.rs"]
mod stage;
#[path = "assistant/whole_way.rs"]
mod whole_way;

use whole_way::the_whole_way;

#[test]
fn sp_203_over_a_fake_of_discord() {
    the_whole_way(fake_discord::start());
}

#[test]
fn sp_203_over_a_fake_of_slack_in_socket_mode() {
    the_whole_way(fake_slack::start(false));
}

#[test]
fn sp_203_sp_414_over_a_fake_of_slack_that_calls() {
    the_whole_way(fake_slack::start(true));
}

#[test]
fn over_a_fake_of_mattermost() {
    the_whole_way(fake_mattermost::start());
}

#[test]
fn sp_203_sp_414_over_a_fake_of_whatsapp() {
    the_whole_way(fake_whatsapp::start());
}

#[test]
fn sp_203_sp_414_over_a_fake_of_microsoft_teams() {
    if let Some(chat) = fake_msteams::start() {
        the_whole_way(chat);
    }
}

#[test]
fn over_a_fake_of_signal_cli() {
    the_whole_way(fake_signal::start());
}

#[test]
fn over_a_fake_of_imsg() {
    the_whole_way(fake_imessage::start());
}

#[test]
fn sp_414_over_a_fake_of_bluebubbles() {
    the_whole_way(fake_bluebubbles::start());
}
