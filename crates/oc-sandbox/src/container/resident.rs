//! The resident runner's program: where it lies on this machine, and how it comes into a container.
//!
//! An engine on this machine mounts the file itself, read-only. Another engine does not see our files: the program is copied into a volume
//! whose name holds its digest, and the volume is mounted read-only.

use std::path::{Path, PathBuf};

use bollard::body_full;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::UploadToContainerOptionsBuilder;

use super::address::Reach;
use super::archive::Archive;
use super::containers::ContainerError;
use super::engine::Engine;
use super::error::EngineError;
use super::found::{LABEL_CREATED, LABEL_OURS, LABEL_OWNER};
use super::spec::ContainerSpec;

/// Where the program is in a container.
pub(super) const PROGRAM: &str = "/.openclaw/runner";
/// Its directory.
const FOLDER: &str = "/.openclaw";

/// The program on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resident {
    path: PathBuf,
    /// SHA-256, hexadecimal.
    pub digest: String,
}

impl Resident {
    /// Reads the program once.
    pub(super) fn read(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        Ok(Self { path: path.canonicalize()?, digest: crate::naming::hex(digest.as_ref()) })
    }

    /// What is mounted, and where: the file, or the volume that holds it.
    pub(super) fn mount(&self, reach: Reach) -> (String, &'static str) {
        match reach {
            Reach::Local => (self.path.display().to_string(), PROGRAM),
            Reach::Remote => (self.volume(), FOLDER),
        }
    }

    fn volume(&self) -> String {
        format!("openclaw-runner-{}", self.digest.chars().take(32).collect::<String>())
    }

    /// Copies the program to an engine that does not see our files; done before each creation, so that a copy that was cut off is repeated.
    pub(super) async fn bring(
        &self,
        engine: &Engine,
        owner: &str,
        image: &str,
    ) -> Result<(), ContainerError> {
        if engine.reach() == Reach::Local {
            return Ok(());
        }
        let what = "copy the runner";
        let bytes = std::fs::read(&self.path).map_err(|e| ContainerError::System(e.to_string()))?;
        let token = oc_fs::random::token_hex(16).map_err(|e| ContainerError::System(e.to_string()))?;
        let now = super::containers::now_ms().to_string();
        // Should we be killed in between, the next prune run finds it by these.
        let labels = [(LABEL_OURS, "1"), (LABEL_OWNER, owner), (LABEL_CREATED, now.as_str())];
        let spec = ContainerSpec {
            name: format!("openclaw-runner-copy-{}", token.expose()),
            body: ContainerCreateBody {
                image: Some(image.to_owned()),
                labels: Some(labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into()),
                host_config: Some(HostConfig {
                    binds: Some(vec![format!("{}:{FOLDER}", self.volume())]),
                    network_mode: Some("none".to_owned()),
                    ..HostConfig::default()
                }),
                ..ContainerCreateBody::default()
            },
        };
        // Never started: it only carries the volume.
        let id = engine.create(spec).await?;
        let mut archive = Archive::default();
        archive.file("runner", 0o755, &bytes);
        let options = UploadToContainerOptionsBuilder::new().path(FOLDER).build();
        let copied =
            engine.api().upload_to_container(&id, Some(options), body_full(archive.finish().into())).await;
        if let Some(found) = engine.find(&id).await? {
            engine.remove(&found).await?;
        }
        Ok(copied.map_err(|e| EngineError::from_api(what, &e))?)
    }
}

/// The runner's command line: file operations stay beneath these roots.
pub(super) fn command(roots: &[String]) -> Vec<String> {
    let options = roots.iter().flat_map(|r| ["--root".to_owned(), r.clone()]);
    [PROGRAM.to_owned(), "serve".to_owned()].into_iter().chain(options).collect()
}
