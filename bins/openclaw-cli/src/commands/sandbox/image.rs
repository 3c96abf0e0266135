//! `openclaw sandbox image build`: makes the sandbox image on this machine, from Debian packages, without any image registry.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use oc_config::load::Reading;
use oc_sandbox::container::{TINY_IMAGE, TINY_SETTINGS, tiny_root};

use super::engine::{connect, wait};
use crate::app::App;

/// The image that sandboxes use unless `docker.image` says otherwise.
const IMAGE: &str = "openclaw-sandbox:bookworm-slim";

/// What the image says about itself.
const SETTINGS: [&str; 3] = [
    "CMD [\"sleep\",\"infinity\"]",
    "WORKDIR /workspace",
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
];

/// Removed before the image is packed: caches, documentation, translations. Their directories stay.
const CACHES: [&str; 6] =
    ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "var/log"];

/// Arguments of `openclaw sandbox image`.
#[derive(Debug, clap::Args)]
pub struct ImageArgs {
    /// The command.
    #[command(subcommand)]
    command: ImageCommand,
}

/// The commands below `openclaw sandbox image`.
#[derive(Debug, clap::Subcommand)]
enum ImageCommand {
    /// Build the image from Debian packages (`debootstrap`) and hand it to the engine. Needs root.
    Build(BuildArgs),
}

/// Arguments of `openclaw sandbox image build`.
#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// Build the 2 MB image for tests from `busybox` instead.
    #[arg(long)]
    tiny: bool,
    /// The image's name; default: `openclaw-sandbox:bookworm-slim`, with `--tiny` `openclaw-sandbox:test`.
    #[arg(long, value_name = "NAME:TAG")]
    name: Option<String>,
}

/// Runs a command below `openclaw sandbox image`.
///
/// # Errors
/// No engine, a missing program, a step that failed.
pub fn run(app: &App, args: &ImageArgs) -> Result<ExitCode> {
    match &args.command {
        ImageCommand::Build(args) => build(app, args),
    }
}

fn build(app: &App, args: &BuildArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let name = args.name.as_deref().unwrap_or(if args.tiny { TINY_IMAGE } else { IMAGE });
    if name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace) {
        bail!("{name:?} is no image name");
    }
    wait(async {
        // Asked first: a base system takes minutes.
        let engine = connect(app, &loaded).await?;
        let (root, settings) = if args.tiny {
            let busybox = program(app, "busybox")
                .context("busybox is not installed: apt-get install busybox-static")?;
            (tiny_root(&busybox)?, TINY_SETTINGS)
        } else {
            app.note("openclaw: installing a base system; this takes a minute or two");
            (debian_root(app)?, SETTINGS)
        };
        engine.import_image(name, root, &settings).await?;
        app.print(&format!("Built {name}\n"));
        Ok(ExitCode::SUCCESS)
    })
}

/// A minimal Debian as a tar archive.
fn debian_root(app: &App) -> Result<Vec<u8>> {
    let debootstrap =
        program(app, "debootstrap").context("debootstrap is not installed: apt-get install debootstrap")?;
    let tar = program(app, "tar").context("tar is not installed")?;
    let scratch = Scratch::new()?;
    let root = scratch.0.join("rootfs");
    step(
        Command::new(debootstrap)
            .args(["--variant=minbase", "--include=ca-certificates", "bookworm"])
            .arg(&root)
            .stdout(Stdio::null()),
        "debootstrap",
    )?;
    for folder in CACHES {
        empty(&root.join(folder));
    }
    std::fs::create_dir_all(root.join("workspace"))?;
    let archive = scratch.0.join("root.tar");
    step(
        Command::new(tar)
            .args(["--numeric-owner", "--one-file-system", "-cf"])
            .arg(&archive)
            .arg("-C")
            .arg(&root)
            .arg("."),
        "tar",
    )?;
    Ok(std::fs::read(&archive)?)
}

fn step(command: &mut Command, name: &str) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status}); see its messages above");
    }
    Ok(())
}

/// Removes the files below a directory, not the directories. What cannot be removed makes the image larger, nothing worse.
fn empty(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // Of the entry itself, not of what a link leads to.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => empty(&entry.path()),
            _ => {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// A program on the search path.
fn program(app: &App, name: &str) -> Option<PathBuf> {
    let path = app.process.get("PATH").unwrap_or("/usr/sbin:/usr/bin:/sbin:/bin");
    let system = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(path)
        .chain(system)
        .filter(|d| d.is_absolute())
        .map(|d| d.join(name))
        .find(|p| p.is_file())
}

/// A directory of our own that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let token = oc_fs::random::token_hex(16)?;
        let path = std::env::temp_dir().join(format!("openclaw-image-{}", token.expose()));
        // Fails when something is there; nobody else gets in.
        std::fs::create_dir(&path)?;
        let owner_only: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, owner_only)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
