//! `openclaw pairing`: people who asked a channel to be let in. Works on the stores, whether or not the gateway runs.

use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_channels::pairing::Request;
use oc_channels::pairing_store::ChannelPairing;
use oc_config::load::{Loaded, Reading};
use oc_text::visible;
use oc_types::{AccountId, ChannelId};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::sheet::{Sheet, ago, now_ms};
use crate::wire::print_json;

/// Arguments of `openclaw pairing`.
#[derive(Debug, clap::Args)]
pub struct PairingArgs {
    #[command(subcommand)]
    command: PairingCommand,
}

/// The commands below `openclaw pairing`.
#[derive(Debug, clap::Subcommand)]
enum PairingCommand {
    /// Show who waits. Without a channel: every configured one.
    List(ListArgs),
    /// Let the sender of a code in.
    Approve(CodeArgs),
    /// Refuse the sender of a code.
    Reject(CodeArgs),
}

/// Whose store.
#[derive(Debug, clap::Args)]
struct Account {
    /// The account of the channel.
    #[arg(long, value_name = "ACCOUNT", default_value = AccountId::DEFAULT)]
    account: String,
}

/// Arguments of `openclaw pairing list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// The channel.
    #[arg(value_name = "CHANNEL")]
    channel: Option<String>,
    /// The same as an option.
    #[arg(long = "channel", value_name = "CHANNEL", conflicts_with = "channel")]
    channel_option: Option<String>,
    #[command(flatten)]
    account: Account,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw pairing approve` and `reject`.
#[derive(Debug, clap::Args)]
struct CodeArgs {
    /// The channel and the code; with `--channel` the code alone.
    #[arg(value_name = "CHANNEL CODE", num_args = 0..)]
    words: Vec<String>,
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    #[command(flatten)]
    account: Account,
    /// Tell the sender through the running gateway.
    #[arg(long)]
    notify: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw pairing`.
///
/// # Errors
/// A channel that is none, a code that nobody has, a store that cannot be used.
pub fn run(app: &App, args: &PairingArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    match &args.command {
        PairingCommand::List(list) => show(app, &loaded, list),
        PairingCommand::Approve(code) => {
            let (store, code_text) = store_and_code(&loaded, code)?;
            let id = store.approve(&code_text, now())?;
            let said = format!("{} may write to {} now.\n", visible(&id, 120), store.channel);
            report(app, code, &store, &id, "approved", &said);
            if code.notify {
                app.note("The sender is not told: that needs a running gateway with this channel. Tell them yourself.\n");
            }
            Ok(ExitCode::SUCCESS)
        }
        PairingCommand::Reject(code) => {
            let (store, code_text) = store_and_code(&loaded, code)?;
            let id = store.reject(&code_text, now())?;
            let said = format!("Refused {} on {}. They may ask again.\n", visible(&id, 120), store.channel);
            report(app, code, &store, &id, "rejected", &said);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn now() -> i64 {
    i64::try_from(now_ms()).unwrap_or(i64::MAX)
}

fn report(app: &App, args: &CodeArgs, store: &ChannelPairing, id: &str, what: &str, said: &str) {
    if args.json {
        let json = json!({ "channel": store.channel, "account": store.account, "id": id, "result": what });
        print_json(app, &json);
    } else {
        app.print(said);
    }
}

fn store(loaded: &Loaded, channel: &str, account: &str) -> Result<ChannelPairing> {
    Ok(ChannelPairing::of(&loaded.locations.credentials, channel, account)?)
}

fn store_and_code(loaded: &Loaded, args: &CodeArgs) -> Result<(ChannelPairing, String)> {
    let (channel, code) = match (&args.channel, args.words.as_slice()) {
        (Some(channel), [code]) => (channel, code),
        (None, [channel, code]) => (channel, code),
        (None, [_]) => bail!("which channel? `openclaw pairing approve CHANNEL CODE`"),
        (Some(_) | None, []) => bail!("which code? `openclaw pairing approve CHANNEL CODE`"),
        (Some(_) | None, _) => bail!("too many words; `openclaw pairing approve CHANNEL CODE`"),
    };
    Ok((store(loaded, channel, &args.account.account)?, code.clone()))
}

fn show(app: &App, loaded: &Loaded, args: &ListArgs) -> Result<ExitCode> {
    let named = args.channel.as_ref().or(args.channel_option.as_ref());
    let Some(channel) = named else { return show_all(app, loaded, args) };
    let store = store(loaded, channel, &args.account.account)?;
    let requests = store.list(now())?;
    if args.json {
        let requests: Vec<Value> = requests.iter().map(as_json).collect();
        print_json(app, &json!({ "channel": store.channel, "requests": requests }));
    } else {
        app.print(&render(&[(store, requests)]));
    }
    Ok(ExitCode::SUCCESS)
}

fn show_all(app: &App, loaded: &Loaded, args: &ListArgs) -> Result<ExitCode> {
    let mut found = Vec::new();
    for store in ChannelPairing::configured(loaded) {
        let requests = store.list(now())?;
        found.push((store, requests));
    }
    if args.json {
        let one = |(store, requests): &(ChannelPairing, Vec<Request>)| {
            let requests: Vec<Value> = requests.iter().map(as_json).collect();
            json!({ "channel": store.channel, "account": store.account, "requests": requests })
        };
        print_json(app, &json!({ "channels": found.iter().map(one).collect::<Vec<_>>() }));
    } else {
        app.print(&render(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn time(ms: Option<i64>) -> Option<String> {
    ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|t| format!("{t:.3}"))
}

fn as_json(r: &Request) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), r.id.clone().into());
    out.insert("code".to_owned(), r.code.clone().into());
    for (key, at) in [("createdAt", r.created_ms), ("lastSeenAt", r.last_seen_ms)] {
        if let Some(at) = time(at) {
            out.insert(key.to_owned(), at.into());
        }
    }
    if !r.meta.is_empty() {
        let meta: Map<String, Value> = r.meta.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        out.insert("meta".to_owned(), meta.into());
    }
    out.into()
}

fn render(found: &[(ChannelPairing, Vec<Request>)]) -> String {
    let mut sheet = Sheet::new(8);
    for (store, requests) in found.iter().filter(|(_, r)| !r.is_empty()) {
        let account = match store.account.as_str() {
            AccountId::DEFAULT => String::new(),
            other => format!(", account {other}"),
        };
        sheet.heading(&format!("{}{account}", name(&store.channel)));
        for r in requests {
            sheet.row("Code", &visible(&r.code, 20));
            sheet.row("Sender", &visible(&r.id, 120));
            for (key, value) in &r.meta {
                sheet.row("Says", &format!("{}: {}", visible(key, 40), visible(value, 80)));
            }
            let age = r.created_ms.map(|at| u64::try_from(now().saturating_sub(at)).unwrap_or(0));
            sheet.some("Asked", age.map(ago));
        }
    }
    if found.iter().all(|(_, r)| r.is_empty()) {
        sheet.line("Nobody waits to be let in.");
    }
    sheet.text()
}

fn name(channel: &ChannelId) -> String {
    format!("Waits on {channel}")
}
