//! File operations beneath the runner's roots.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use oc_rooted::root::{ChangeRefused, Entry, Expected, HardLinks, Refused, Root};
use ring::digest::{Context, SHA256};

use super::content::Content;
use crate::executable::{hexadecimal, sha256};
use crate::protocol::{FileOperation, FileRequest, Reply};
use crate::refusal::Refusal;

/// The roots beneath which files may be touched.
#[derive(Debug)]
pub struct Files {
    roots: Vec<PathBuf>,
}

impl Files {
    /// With these roots; the first one is where relative paths start. Without any, each request names its own.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots }
    }

    /// Serves one operation.
    ///
    /// # Errors
    /// See [`Reply::Failed`].
    pub fn serve(&self, request: FileRequest, content: &Content) -> Result<Reply, Refusal> {
        let wanted = request.root.as_deref().map(Path::new);
        let at = |path: &str| self.place(wanted, Path::new(path));
        match &request.operation {
            FileOperation::Read { path, offset, limit } => {
                let (root, path) = at(path)?;
                read(root.open_file(&path).map_err(refused)?, *offset, *limit, content)
            }
            FileOperation::Write { path, expected } => {
                let (root, path) = at(path)?;
                write(&root, &path, expected.as_deref(), content)
            }
            FileOperation::Remove { path } => {
                let (root, path) = at(path)?;
                root.remove(&path).map_err(change_refused)?;
                Ok(done(0, String::new(), &[]))
            }
            FileOperation::Rename { path, target } => {
                let (root, path) = at(path)?;
                let (same, target) = at(target)?;
                if same.path() != root.path() {
                    return Err(Refusal::new(
                        "escapes",
                        "a file is not moved from one mount to another; copy it",
                    ));
                }
                root.rename(&path, &target).map_err(change_refused)?;
                Ok(done(0, String::new(), &[]))
            }
            FileOperation::MakeDirectory { path } => {
                let (root, path) = at(path)?;
                root.make_directory(&path).map_err(change_refused)?;
                Ok(done(0, String::new(), &[]))
            }
            FileOperation::List { path, limit } => {
                let (root, path) = at(path)?;
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX).min(10_000);
                Ok(done(0, String::new(), &root.list(&path, limit).map_err(refused)?))
            }
            FileOperation::Look { path } => {
                let (root, path) = at(path)?;
                let entry = root.look(&path).map_err(refused)?;
                Ok(done(entry.size, String::new(), &[entry]))
            }
        }
    }

    /// The opened root that a path lies beneath, and the path from there.
    fn place(&self, wanted: Option<&Path>, path: &Path) -> Result<(Root, PathBuf), Refusal> {
        let escapes = || {
            let shown = path.display();
            Refusal::new("escapes", format!("{shown} is outside of the workspace; name a file beneath it"))
        };
        let climbs = |p: &Path| p.components().any(|c| matches!(c, Component::ParentDir));
        if climbs(path) || wanted.is_some_and(|w| climbs(w) || !w.is_absolute()) {
            return Err(escapes());
        }
        // Which of the runner's own roots holds it: the deepest one, when they nest.
        let own =
            |p: &Path| self.roots.iter().filter(|r| p.starts_with(r)).max_by_key(|r| r.components().count());
        let (root, start) = match (wanted, self.roots.is_empty()) {
            (None, true) => {
                return Err(Refusal::new("protocol", "no root is named, and the runner has none"));
            }
            (Some(wanted), true) => (open(wanted)?, wanted.to_path_buf()),
            (Some(wanted), false) => {
                let outer = own(wanted).ok_or_else(escapes)?;
                let inner = wanted.strip_prefix(outer).unwrap_or(Path::new(""));
                (open(outer)?.beneath(inner).map_err(refused)?, wanted.to_path_buf())
            }
            (None, false) => {
                let outer = if path.is_absolute() { own(path) } else { self.roots.first() };
                let outer = outer.ok_or_else(escapes)?;
                (open(outer)?, outer.clone())
            }
        };
        let relative = match path.strip_prefix(&start) {
            Ok(relative) => relative.to_path_buf(),
            Err(_) if path.is_absolute() => return Err(escapes()),
            Err(_) => path.to_path_buf(),
        };
        Ok((root, relative))
    }
}

