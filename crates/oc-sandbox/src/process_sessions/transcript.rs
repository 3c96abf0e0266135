//! The output of a command as text: the last so many characters, and what nobody has polled yet.

/// Kept output.
#[derive(Debug)]
pub struct Transcript {
    limit: usize,
    kept: Tail,
    pending: Tail,
    partial: [Vec<u8>; 2],
}

/// The end of a text, with the number of characters that went before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The text.
    pub text: String,
    /// Characters that were dropped before it.
    pub dropped: u64,
    length: usize,
}

impl Tail {
    fn push(&mut self, text: &str, limit: usize) {
        self.text.push_str(text);
        self.length = self.length.saturating_add(text.chars().count());
        let excess = self.length.saturating_sub(limit);
        if excess > 0 {
            let at = self.text.char_indices().nth(excess).map_or(self.text.len(), |(at, _)| at);
            self.text.drain(..at);
            self.length = limit;
            self.dropped = self.dropped.saturating_add(excess as u64);
        }
    }
}

impl Transcript {
    /// Keeps at most `limit` characters.
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: Tail::default(), pending: Tail::default(), partial: [Vec::new(), Vec::new()] }
    }

    /// Adds bytes of stream 0 or 1. A character that is cut in two waits for its rest.
    pub fn push(&mut self, stream: usize, bytes: &[u8]) {
        let Some(partial) = self.partial.get_mut(stream) else { return };
        partial.extend_from_slice(bytes);
        let text = take_text(partial);
        self.add(&text);
    }

    /// No more bytes come.
    pub fn end(&mut self) {
        let rest: Vec<Vec<u8>> = self.partial.iter_mut().map(std::mem::take).collect();
        for bytes in rest.into_iter().filter(|b| !b.is_empty()) {
            self.add(&String::from_utf8_lossy(&bytes));
        }
    }

    fn add(&mut self, text: &str) {
        self.kept.push(text, self.limit);
        self.pending.push(text, self.limit);
    }

    /// All that is kept.
    pub fn kept(&self) -> &Tail {
        &self.kept
    }

    /// What came since the last time.
    pub fn take_pending(&mut self) -> Tail {
        std::mem::take(&mut self.pending)
    }
}

/// The text of the bytes up to the last whole character; the rest stays.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let incomplete = match std::str::from_utf8(bytes) {
        Ok(_) => 0,
        Err(e) if e.error_len().is_none() => bytes.len().saturating_sub(e.valid_up_to()),
        // Something else is wrong further up; look at the end by itself.
        Err(_) => (1..=3_usize.min(bytes.len()))
            .find(|n| {
                let tail = bytes.get(bytes.len().saturating_sub(*n)..).unwrap_or_default();
                std::str::from_utf8(tail).is_err_and(|e| e.error_len().is_none() && e.valid_up_to() == 0)
            })
            .unwrap_or(0),
    };
    let rest = bytes.split_off(bytes.len().saturating_sub(incomplete));
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}
