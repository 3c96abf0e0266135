//! State that a cloud service copies away (audit spec 1.8).

use oc_types::Severity;

use crate::{AuditContext, Findings};

const MARKS: [&str; 5] = ["icloud", "dropbox", "google drive", "googledrive", "onedrive"];

/// The folder that iCloud really syncs on macOS; the era did not know it.
const ICLOUD_FOLDER: &str = "com~apple~clouddocs";

/// One finding when the state directory or the configuration lies in a synced folder.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let synced = |path: &std::path::Path| {
        let text = path.to_string_lossy().to_lowercase();
        MARKS.iter().any(|m| text.contains(m)) || (ctx.latest() && text.contains(ICLOUD_FOLDER))
    };
    let places = &ctx.facts.places;
    let hit: Vec<_> = [&places.state_dir, &places.config].into_iter().filter(|p| synced(p)).collect();
    let Some(first) = hit.first() else { return };
    let mut draft = out.report("fs.synced_dir", Severity::Warn).detail(format!(
        "{} looks like a synced folder: tokens and transcripts are copied.",
        first.display()
    ));
    for path in &hit {
        draft = draft.path(path);
    }
}
