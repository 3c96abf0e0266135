//! Walks a folder that the model reads and looks for credentials in it, within limits.
//!
//! Links are not followed, binary and large files are passed over, and only file, line and pattern name are kept (SP-280).

use std::fs;
use std::path::Path;

use oc_audit::facts::{SecretHit, SecretScan};
use oc_audit::secret_scan::{self, MAX_BYTES, MAX_FILE_BYTES, MAX_FILES, SKIPPED_FOLDERS};

use crate::bounded_read;

/// Most folder entries that are looked at.
const MAX_ENTRIES: usize = 100_000;
/// Deepest folder.
const MAX_DEPTH: usize = 32;
/// How much of a file is looked at to tell text from other data.
const PROBE: usize = 8 * 1024;

/// Scans a folder; finds nothing in what is no folder, or a link to one.
#[must_use]
pub fn scan(root: &Path) -> SecretScan {
    let mut out = SecretScan::default();
    if !fs::symlink_metadata(root).is_ok_and(|m| m.is_dir()) {
        return out;
    }
    let (mut seen, mut bytes) = (0_usize, 0_u64);
    let mut folders = vec![(root.to_path_buf(), 0_usize)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut names: Vec<_> = entries.flatten().take(MAX_ENTRIES.saturating_sub(seen)).collect();
        seen += names.len();
        names.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in names {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if kind.is_dir() {
                let skipped = SKIPPED_FOLDERS.iter().any(|s| name == *s);
                if !skipped && depth < MAX_DEPTH {
                    folders.push((entry.path(), depth + 1));
                }
            } else if kind.is_file() {
                if out.files >= MAX_FILES || bytes >= MAX_BYTES || seen >= MAX_ENTRIES {
                    out.truncated = true;
                    return out;
                }
                let path = entry.path();
                let Ok(data) = bounded_read::bytes(&path, MAX_FILE_BYTES) else { continue };
                out.files += 1;
                bytes = bytes.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                if data.get(..PROBE.min(data.len())).is_some_and(|head| head.contains(&0)) {
                    continue;
                }
                let hits = secret_scan::scan(&String::from_utf8_lossy(&data));
                out.hits.extend(hits.into_iter().map(|h| SecretHit {
                    file: path.clone(),
                    line: h.line,
                    pattern: h.pattern,
                }));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_scanned_and_links_packages_and_binaries_are_not() {
        let t = tempfile::tempdir().unwrap();
        let secret = format!("use sk-{}", "0a1B2c3D4e".repeat(3));
        for p in ["TOOLS.md", ".env", "a/notes.txt", "node_modules/x/y.js", ".git/config"] {
            let p = t.path().join(p);
            fs::create_dir_all(p.parent().unwrap()).unwrap();
            fs::write(p, &secret).unwrap();
        }
        fs::write(t.path().join("image.bin"), [b"\0", secret.as_bytes()].concat()).unwrap();
        std::os::unix::fs::symlink(t.path(), t.path().join("loop")).unwrap();
        let found = scan(t.path());
        let files: Vec<_> =
            found.hits.iter().map(|h| h.file.strip_prefix(t.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(files, [".env", "TOOLS.md", "a/notes.txt"]);
        assert!(found.hits.iter().all(|h| (h.line, h.pattern) == (1, "service-key")));
        assert_eq!((found.files, found.truncated), (4, false));
        assert_eq!(scan(&t.path().join("TOOLS.md")), SecretScan::default());
        assert_eq!(scan(&t.path().join("none")), SecretScan::default());
    }
}
