//! `openclaw security audit`.

use std::process::ExitCode;

use anyhow::Result;
use oc_audit::format::{junit, markdown, sarif};
use oc_audit::report::{json, text};
use oc_audit::{Report, RuleSet};
use oc_config::load::Loaded;
use oc_fs::audit_fix::{self, FixReport, reading};
use oc_types::Severity;
use serde_json::json;

use super::collect::{self, Deep};
use crate::app::App;

/// Arguments of `openclaw security audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Question the running gateway and scan the code of plugins and skills.
    #[arg(long)]
    pub deep: bool,
    /// Apply the safe fixes: allow lists instead of open groups, redaction on, modes 700 and 600.
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show the changes and change nothing.
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Print JSON, the same as `--format json`.
    #[arg(long)]
    pub json: bool,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    pub format: Format,
    /// Which rules: `latest`, or `2026.2` as that release had them [default: latest, or $OPENCLAW_AUDIT_RULES].
    #[arg(long, value_name = "RULES")]
    pub rules: Option<RuleSet>,
    /// Exit with 1 when there is a finding of this severity or a worse one.
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub fail_on: FailOn,
    /// With --deep: the gateway token to present, instead of the configured one.
    #[arg(long, requires = "deep", value_name = "TOKEN")]
    pub token: Option<String>,
    /// With --deep: the gateway password to present, instead of the configured one.
    #[arg(long, requires = "deep", value_name = "PASSWORD")]
    pub password: Option<String>,
}

/// How to print a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
    /// JUnit XML, for CI servers.
    Junit,
    /// Markdown, for a ticket or a pull request.
    Markdown,
}

/// From which severity on the command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Critical findings.
    Critical,
    /// Warnings and worse.
    Warn,
    /// Any finding.
    Info,
    /// Findings never make it fail.
    Never,
}

impl FailOn {
    fn code(self, report: &Report) -> ExitCode {
        let from = match self {
            Self::Critical => Severity::Critical,
            Self::Warn => Severity::Warn,
            Self::Info => Severity::Info,
            Self::Never => return ExitCode::SUCCESS,
        };
        if report.worst().is_some_and(|worst| worst >= from) { ExitCode::from(1) } else { ExitCode::SUCCESS }
    }
}

/// Loads, fixes when asked, audits, prints.
///
/// # Errors
/// When the rule set in the environment is unknown, or a fix could not be recorded.
pub fn run(app: &App, args: &AuditArgs) -> Result<ExitCode> {
    let rules = match (args.rules, app.process.text("OPENCLAW_AUDIT_RULES")) {
        (Some(rules), _) => rules,
        (None, Some(word)) => match word.parse() {
            Ok(rules) => rules,
            Err(e) => {
                app.note(&format!("openclaw: $OPENCLAW_AUDIT_RULES: {e}"));
                return Ok(ExitCode::from(2));
            }
        },
        (None, None) => RuleSet::Latest,
    };
    let reading = reading(rules);
    let mut loaded = app.load(reading);
    if refused(app, &loaded) {
        return Ok(ExitCode::from(1));
    }
    for warning in &loaded.warnings {
        app.note(&format!("warning: {warning}"));
    }
    if !loaded.exists {
        let file = loaded.locations.config.display();
        app.note(&format!("note: there is no configuration at {file}; the defaults are audited"));
    }
    let mut fixed = None;
    if args.fix {
        let planned = audit_fix::plan(&loaded, collect::start(app, &loaded), rules);
        let done = if args.dry_run {
            planned.look()
        } else {
            planned.apply(&loaded.locations.state_dir, "openclaw security audit --fix")?
        };
        if done.config_written() {
            loaded = app.load(reading);
            if refused(app, &loaded) {
                return Ok(ExitCode::from(1));
            }
        }
        fixed = Some(done);
    }
    let deep = args.deep.then(|| Deep { token: args.token.clone(), password: args.password.clone() });
    let facts = collect::facts(app, &loaded, rules, deep.as_ref());
    let report = oc_audit::run(&oc_audit::AuditContext::new(&loaded.tree, &facts, rules));
    let format = if args.json { Format::Json } else { args.format };
    print(app, args, format, &loaded, &report, fixed.as_ref());
    let failed = fixed.is_some_and(|f| !f.errors().is_empty());
    Ok(if failed { ExitCode::from(1) } else { args.fail_on.code(&report) })
}

/// Says what is wrong with an invalid configuration; whether there was anything.
pub(super) fn refused(app: &App, loaded: &Loaded) -> bool {
    for issue in &loaded.issues {
        app.note(&issue.to_string());
    }
    if !loaded.issues.is_empty() {
        app.note(&format!(
            "{} is not valid; nothing was audited or changed. `openclaw doctor` helps to repair it.",
            loaded.locations.config.display()
        ));
    }
    !loaded.issues.is_empty()
}

fn print(
    app: &App,
    args: &AuditArgs,
    format: Format,
    loaded: &Loaded,
    report: &Report,
    fixed: Option<&FixReport>,
) {
    match format {
        Format::Json => {
            let report = json::value(report);
            let out = match fixed {
                Some(fix) => json!({ "fix": fix.json(&loaded.locations), "report": report }),
                None => report,
            };
            app.print(&format!("{out:#}\n"));
        }
        Format::Sarif => app.print(&format!("{:#}\n", sarif::render(report, env!("CARGO_PKG_VERSION")))),
        Format::Junit => app.print(&junit::render(report)),
        Format::Markdown => app.print(&markdown::render(report)),
        Format::Text => {
            let options = text::Options {
                home: &loaded.locations.home,
                colour: app.colour,
                deep: args.deep,
                fixed: args.fix,
            };
            app.print(&text::heading(report, options));
            if let Some(fix) = fixed {
                app.print(&fix.text(&loaded.locations, app.colour));
            }
            app.print(&text::body(report, options));
        }
    }
}
