//! `openclaw plugins install`.

use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;
use oc_config::load::Reading;
use oc_extensions::package::{Integrity, Origin, origin};
use oc_fs::npm;
use oc_fs::plugin_install::{Compared, Installed, Request, install};
use oc_text::visible;

use super::show::review_lines;
use crate::app::App;
use crate::sheet::Sheet;

/// Arguments of `openclaw plugins install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    /// A package with its exact version (`@scope/name@1.2.3`), a folder (`./x`) or a `.tgz` file.
    what: String,
    /// The package's `sha512-...`; other bytes are refused before they are unpacked.
    #[arg(long, value_name = "SHA512")]
    integrity: Option<String>,
    /// Put it in the place of an installed plugin of the same id.
    #[arg(long)]
    replace: bool,
    /// Fetch the packages that it needs too (`npm install --omit=dev`, without scripts and links).
    #[arg(long)]
    dependencies: bool,
}

/// Installs.
///
/// # Errors
/// Why nothing was installed.
pub fn run(app: &App, args: &InstallArgs) -> Result<ExitCode> {
    let place = |text: &str| {
        let home = app.load(Reading::Product).locations.home;
        app.cwd.join(oc_audit::workspace::expand(text, &home)).to_string_lossy().into_owned()
    };
    let from = match origin(&args.what)? {
        Origin::Archive(path) => Origin::Archive(place(&path)),
        Origin::Folder(path) => Origin::Folder(place(&path)),
        Origin::Registry(package) => Origin::Registry(package),
    };
    let integrity = args.integrity.as_deref().map(Integrity::parse).transpose()?;
    let npm = app.process.get("PATH").and_then(npm::find);
    let done = install(&Request {
        load: &app.load_request(Reading::Product),
        origin: &from,
        integrity: integrity.as_ref(),
        replace: args.replace,
        dependencies: args.dependencies,
        npm: npm.as_deref(),
        now: Timestamp::now(),
    })?;
    app.print(&text(&done));
    Ok(ExitCode::SUCCESS)
}

fn text(done: &Installed) -> String {
    let review = &done.review;
    let id = review.manifest.id.as_str();
    let mut sheet = Sheet::new(10);
    let verb = if done.replaced { "Replaced" } else { "Installed" };
    let version = review.version.as_deref().unwrap_or("of no version");
    sheet.line(&format!("{verb} {id} {}", visible(version, 100)));
    sheet.row("Folder", &done.folder.display().to_string());
    if let Some(integrity) = &done.integrity {
        sheet.row("Integrity", &integrity.to_string());
    }
    sheet.row(
        "Compared",
        match done.compared {
            Compared::Given => "with --integrity: the same",
            Compared::Recorded => "with plugins.installs: the same",
            Compared::FirstUse => "with nothing; recorded for the next time",
            Compared::NotPossible => "a folder has no integrity",
        },
    );
    review_lines(&mut sheet, review);
    sheet.row("Standing", &done.standing.explained(id));
    let mut out = sheet.text();
    if review.blockers.is_empty() {
        out.push_str(&format!("\nLook at its code, then: openclaw plugins enable {id}\n"));
    } else {
        out.push_str("\nIt cannot be enabled as it is: see what was found above\n");
    }
    out
}
