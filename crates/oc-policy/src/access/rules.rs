//! The rules of a configuration together with the configuration, for whoever decides about many messages under one snapshot.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use oc_types::{AgentId, Node};

use super::{AccessIssue, AccessPolicy};
use crate::mention::MentionPatterns;
use crate::routing::{Router, RouterIndex};

/// What is read out of a configuration once; mention patterns when they are needed for the first time.
#[derive(Debug)]
pub(crate) struct AccessIndex {
    router: Arc<RouterIndex>,
    patterns: HashMap<AgentId, OnceLock<MentionPatterns>>,
    /// Of every agent that the list does not hold: they have no patterns of their own.
    others: OnceLock<MentionPatterns>,
}

impl AccessIndex {
    pub(crate) fn of(router: &Arc<RouterIndex>) -> Self {
        let patterns = router.agents().map(|a| (a.clone(), OnceLock::new())).collect();
        Self { router: Arc::clone(router), patterns, others: OnceLock::new() }
    }

    /// The patterns of an agent under the configuration that this index was made of.
    pub(crate) fn patterns(&self, config: &Node, agent: &AgentId) -> &MentionPatterns {
        let cell = self.patterns.get(agent).unwrap_or(&self.others);
        cell.get_or_init(|| MentionPatterns::for_agent(config, agent))
    }
}

/// A configuration that access can be decided under.
#[derive(Clone, Debug)]
pub struct AccessRules {
    config: Arc<Node>,
    index: Arc<AccessIndex>,
}

impl AccessRules {
    /// Checks the configuration as [`AccessPolicy::new`] does.
    ///
    /// # Errors
    /// The same.
    pub fn new(config: Arc<Node>) -> Result<Self, Vec<AccessIssue>> {
        let index = Arc::clone(&AccessPolicy::new(&config)?.index);
        Ok(Self { config, index })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Node> {
        &self.config
    }

    /// The policy. Cheap.
    #[must_use]
    pub fn policy(&self) -> AccessPolicy<'_> {
        AccessPolicy {
            config: &self.config,
            router: Router::over(&self.config, Arc::clone(&self.index.router)),
            index: Arc::clone(&self.index),
        }
    }
}