fn open(path: &Path) -> Result<Root, Refusal> {
    let what = path.display().to_string();
    let root = Root::open(path).map_err(|e| Refusal::system(&what, &e, "failed"))?;
    let whole = path.parent().is_none();
    Ok(if whole { root.with_hard_links(HardLinks::Allowed) } else { root })
}

fn read(mut file: File, offset: u64, limit: u64, content: &Content) -> Result<Reply, Refusal> {
    let failed = |e: std::io::Error| Refusal::system("the file cannot be read", &e, "failed");
    let size = file.metadata().map_err(failed)?.len();
    if offset > 0 {
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    }
    let mut digest = Context::new(&SHA256);
    let mut left = limit;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read(buffer.get_mut(..most).unwrap_or_default()).map_err(failed)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        content.send(bytes)?;
        left = left.saturating_sub(read as u64);
    }
    // Only a content that was read to its end has a sum.
    let whole = offset == 0 && file.read(&mut [0]).map_err(failed)? == 0;
    let sum = if whole { hexadecimal(digest.finish().as_ref()) } else { String::new() };
    Ok(done(size, sum, &[]))
}

fn write(root: &Root, path: &Path, expected: Option<&str>, content: &Content) -> Result<Reply, Refusal> {
    let kind = if expected == Some("") { Expected::Nothing } else { Expected::Anything };
    let mut writer = root.write(path, kind).map_err(change_refused)?;
    let shown = root.path().join(path).display().to_string();
    let failed = |e: std::io::Error| Refusal::system(&shown, &e, "failed");
    let changed = || Refusal::new("changed", format!("{shown} was changed by somebody else; read it again"));
    content.ask();
    let (mut digest, mut size) = (Context::new(&SHA256), 0_u64);
    while let Some(bytes) = content.next()? {
        writer.write_all(&bytes).map_err(failed)?;
        digest.update(&bytes);
        size = size.saturating_add(bytes.len() as u64);
    }
    if let Some(wanted) = expected.filter(|e| !e.is_empty()) {
        let old = writer.old().ok_or_else(changed)?;
        if !sha256(old, u64::MAX - 1).map_err(failed)?.eq_ignore_ascii_case(wanted) {
            return Err(changed());
        }
    }
    writer.commit().map_err(change_refused)?;
    Ok(done(size, hexadecimal(digest.finish().as_ref()), &[]))
}

fn done(size: u64, sha256: String, entries: &[Entry]) -> Reply {
    let entries = entries.iter().map(|e| (e.name.clone(), e.kind.word().to_owned())).collect();
    Reply::FileDone { size, sha256, entries }
}

fn refused(refused: Refused) -> Refusal {
    let message = refused.to_string();
    match refused {
        Refused::Missing(_) => Refusal::new("not-found", message),
        Refused::Escapes(_) => Refusal::new("escapes", message),
        Refused::NotRegular(_) => Refusal::new("not-regular", message),
        Refused::HardLinked(_) => Refusal::new("hard-linked", message),
        Refused::TooLarge { .. } => Refusal::new("too-large", message),
        Refused::Unreadable { path, source } => {
            Refusal::system(&path.display().to_string(), &source, "failed")
        }
    }
}

fn change_refused(why: ChangeRefused) -> Refusal {
    let message = why.to_string();
    match why {
        ChangeRefused::Path(why) => refused(why),
        ChangeRefused::Exists(_) => Refusal::new("exists", message),
        ChangeRefused::Changed(_) => Refusal::new("changed", message),
        ChangeRefused::System { path, source } => {
            Refusal::system(&path.display().to_string(), &source, "failed")
        }
    }
}
