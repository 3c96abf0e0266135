//! Which Chromium is started: the configured one, else the first known name on the search path.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Names under which Chromium and its relatives are installed, best first.
const NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"];

/// Where macOS keeps them.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// No Chromium.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum NotFound {
    /// The configured one is none.
    #[error("`browser.executablePath` is no program: {0}")]
    Configured(String),
    /// None on the path.
    #[error("no Chromium is installed; install `chromium` or set `browser.executablePath`")]
    Nowhere,
}

/// Finds it. `search` is a search path; entries that are not absolute are passed over.
pub(crate) fn find(configured: Option<&Path>, search: &str) -> Result<PathBuf, NotFound> {
    if let Some(path) = configured {
        let shown = || oc_text::visible(&path.to_string_lossy(), 200);
        return if path.is_absolute() && is_program(path) {
            Ok(path.to_owned())
        } else {
            Err(NotFound::Configured(shown()))
        };
    }
    let folders: Vec<&Path> = search.split(':').map(Path::new).filter(|p| p.is_absolute()).collect();
    let by_name = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    by_name.chain(APPLICATIONS.iter().map(PathBuf::from)).find(|p| is_program(p)).ok_or(NotFound::Nowhere)
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(path: &Path, mode: u32) {
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_configured_program_is_the_only_one_and_the_path_is_absolute() {
        let tmp = tempfile::tempdir().unwrap();
        let (a, b) = (tmp.path().join("a"), tmp.path().join("b"));
        fs::create_dir_all(&a).unwrap();
        fs::create_dir_all(&b).unwrap();
        program(&a.join("chromium"), 0o644);
        program(&b.join("chromium"), 0o755);
        program(&a.join("google-chrome"), 0o755);
        let search = format!("relative:{}:{}", a.display(), b.display());
        assert_eq!(find(None, &search), Ok(b.join("chromium")));
        assert_eq!(find(Some(&a.join("google-chrome")), &search), Ok(a.join("google-chrome")));
        for none in [a.join("chromium"), a.clone(), a.join("missing"), PathBuf::from("chromium")] {
            assert!(matches!(find(Some(&none), &search), Err(NotFound::Configured(_))), "{none:?}");
        }
        assert_eq!(find(None, ".:"), find(None, ""));
    }
}
