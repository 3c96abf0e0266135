//! `ledger.list`.

use oc_fs::ledger::{Kind, Ledger, Record, read};
use serde::Deserialize;
use serde_json::json;

use super::{invalid, unavailable};
use crate::methods::{Call, Outcome, parse};

/// Records when the caller names no number, and at most.
const RECORDS: usize = 200;
const MAX_RECORDS: usize = 1000;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Wanted {
    limit: Option<usize>,
    before: Option<u64>,
    agent: Option<String>,
    session: Option<String>,
    subject: Option<String>,
    verdict: Option<String>,
    kind: Option<String>,
}

impl Wanted {
    fn takes(&self, record: &Record) -> bool {
        let e = &record.entry;
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        self.before.is_none_or(|n| record.seq < n)
            && same(&self.agent, &e.agent)
            && same(&self.session, &e.session)
            && same(&self.subject, &e.subject)
            && same(&self.verdict, &e.verdict)
            && same(&self.kind, Kind::word(e.kind))
    }
}

/// `ledger.list {limit?, before?, agent?, session?, subject?, verdict?, kind?}`: `{records[] newest first, more, damaged}`. Records hold ids
/// and words, never a text of a message or a credential.
pub fn list(call: &Call) -> Outcome {
    let wanted: Wanted = parse("ledger.list", &call.params)?;
    let limit = wanted.limit.unwrap_or(RECORDS);
    if limit == 0 || limit > MAX_RECORDS {
        return Err(invalid(format_args!("limit is 1 to {MAX_RECORDS}")));
    }
    let ledger = Ledger::of(&call.gateway.state_dir);
    let lines = read(ledger.directory())
        .map_err(|e| unavailable(format_args!("the ledger cannot be read: {}", e.kind())))?;
    let damaged = lines.iter().filter(|l| l.record.is_err()).count();
    let mut found = lines.iter().rev().filter_map(|l| l.record.as_ref().ok()).filter(|r| wanted.takes(r));
    let records: Vec<&Record> = found.by_ref().take(limit).collect();
    Ok(json!({ "records": records, "more": found.next().is_some(), "damaged": damaged }))
}
