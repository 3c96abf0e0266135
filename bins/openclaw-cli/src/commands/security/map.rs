//! `openclaw security map`: the credential map of this set-up. Values are never shown.

use std::process::ExitCode;

use oc_audit::{AuditContext, RuleSet, Wanted, map};
use oc_config::load::Reading;
use serde_json::json;

use super::collect;
use crate::app::App;

/// Arguments of `openclaw security map`.
#[derive(Debug, clap::Args)]
pub struct MapArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Most rounds of asking: the agents found on disk lead to further questions.
const ROUNDS: usize = 8;

/// Prints the map. A configuration that is not valid is still mapped as far as it can be read.
pub(super) fn run(app: &App, args: &MapArgs) -> ExitCode {
    let loaded = app.load(Reading::Product);
    for issue in &loaded.issues {
        app.note(&issue.to_string());
    }
    let mut facts = collect::start(app, &loaded);
    facts.uid = Some(oc_fs::facts::uid());
    for _ in 0..ROUNDS {
        let mut wanted = Wanted::default();
        map::wants(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest), &mut wanted);
        let wanted = facts.missing_of(wanted);
        if wanted.is_empty() {
            break;
        }
        oc_fs::facts::gather(&wanted, &mut facts);
    }
    let rows = map::rows(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest));
    if args.json {
        app.print(&format!("{:#}\n", json!({ "map": rows })));
    } else {
        app.print(&map::text(&rows, facts.uid));
    }
    ExitCode::SUCCESS
}
