//! Builds the new root beneath [`BASE`].

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::FileType;
use rustix::mount::{MountFlags, mount};

use super::binds::{Flags, bind, harden, open_ourselves, open_sources, open_system};
use super::system_view::{DEVICE_LINKS, DEVICES, PROGRAMS, SETTINGS, written};
use super::{BASE, NOTE};
use crate::spec::{Access, Spec};
use crate::step::{Step, StepError, failed};

/// Our own program inside, for the runner and the helpers that it starts of itself.
pub const OURSELVES: &str = "/.openclaw/runner";

/// What is to be mounted where, opened before anything is covered.
struct Opened {
    target: String,
    source: OwnedFd,
    kind: FileType,
    flags: Flags,
}

/// Builds everything but `/proc` and `/dev/pts`, which only the inner stage can mount, and leaves it the spec. `ourselves` is the path of
/// this program.
///
/// # Errors
/// The step that failed.
pub fn build(spec: &Spec, ourselves: &str) -> Result<(), StepError> {
    let mut links = Vec::new();
    let mut opened = open_all(spec, ourselves, &mut links)?;
    mount(
        "tmpfs",
        BASE,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"size=4m,nr_inodes=4096,mode=0755"),
    )
    .step(|| "mount the new root".to_owned())?;
    for (path, text) in written(spec) {
        write_file(path, &text)?;
    }
    for directory in ["/proc", "/dev/pts", "/dev/shm"] {
        make_directory(directory)?;
    }
    for (link, text) in links.iter().map(|(l, t)| (*l, t.as_str())).chain(DEVICE_LINKS) {
        make_parent(link)?;
        symlink(text, beneath(link)).step(|| format!("link {link}"))?;
    }
    // Those that others lie in come first.
    opened.sort_by(|a, b| a.target.cmp(&b.target));
    let scratch = spec.scratch.iter().map(|s| (s.target.as_str(), s.size));
    let mut memory: Vec<(&str, u64)> = scratch.chain([("/dev/shm", 64 << 20)]).collect();
    memory.sort_unstable();
    let mut memory = memory.into_iter().peekable();
    let mut targets = BTreeMap::new();
    for o in &opened {
        while let Some((target, size)) = memory.next_if(|(t, _)| *t < o.target.as_str()) {
            mount_scratch(target, size)?;
        }
        match o.kind {
            FileType::Directory => make_directory(&o.target)?,
            _ => write_file(&o.target, "")?,
        }
        bind(&o.source, &beneath(&o.target))?;
        targets.insert(beneath(&o.target), o.flags);
    }
    for (target, size) in memory {
        mount_scratch(target, size)?;
    }
    harden(&targets)?;
    let note = serde_json::to_vec(spec).step(|| "pass the spec on".to_owned())?;
    fs::write(NOTE, note).step(|| "pass the spec on".to_owned())
}

fn open_all(
    spec: &Spec,
    ourselves: &str,
    links: &mut Vec<(&'static str, String)>,
) -> Result<Vec<Opened>, StepError> {
    let mut out = Vec::new();
    let mut add = |target: &str, (source, kind), flags| {
        out.push(Opened { target: target.to_owned(), source, kind, flags });
    };
    for path in PROGRAMS.into_iter().chain(SETTINGS) {
        match fs::read_link(path) {
            Ok(to) if stays_in_view(path, &to) => links.push((path, to.to_string_lossy().into_owned())),
            _ => {
                if let Some(found) = open_system(path)? {
                    add(path, found, Flags::Files(Access::Read));
                }
            }
        }
    }
    for path in DEVICES {
        let found = open_system(path)?.filter(|(_, kind)| *kind == FileType::CharacterDevice);
        add(
            path,
            found.ok_or_else(|| failed(format!("open {path}"), "there is no such device"))?,
            Flags::Device,
        );
    }
    add(OURSELVES, (open_ourselves(ourselves)?, FileType::RegularFile), Flags::Files(Access::Read));
    for (source, m) in open_sources(spec)?.into_iter().zip(&spec.mounts) {
        add(&m.target, (source, FileType::Directory), Flags::Files(m.access));
    }
    Ok(out)
}

/// Whether a link of the system leads into `/usr`, so that the link itself can be shown.
fn stays_in_view(link: &str, to: &Path) -> bool {
    let from = Path::new(link).parent().unwrap_or(Path::new("/"));
    let mut at = Vec::new();
    for part in from.join(to).components() {
        match part {
            std::path::Component::Normal(p) => at.push(p.to_owned()),
            std::path::Component::ParentDir => drop(at.pop()),
            _ => {}
        }
    }
    at.first().is_some_and(|p| p == "usr")
}

fn beneath(path: &str) -> String {
    format!("{BASE}{path}")
}

fn make_directory(path: &str) -> Result<(), StepError> {
    fs::create_dir_all(beneath(path)).step(|| format!("make {path}"))
}

fn make_parent(path: &str) -> Result<(), StepError> {
    match Path::new(path).parent().and_then(Path::to_str) {
        Some(parent) => make_directory(parent),
        None => Ok(()),
    }
}

fn write_file(path: &str, text: &str) -> Result<(), StepError> {
    make_parent(path)?;
    fs::write(beneath(path), text).step(|| format!("write {path}"))?;
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(beneath(path), mode).step(|| format!("write {path}"))
}

fn mount_scratch(target: &str, size: u64) -> Result<(), StepError> {
    make_directory(target)?;
    // About one inode for each 4 KiB, so that empty files cannot fill the memory either.
    let inodes = size.div_euclid(4096).max(64);
    let options = CString::new(format!("size={size},nr_inodes={inodes},mode=1777"))
        .step(|| format!("mount {target}"))?;
    mount("tmpfs", beneath(target), "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(options.as_c_str()))
        .step(|| format!("mount {target}"))
}
