//! The engine's API, as far as sandboxes need it. Every call has a deadline; every failure is an [`EngineError`].

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};

use super::address::{EngineAddress, Reach};
use super::error::{EngineError, with_sources};
use super::found::Found;
use super::spec::ContainerSpec;

/// The oldest API that has everything a hardened container needs.
const OLDEST_API: (usize, usize) = (1, 40);
/// The same in words.
const OLDEST_API_TEXT: &str = "1.40";
/// How long a connection attempt may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long any one answer may take, in seconds: a first start on a loaded machine takes several.
const ANSWER_S: u64 = 120;

/// A connection to a container engine, its API version agreed on.
#[derive(Clone, Debug)]
pub struct Engine {
    api: Docker,
    address: EngineAddress,
}

impl Engine {
    /// Connects and agrees on the API version.
    ///
    /// # Errors
    /// [`EngineError::NoEngine`], [`EngineError::TooOld`], [`EngineError::Address`].
    pub async fn connect(address: &EngineAddress) -> Result<Self, EngineError> {
        let none = |cause: String| EngineError::NoEngine { address: address.to_string(), cause };
        let client = match address {
            EngineAddress::Unix(path) => {
                let path = path.to_str().ok_or_else(|| none("the path is not UTF-8".to_owned()))?;
                Docker::connect_with_unix(path, ANSWER_S, API_DEFAULT_VERSION)
            }
            EngineAddress::Tcp(host) => {
                Docker::connect_with_http(&format!("tcp://{host}"), ANSWER_S, API_DEFAULT_VERSION)
            }
            EngineAddress::Tls { host, certificates } => {
                let file = |name: &str| certificates.join(name);
                let (key, cert, ca) = (file("key.pem"), file("cert.pem"), file("ca.pem"));
                if let Some(missing) = [&key, &cert, &ca].into_iter().find(|f| !f.is_file()) {
                    return Err(none(format!("{} is missing", missing.display())));
                }
                let host = format!("https://{host}");
                Docker::connect_with_ssl(&host, &key, &cert, &ca, ANSWER_S, API_DEFAULT_VERSION)
            }
        };
        let client = client.map_err(|e| none(with_sources(&e)))?;
        let api = tokio::time::timeout(CONNECT, client.negotiate_version())
            .await
            .map_err(|_| none("no answer in 5 seconds".to_owned()))?
            .map_err(|e| none(with_sources(&e)))?;
        let version = api.client_version();
        if (version.major_version, version.minor_version) < OLDEST_API {
            let found = format!("{}.{}", version.major_version, version.minor_version);
            return Err(EngineError::TooOld { found, needed: OLDEST_API_TEXT });
        }
        Ok(Self { api, address: address.clone() })
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> &EngineAddress {
        &self.address
    }

    /// The version of the API that was agreed on.
    #[must_use]
    pub fn version(&self) -> String {
        self.api.client_version().to_string()
    }

    /// Whether it shares this machine's files.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.address.reach()
    }

    /// The client itself.
    pub(super) fn api(&self) -> &Docker {
        &self.api
    }

    /// What the engine reports about a container, by name or id; `None` when there is none.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn find(&self, name: &str) -> Result<Option<Found>, EngineError> {
        match self.api.inspect_container(name, None).await {
            Ok(answer) => Ok(Some(Found::read(answer))),
            Err(e) => match EngineError::from_api("inspect a container", &e) {
                EngineError::NotFound(_) => Ok(None),
                other => Err(other),
            },
        }
    }

    /// Ids and names of all containers with these labels (`key=value` or `key`), running or not.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn labelled(&self, labels: &[String]) -> Result<Vec<Found>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let list = self.api.list_containers(Some(options)).await;
        let list = list.map_err(|e| EngineError::from_api("list containers", &e))?;
        let mut out = Vec::new();
        for id in list.into_iter().filter_map(|c| c.id) {
            // It may be gone by now.
            out.extend(self.find(&id).await?);
        }
        Ok(out)
    }

    /// Creates a container; answers its id.
    ///
    /// # Errors
    /// [`EngineError::ImageMissing`], [`EngineError::Conflict`] when the name is taken, and others.
    pub async fn create(&self, spec: ContainerSpec) -> Result<String, EngineError> {
        let image = spec.body.image.clone().unwrap_or_default();
        let options = CreateContainerOptionsBuilder::new().name(&spec.name).build();
        match self.api.create_container(Some(options), spec.body).await {
            Ok(made) => Ok(made.id),
            Err(e) => Err(match EngineError::from_api("create the container", &e) {
                EngineError::NotFound(_) => EngineError::ImageMissing(image),
                other => other,
            }),
        }
    }

    /// Starts a container.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn start(&self, id: &str) -> Result<(), EngineError> {
        let done = self.api.start_container(id, None).await;
        done.map_err(|e| EngineError::from_api("start the container", &e))
    }

    /// Stops a container: its first process is asked to end, and ended after `grace`. A stopped or missing one is fine.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn stop(&self, id: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let done = self.api.stop_container(id, Some(options)).await;
        gone_is_fine(done, "stop the container")
    }

    /// Ends all processes of a container at once. A stopped or missing one is fine.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn kill(&self, id: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal("KILL").build();
        let done = self.api.kill_container(id, Some(options)).await;
        gone_is_fine(done, "end the container")
    }

    /// Removes a container that was looked at before, by its id. A missing one is fine.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn remove(&self, found: &Found) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let done = self.api.remove_container(&found.id, Some(options)).await;
        gone_is_fine(done, "remove the container")
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when the name is taken, and others.
    pub async fn rename(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let options = RenameContainerOptionsBuilder::new().name(name).build();
        let done = self.api.rename_container(id, options).await;
        done.map_err(|e| EngineError::from_api("rename the container", &e))
    }
}

/// 404: it is not there any more; 304 and 409: it does not run, or is being removed already.
fn gone_is_fine(done: Result<(), bollard::errors::Error>, what: &'static str) -> Result<(), EngineError> {
    match done {
        Ok(())
        | Err(bollard::errors::Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => {
            Ok(())
        }
        Err(e) => Err(EngineError::from_api(what, &e)),
    }
}
