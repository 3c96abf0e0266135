//! The temporary tree of a case.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::case::Case;

/// The tree; removed when dropped.
pub struct Tree {
    base: PathBuf,
    state: PathBuf,
    config: PathBuf,
    original: Option<Vec<u8>>,
    modes: BTreeMap<PathBuf, u32>,
    dir: Option<tempfile::TempDir>,
}

fn octal(text: Option<&str>, default: u32) -> Result<u32> {
    text.map_or(Ok(default), |t| u32::from_str_radix(t, 8).with_context(|| format!("{t} is no mode")))
}

impl Tree {
    /// Builds the tree of a case.
    pub fn build(case: &Case) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("audit-case-").tempdir()?;
        let base = dir.path().canonicalize()?;
        fs::set_permissions(&base, Permissions::from_mode(0o755))?;
        for name in ["home", "ext", "cwd"] {
            fs::create_dir(base.join(name))?;
            fs::set_permissions(base.join(name), Permissions::from_mode(0o755))?;
        }
        let state = base.join(case.state_dir.as_deref().unwrap_or("home/.openclaw"));
        let mut tree = Self {
            base,
            state,
            config: PathBuf::new(),
            original: None,
            modes: BTreeMap::new(),
            dir: Some(dir),
        };
        tree.state_dir(case)?;
        tree.config_file(case)?;
        for file in &case.files {
            tree.place(file)?;
        }
        // Deepest first, so that a closed folder does not get in the way.
        let mut modes: Vec<_> = tree.modes.iter().collect();
        modes.sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
        for (path, mode) in modes {
            fs::set_permissions(path, Permissions::from_mode(*mode))?;
        }
        Ok(tree)
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.base.join("home")
    }

    /// The working directory.
    pub fn cwd(&self) -> PathBuf {
        self.base.join("cwd")
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Its bytes at the beginning.
    pub fn original(&self) -> Option<&[u8]> {
        self.original.as_deref()
    }

    /// A text with its placeholders filled in.
    pub fn filled_in(&self, text: &str) -> String {
        text.replace("{{HOME}}", &self.home().to_string_lossy())
            .replace("{{STATE}}", &self.state.to_string_lossy())
            .replace("{{EXT}}", &self.base.join("ext").to_string_lossy())
            .replace("{{CWD}}", &self.cwd().to_string_lossy())
    }

    /// The mode of a path as `0600`, `symlink`, or nothing.
    pub fn mode_of(&self, path: &str) -> Option<String> {
        let meta = fs::symlink_metadata(self.path(path).ok()?).ok()?;
        if meta.is_symlink() {
            return Some("symlink".to_owned());
        }
        Some(format!("{:04o}", meta.permissions().mode() & 0o777))
    }

    fn path(&self, text: &str) -> Result<PathBuf> {
        let (head, rest) = text.split_once('/').unwrap_or((text, ""));
        match head {
            "state" if rest.is_empty() => Ok(self.state.clone()),
            "state" => Ok(self.state.join(rest)),
            "home" | "ext" | "cwd" => Ok(self.base.join(text)),
            _ => bail!("bad path {text:?}"),
        }
    }

    fn folders(&mut self, path: &Path) -> Result<()> {
        let mut missing = Vec::new();
        let mut at = Some(path);
        while let Some(p) = at.filter(|p| fs::symlink_metadata(p).is_err()) {
            missing.push(p.to_owned());
            at = p.parent();
        }
        for p in missing.into_iter().rev() {
            fs::create_dir(&p)?;
            self.modes.insert(p, 0o700);
        }
        Ok(())
    }

    fn parents(&mut self, path: &Path) -> Result<()> {
        path.parent().map_or(Ok(()), |p| self.folders(p))
    }

    fn state_dir(&mut self, case: &Case) -> Result<()> {
        if case.no_state {
            return Ok(());
        }
        let mode = octal(case.state_mode.as_deref(), 0o700)?;
        let state = self.state.clone();
        let real = match &case.state_symlink {
            Some(target) => self.path(target)?,
            None => state.clone(),
        };
        self.folders(&real)?;
        self.modes.insert(real.clone(), mode);
        if real != state {
            self.parents(&state)?;
            symlink(&real, &state)?;
        }
        Ok(())
    }

    fn config_file(&mut self, case: &Case) -> Result<()> {
        self.config = self.path(case.config_path.as_deref().unwrap_or("state/openclaw.json"))?;
        let Some(text) = &case.config else { return Ok(()) };
        let mut target = self.config.clone();
        if let Some(real) = &case.config_symlink {
            target = self.path(real)?;
            self.parents(&self.config.clone())?;
            symlink(&target, &self.config)?;
        }
        self.parents(&target)?;
        fs::write(&target, self.filled_in(text))?;
        self.modes.insert(target, octal(case.config_mode.as_deref(), 0o600)?);
        self.original = fs::read(&self.config).ok();
        Ok(())
    }

    fn place(&mut self, file: &super::case::Placed) -> Result<()> {
        let path = self.path(&file.path)?;
        self.parents(&path)?;
        if file.dir {
            self.folders(&path)?;
            self.modes.insert(path, octal(file.mode.as_deref(), 0o700)?);
        } else if let Some(target) = &file.symlink {
            symlink(self.filled_in(target), &path)?;
        } else {
            let mut text = self.filled_in(&file.content);
            while text.len() < file.pad_to {
                text.push('/');
            }
            fs::write(&path, text)?;
            self.modes.insert(path, octal(file.mode.as_deref(), 0o600)?);
        }
        Ok(())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Closed folders would keep the tree from being removed.
        for path in self.modes.keys().filter(|p| p.is_dir()) {
            let _ = fs::set_permissions(path, Permissions::from_mode(0o700));
        }
        drop(self.dir.take());
    }
}
