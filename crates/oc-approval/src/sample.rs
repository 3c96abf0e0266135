//! A host and plans for tests.

use std::collections::BTreeMap;

use oc_shell::Connector;

use crate::approvals_file::{Ask, Security};
use crate::binding::{Circumstances, Host};
use crate::host_view::{Entry, FileFacts, HostView};
use crate::plan::{Executable, Expansion, Form, Guard, Identity, Plan, Segment};
use crate::request::{Asked, SandboxOffer};

/// Files by path.
#[derive(Clone, Debug, Default)]
pub struct Table(pub BTreeMap<String, (Entry, Option<String>)>);

impl Table {
    pub fn file(mut self, path: &str, content: &str) -> Self {
        let facts = FileFacts { mode: 0o644, size: content.len() as u64, ..FileFacts::default() };
        let sha = crate::binding::sha256(content.as_bytes());
        self.0.insert(path.to_owned(), (Entry::File(facts), Some(sha)));
        self
    }

    pub fn directory(mut self, path: &str, inode: u64, mode: u32) -> Self {
        let facts = FileFacts { device: 1, inode, mode, ..FileFacts::default() };
        self.0.insert(path.to_owned(), (Entry::Directory(facts), None));
        self
    }

    pub fn link(mut self, path: &str, target: &str) -> Self {
        let entry = Entry::Link { facts: FileFacts::default(), target: target.to_owned() };
        self.0.insert(path.to_owned(), (entry, None));
        self
    }
}

impl HostView for Table {
    fn entry(&self, path: &str) -> Entry {
        self.0.get(path).map_or(Entry::Missing, |(e, _)| e.clone())
    }
    fn names(&self, _: &str, _: usize) -> Option<Vec<String>> {
        None
    }
    fn uid(&self) -> u32 {
        1000
    }
    fn sha256(&self, path: &str) -> Option<String> {
        self.0.get(path).and_then(|(_, sha)| sha.clone())
    }
}

/// A host with `/w`, `/bin` and `/usr/bin`.
pub fn host() -> Table {
    Table::default().directory("/w", 7, 0o700).directory("/usr/bin", 2, 0o755).directory("/tmp/bin", 3, 0o777)
}

pub fn executable(path: &str) -> Executable {
    let identity = Identity { device: 1, inode: 5, size: 9, modified_ns: 3, sha256: None };
    Executable { path: path.to_owned(), canonical: path.to_owned(), identity, guard: Guard::Kept }
}

pub fn segment(argv: &[&str]) -> Segment {
    let program = argv[0];
    let path = if program.contains('/') { program.to_owned() } else { format!("/usr/bin/{program}") };
    Segment {
        connector: Connector::Then,
        position: 0,
        argv: argv.iter().map(|w| (*w).to_owned()).collect(),
        form: Form::Plain,
        inner: Vec::new(),
        assignments: Vec::new(),
        redirections: Vec::new(),
        executable: Some(executable(&path)),
        matched: None,
        miss: None,
    }
}

pub fn plan(argv: &[&str]) -> Plan {
    Plan {
        text: argv.join(" "),
        directory: "/w".to_owned(),
        overrides: Vec::new(),
        segments: vec![segment(argv)],
        miss: None,
        expansion: Expansion::None,
    }
}

pub fn circumstances() -> Circumstances {
    Circumstances {
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        host: Host::Gateway,
        node: None,
        security: Security::Allowlist,
        ask: Ask::OnMiss,
    }
}

pub fn asked(argv: &[&str]) -> Asked {
    Asked::of(&plan(argv), &circumstances(), SandboxOffer::None, &host()).unwrap()
}
