//! The pairing stores of an account, read and never written.

use std::path::Path;
use std::sync::Arc;

use oc_channels::pairing::{file_stem, parse_approved, parse_pending};
use oc_config::document::{self, Format, Frame};
use oc_config::load::Loaded;
use oc_fs::bounded_read::{self, ReadFailure};
use oc_policy::access::explain::StoreFiles;
use oc_policy::access::{Approved, PairingView, PendingRequest};
use oc_types::{AccountId, ChannelId, Node, Origin};

/// Largest store that is read, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// The stores as values.
pub(super) struct Stores {
    /// What they hold.
    pub(super) view: PairingView,
    /// Their names and the positions of their entries.
    pub(super) files: StoreFiles,
}

/// Reads both stores. The plain names belong to the default account alone (SP-405). A store that is there and cannot be used denies (SP-008).
pub(super) fn read(loaded: &Loaded, channel: &ChannelId, account: &str, now_ms: i64) -> Stores {
    let account = AccountId::normalized(account);
    let stem = file_stem(channel.as_str()).unwrap_or_else(|_| channel.to_string());
    let stem = if account.as_str() == AccountId::DEFAULT { stem } else { format!("{stem}-{account}") };
    let mut files = StoreFiles::of(&stem);
    let folder = &loaded.locations.credentials;
    let approved_path = folder.join(format!("{stem}-allowFrom.json"));
    let mut view = PairingView::empty(now_ms);
    let deny = |view: &mut PairingView, file: &str, why: &dyn std::fmt::Display| {
        view.approved = Approved::Unreadable { why: format!("{file}: {why}") };
    };
    match text(&folder.join(format!("{stem}-pairing.json"))) {
        Ok(None) => {}
        Ok(Some(text)) => match parse_pending(&text) {
            Ok(requests) => {
                view.pending = requests
                    .into_iter()
                    .map(|r| PendingRequest {
                        id: r.id,
                        code: Some(r.code),
                        created_ms: r.created_ms,
                        last_seen_ms: r.last_seen_ms,
                    })
                    .collect();
            }
            Err(e) => deny(&mut view, &files.pending, &e),
        },
        Err(e) => deny(&mut view, &files.pending, &e),
    }
    if matches!(view.approved, Approved::Unreadable { .. }) {
        return Stores { view, files };
    }
    match text(&approved_path) {
        Ok(None) => {}
        Ok(Some(text)) => match parse_approved(&text) {
            Ok(entries) => {
                files.entries_at = positions(&approved_path, &text);
                view.approved = Approved::Entries(entries);
            }
            Err(e) => deny(&mut view, &files.approved, &e),
        },
        Err(e) => deny(&mut view, &files.approved, &e),
    }
    Stores { view, files }
}

/// `None` when there is no such file.
fn text(path: &Path) -> Result<Option<String>, ReadFailure> {
    match bounded_read::text(path, LIMIT) {
        Ok(text) => Ok(Some(text)),
        Err(ReadFailure::Missing) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Where each approved entry stands.
fn positions(path: &Path, text: &str) -> Vec<Origin> {
    let name: Arc<str> = path.to_string_lossy().into();
    let parsed = document::parse(&Frame::root(&*name), text.as_bytes(), Format::Json5);
    let list =
        parsed.ok().and_then(|d| d.node.get("allowFrom").and_then(Node::as_array).map(<[Node]>::to_vec));
    let at = |n: &Node| Origin::Store { file: Arc::clone(&name), at: n.origin.position() };
    list.unwrap_or_default().iter().map(at).collect()
}
