//! What must hold for any file of a plugin, skill or workspace. Run by the fuzz target, and over the committed corpus by a test of `oc-audit`.

use oc_audit::code_scan::manifest::{EntryPath, Manifest, parse, resolve};
use oc_audit::code_scan::{Hit, RULES, scan, skill};
use oc_audit::secret_scan;

/// Code, manifest, front matter and credentials in one text.
pub fn file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.matches('\n').count() + 1;
    let hits = scan(&text);
    assert!(hits.len() <= RULES.len());
    for hit in &hits {
        assert!(hit.line >= 1 && hit.line <= lines);
        assert!(RULES.iter().any(|r| r.id == hit.rule && r.severity == hit.severity));
    }
    // What follows on another line hides nothing.
    let after = scan(&format!("{text}\n//"));
    let found = |h: &Hit| after.iter().any(|a| a.rule == h.rule && a.line == h.line);
    assert!(hits.iter().all(found), "{hits:?} {after:?}");

    if let Manifest::Entries(entries) = parse(&text) {
        entries.iter().for_each(|entry| stays_inside(entry));
    }
    stays_inside(&text);
    if let Some(front) = skill::front_matter(&text) {
        assert!(!front.name.trim().is_empty() && !front.description.trim().is_empty());
    }
    manifests(&text);
    for hit in secret_scan::scan(&text) {
        assert!(hit.line >= 1 && hit.line <= lines);
    }
}

fn stays_inside(entry: &str) {
    if let EntryPath::Inside { path, .. } = resolve("/s/extensions/p", entry) {
        assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
    }
}

/// What plugins and skills say about themselves: whatever is taken is a name, and a path that stays inside.
fn manifests(text: &str) {
    if let Ok(skill) = oc_extensions::skill::parse(text) {
        let name = skill.name.as_str();
        assert!(!name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        assert!(skill.description.chars().all(oc_text::visible::is_plain), "{:?}", skill.description);
    }
    if let Ok(manifest) = oc_extensions::plugin::parse(text) {
        let own = manifest.server.iter().flat_map(oc_extensions::plugin::ServerCommand::own_files);
        for path in own.chain(manifest.skills.iter().map(String::as_str)) {
            assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        }
    }
    let _ = oc_extensions::package::origin(text);
    let _ = oc_extensions::package::Integrity::parse(text);
}
