//! Channels: who may talk to the assistant, and who may use commands there (audit spec 1.10).
//!
//! * [`order`]: which channels there are, in report order, and whether their plugin is on.
//! * [`account`]: the account that is looked at, with the values in force.
//! * [`schema_defaults`]: what the configuration schema fills in for the channels it knows.
//! * [`configured`]: whether an account has what it needs to connect.
//! * [`sender`]: senders, reduced to one spelling.
//! * [`dm`], [`groups`], [`discord`], [`slack`], [`telegram`]: the checks.

pub mod account;
pub mod configured;
pub mod discord;
pub mod dm;
pub mod groups;
pub mod order;
pub mod schema_defaults;
pub mod sender;
pub mod slack;
pub mod telegram;

use crate::{AuditContext, Findings, Wanted};
use account::Account;

/// The pairing stores, and what tells whether an account is connected.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for channel in order::live(ctx) {
        wanted.text(sender::store_path(ctx, channel), Wanted::SMALL_FILE);
        for account in account::audited(ctx, channel) {
            configured::wants(ctx, &account, wanted);
        }
    }
}

/// Every live channel in order, its audited accounts in order.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    for channel in order::live(ctx) {
        for account in account::audited(ctx, channel) {
            if configured::is_configured(ctx, &account) {
                one(ctx, &account, out);
            }
        }
    }
}

fn one(ctx: &AuditContext<'_>, account: &Account<'_>, out: &mut Findings) {
    let store = sender::store(ctx, account.channel);
    match account.channel {
        "discord" => discord::run(ctx, account, &store, out),
        "slack" => slack::run(ctx, account, &store, out),
        _ => {}
    }
    dm::run(ctx, account, &store, out);
    groups::run(ctx, account, out);
    if account.channel == "telegram" {
        telegram::run(ctx, account, &store, out);
    }
}
