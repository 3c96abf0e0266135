//! Images: whether one is there, and making one from files of this machine, without any registry.

use std::path::Path;

use bollard::body_full;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;

use super::archive::Archive;
use super::containers::ContainerError;
use super::engine::Engine;
use super::error::EngineError;

/// The small image for tests: one static program.
pub const TINY_IMAGE: &str = "openclaw-sandbox:test";

impl Engine {
    /// Whether the engine has an image.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn has_image(&self, name: &str) -> Result<bool, EngineError> {
        match self.api().inspect_image(name).await {
            Ok(_) => Ok(true),
            Err(e) => match EngineError::from_api("look for an image", &e) {
                EngineError::NotFound(_) => Ok(false),
                other => Err(other),
            },
        }
    }

    /// Makes an image of a root file system: a tar archive, and what the image says about itself (`ENV`, `CMD`, `WORKDIR` lines).
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn import_image(
        &self,
        name: &str,
        archive: Vec<u8>,
        settings: &[&str],
    ) -> Result<(), EngineError> {
        let what = "import an image";
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let options = CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(repository)
            .tag(tag)
            .changes(settings.iter().map(|s| (*s).to_owned()).collect())
            .build();
        let mut progress = self.api().create_image(Some(options), Some(body_full(archive.into())), None);
        while let Some(step) = progress.next().await {
            step.map_err(|e| EngineError::from_api(what, &e))?;
        }
        Ok(())
    }
}

/// The root file system of the small image: `busybox`, a link per program of it, and the accounts `root` and `sandbox`.
///
/// # Errors
/// [`ContainerError::System`]: the program is not there or is not busybox.
pub fn tiny_root(busybox: &Path) -> Result<Vec<u8>, ContainerError> {
    let failed =
        |why: String| ContainerError::System(format!("{}: {why}; install busybox-static", busybox.display()));
    let content = std::fs::read(busybox).map_err(|e| failed(e.to_string()))?;
    let list = std::process::Command::new(busybox).arg("--list").env_clear().output();
    let list = list.map_err(|e| failed(e.to_string()))?;
    let names = String::from_utf8_lossy(&list.stdout).into_owned();
    if !list.status.success() || !names.lines().any(|n| n == "sh") {
        return Err(failed("is no busybox".to_owned()));
    }
    let mut archive = Archive::default();
    for (name, mode) in [
        ("bin/", 0o755),
        ("etc/", 0o755),
        ("proc/", 0o555),
        ("sys/", 0o555),
        ("dev/", 0o755),
        ("tmp/", 0o1777),
        ("workspace/", 0o777),
    ] {
        archive.directory(name, mode);
    }
    archive.file("bin/busybox", 0o755, &content);
    for name in names.lines().filter(|n| *n != "busybox" && !n.is_empty() && !n.contains('/')) {
        archive.link(&format!("bin/{name}"), "busybox");
    }
    archive.file(
        "etc/passwd",
        0o644,
        b"root:x:0:0:root:/:/bin/sh\nsandbox:x:1000:1000::/workspace:/bin/sh\n",
    );
    archive.file("etc/group", 0o644, b"root:x:0:\nsandbox:x:1000:\n");
    Ok(archive.finish())
}

/// What the small image says about itself.
pub const TINY_SETTINGS: [&str; 3] =
    ["CMD [\"sleep\",\"2147483647\"]", "ENV PATH=/bin", "WORKDIR /workspace"];
