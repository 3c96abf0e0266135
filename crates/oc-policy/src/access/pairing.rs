//! What a decision needs to know about pairing: approved senders and pending requests, as data.

/// How long a request can be approved, from its creation, milliseconds.
pub const REQUEST_LIFETIME_MS: i64 = 3_600_000;
/// Most pending requests of one channel account (SP-411).
pub const MAX_PENDING: usize = 3;

/// A request that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// The sender's id.
    pub id: String,
    /// The code, when the caller may know it. Never logged.
    pub code: Option<String>,
    /// When it was made, Unix milliseconds; `None` for a missing or bad date, which counts as expired.
    pub created_ms: Option<i64>,
    /// When the sender was last seen, Unix milliseconds.
    pub last_seen_ms: Option<i64>,
}

/// Whether a request made at `created_ms` is over at `now_ms`: strictly later than its lifetime, or without a date.
#[must_use]
pub fn is_expired(created_ms: Option<i64>, now_ms: i64) -> bool {
    created_ms.is_none_or(|at| now_ms.saturating_sub(at) > REQUEST_LIFETIME_MS)
}

/// The approved list of a channel account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// Its entries, as stored.
    Entries(Vec<String>),
    /// It is there and cannot be used (SP-008): nobody is admitted through it and no code is made.
    Unreadable {
        /// Why, with the file's name.
        why: String,
    },
}

/// The pairing state of the account that received the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingView {
    /// Approved senders.
    pub approved: Approved,
    /// Pending requests, expired ones included.
    pub pending: Vec<PendingRequest>,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

impl PairingView {
    /// No approved sender and no request.
    #[must_use]
    pub fn empty(now_ms: i64) -> Self {
        Self { approved: Approved::Entries(Vec::new()), pending: Vec::new(), now_ms }
    }

    pub(crate) fn entries(&self) -> &[String] {
        match &self.approved {
            Approved::Entries(e) => e,
            Approved::Unreadable { .. } => &[],
        }
    }

    /// The requests that can still be approved: not expired, and of an over-full list the ones last seen most recently.
    #[must_use]
    pub fn live(&self) -> Vec<&PendingRequest> {
        let mut live: Vec<_> =
            self.pending.iter().filter(|r| !is_expired(r.created_ms, self.now_ms)).collect();
        if live.len() > MAX_PENDING {
            let mut seen: Vec<_> = live.iter().map(|r| r.last_seen_ms.or(r.created_ms)).collect();
            seen.sort_unstable();
            let oldest_kept = seen.get(seen.len() - MAX_PENDING).copied().flatten();
            live.retain(|r| r.last_seen_ms.or(r.created_ms) >= oldest_kept);
            let over = live.len().saturating_sub(MAX_PENDING);
            live.drain(..over);
        }
        live
    }

    /// What the sender's message does to the requests. Nothing is changed here.
    #[must_use]
    pub(crate) fn notice(&self, id: &str) -> PairingNotice {
        let live = self.live();
        let known = live.iter().any(|r| r.id == id);
        let created = !known && live.len() < MAX_PENDING;
        PairingNotice {
            created,
            id: (known || created).then(|| id.to_owned()),
            pending: live.len() + usize::from(created),
        }
    }
}

/// What the pairing handshake comes to for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingNotice {
    created: bool,
    id: Option<String>,
    pending: usize,
}

impl PairingNotice {
    /// Whether a request and a code are made; only then is there a reply.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// The id the request is kept under; `None` when the cap is reached and nothing happens.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How many requests are pending after this message.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }
}
