//! Token and password of the gateway, token of the hooks.

use anyhow::{Context, Result, bail};
use oc_audit::rotation::{self, Seat, Secrets, Written};
use oc_audit::{AuditContext, RuleSet, Wanted, map};
use oc_config::edit::Change;
use oc_config::load::{Loaded, Reading};
use oc_fs::config_store::{self, Force, Writer};
use oc_fs::{lockdown_record, random, secret_seat};
use oc_gateway::devices::DeviceStore;
use oc_types::{KeyPath, Secret};

use super::super::collect;
use super::Report;
use crate::app::App;

/// Random bytes of a new secret.
const BYTES: usize = 32;
/// Most rounds of asking for facts.
const ROUNDS: usize = 8;

/// Puts new secrets where the old ones stand.
///
/// # Errors
/// When the configuration is not valid or no such secret is set.
pub(super) fn run(app: &App, secrets: Secrets, dry_run: bool) -> Result<Report> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("nothing was rotated: the configuration is not valid: {issue}");
    }
    let written =
        Written { tree: &loaded.tree, references: &loaded.references, environment: &loaded.environment };
    let spots = rotation::spots(written, secrets);
    if spots.is_empty() {
        match secrets {
            Secrets::Gateway => bail!(
                "no token and no password of the gateway is set; `openclaw doctor --generate-gateway-token` makes one"
            ),
            Secrets::Hooks => bail!("hooks.token is not set: there is nothing to rotate"),
        }
    }
    let mut report = Report { dry_run, ..Report::default() };
    let mut done = Vec::new();
    for spot in spots {
        let key = spot.key.to_string();
        let secret = random::token_hex(BYTES)?;
        let put = match &spot.seat {
            Seat::ByHand(what) => {
                report.by_hand.push((key, what.clone()));
                continue;
            }
            _ if dry_run => Ok(()),
            Seat::Key(at) => in_configuration(app, at, &secret),
            Seat::DotEnv { file, name } => Ok(secret_seat::in_env_file(file, name, &secret)?),
            Seat::File(file) => Ok(secret_seat::in_own_file(file, &secret)?),
        };
        match put {
            Ok(()) => {
                done.push(key.clone());
                if let Seat::DotEnv { name, .. } = &spot.seat {
                    done.push(name.clone());
                }
                if let Seat::Key(at) = &spot.seat {
                    done.push(at.to_string());
                }
                report.rotated.push((key.clone(), place(&loaded, &spot.seat)));
                if !dry_run {
                    report.secrets.push((key, secret));
                }
            }
            Err(e) => report.errors.push(format!("{key} was not changed: {e:#}")),
        }
    }
    if secrets == Secrets::Gateway {
        report.clients = clients(&loaded);
    } else {
        report.clients.push(
            "whoever calls the hooks: the header `Authorization: Bearer` or `X-OpenClaw-Token`".to_owned(),
        );
    }
    report.remaining = rotation::remaining(&loaded.tree, &loaded.environment, &rows(app, &loaded), &done);
    Ok(report)
}

fn in_configuration(app: &App, at: &KeyPath, secret: &Secret) -> Result<()> {
    let change = Change::Set { path: at.clone(), value: secret.expose().into() };
    let writer = Writer { name: "openclaw security rotate", force: Force::No, expected: None };
    let change = std::slice::from_ref(&change);
    let done = config_store::edit(&app.load_request(Reading::Product), change, writer)?;
    let places = &done.before.locations;
    // A lockdown that is undone later brings everything back but the old secret.
    for file in done.plan.files.iter().filter(|f| f.path == places.config) {
        lockdown_record::amend(&places.state_dir, file, change)
            .context("it was changed; the record of the lockdown was not")?;
    }
    Ok(())
}

fn place(loaded: &Loaded, seat: &Seat) -> String {
    match seat {
        Seat::Key(at) => {
            let (node, ..) = loaded.tree.nearest(at);
            format!("{at} ({})", node.origin)
        }
        Seat::DotEnv { file, name } => format!("{name} in {}", file.display()),
        Seat::File(file) => file.display().to_string(),
        Seat::ByHand(what) => what.clone(),
    }
}

/// Who shows the gateway's secret: other machines' configurations, and the devices that came in with it.
fn clients(loaded: &Loaded) -> Vec<String> {
    let mut out = vec![
        "every machine that calls this gateway: gateway.remote.token or gateway.remote.password in its configuration".to_owned(),
    ];
    if let Ok(devices) = DeviceStore::of(&loaded.locations.state_dir).read() {
        out.extend(devices.paired.values().map(|d| {
            let name = d.display_name.as_deref().or(d.client_id.as_deref()).unwrap_or("device");
            let platform = d.platform.as_deref().unwrap_or("unknown system");
            format!("{name} on {platform}, device {}: it keeps its own token until `openclaw security rotate devices`", d.device_id)
        }));
    }
    out
}

/// The credential map, for what is kept in files of its own.
pub(super) fn rows(app: &App, loaded: &Loaded) -> Vec<map::Row> {
    let mut facts = collect::start(app, loaded);
    for _ in 0..ROUNDS {
        let mut wanted = Wanted::default();
        map::wants(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest), &mut wanted);
        let wanted = facts.missing_of(wanted);
        if wanted.is_empty() {
            break;
        }
        oc_fs::facts::gather(&wanted, &mut facts);
    }
    map::rows(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest))
}
