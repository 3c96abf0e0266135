//! `usage.*`: what the models took, as the transcripts say.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{Nothing, invalid, read};
use super::place::Place;
use super::sessions;
use crate::protocol::frame::Failure;

/// Days that are counted when none are named, and at most.
const DAYS: u32 = 30;
const MOST_DAYS: u32 = 366;
/// Most sessions that are looked at, the newest ones.
const MOST_SESSIONS: usize = 1000;
/// Most bytes at the end of a transcript that are looked at.
const WINDOW: u64 = 8 * 1024 * 1024;

/// `usage.status`: what providers say about their limits. This gateway asks none of them, so the list is empty.
///
/// # Errors
/// Parameters that are not right.
pub fn status(place: &Place, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    Ok(json!({ "updatedAt": place.now_ms, "providers": [] }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Cost {
    #[serde(default)]
    days: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    /// What each of the four costs, and all of it.
    costs: [f64; 5],
    without_cost: u64,
}

/// Names of the costs in a transcript and in the answer.
const COSTS: [(&str, &str); 5] = [
    ("input", "inputCost"),
    ("output", "outputCost"),
    ("cacheRead", "cacheReadCost"),
    ("cacheWrite", "cacheWriteCost"),
    ("total", "totalCost"),
];

impl Sum {
    fn add(&mut self, usage: &Value) {
        let number = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
        self.input = self.input.saturating_add(number("input"));
        self.output = self.output.saturating_add(number("output"));
        self.cache_read = self.cache_read.saturating_add(number("cacheRead"));
        self.cache_write = self.cache_write.saturating_add(number("cacheWrite"));
        let cost = |name: &str| {
            let found = usage.get("cost").and_then(|c| c.get(name)).and_then(Value::as_f64);
            found.filter(|c| c.is_finite() && *c >= 0.0)
        };
        if cost("total").is_none() {
            self.without_cost = self.without_cost.saturating_add(1);
        }
        for (sum, (name, _)) in self.costs.iter_mut().zip(COSTS) {
            *sum += cost(name).unwrap_or(0.0);
        }
    }

    fn join(&mut self, other: &Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        for (sum, more) in self.costs.iter_mut().zip(other.costs) {
            *sum += more;
        }
        self.without_cost = self.without_cost.saturating_add(other.without_cost);
    }

    fn value(&self) -> Value {
        let all = [self.input, self.output, self.cache_read, self.cache_write];
        let mut out = json!({
            "input": self.input, "output": self.output, "cacheRead": self.cache_read, "cacheWrite": self.cache_write,
            "totalTokens": all.into_iter().fold(0, u64::saturating_add), "missingCostEntries": self.without_cost,
        });
        if let Some(members) = out.as_object_mut() {
            members.extend(
                COSTS.iter().zip(self.costs).map(|((_, name), cost)| ((*name).to_owned(), json!(cost))),
            );
        }
        out
    }
}

/// `usage.cost`: tokens, and their price where the transcript has one, by day of this machine.
///
/// # Errors
/// Parameters that are not right; a store that cannot be read. A transcript that cannot be read is not counted.
pub fn cost(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Cost = read(params)?;
    let days = wanted.days.unwrap_or(DAYS);
    if days == 0 || days > MOST_DAYS {
        return Err(invalid(&format!("days is 1 to {MOST_DAYS}")));
    }
    let zone = TimeZone::system();
    let now = Timestamp::from_millisecond(i64::try_from(place.now_ms).unwrap_or(0))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let today = now.to_zoned(zone.clone()).date();
    let first = today.saturating_sub(i64::from(days.saturating_sub(1)).days());
    let mut daily: BTreeMap<String, Sum> = BTreeMap::new();
    let all = sessions::newest_first(sessions::all(place, &place.known_agents())?);
    for session in all.into_iter().take(MOST_SESSIONS) {
        let Ok(tail) = session.store.tail(&session.entry, WINDOW) else { continue };
        for line in &tail.lines {
            let Some((at, usage)) = taken(line) else { continue };
            let date = at.to_zoned(zone.clone()).date();
            if date >= first && date <= today {
                daily.entry(date.to_string()).or_default().add(&usage);
            }
        }
    }
    let mut totals = Sum::default();
    daily.values().for_each(|day| totals.join(day));
    let rows: Vec<Value> = daily
        .iter()
        .map(|(date, sum)| {
            let mut row = sum.value();
            if let Some(members) = row.as_object_mut() {
                members.insert("date".to_owned(), date.clone().into());
            }
            row
        })
        .collect();
    Ok(json!({ "updatedAt": place.now_ms, "days": days, "daily": rows, "totals": totals.value() }))
}

/// When an answer was given, and what it took.
fn taken(line: &str) -> Option<(Timestamp, Value)> {
    if !line.contains("\"usage\"") {
        return None;
    }
    let line: Value = serde_json::from_str(line).ok()?;
    let message = line.get("message")?;
    let usage = message.get("usage").filter(|u| u.is_object())?.clone();
    let stamp = message.get("timestamp").and_then(Value::as_i64);
    let at = stamp.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.or_else(|| line.get("timestamp").and_then(Value::as_str)?.parse().ok())?;
    Some((at, usage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::transcripts::place;

    #[test]
    fn answers_are_summed_by_day_and_old_ones_left_out() {
        let tmp = tempfile::tempdir().unwrap();
        let here = place(tmp.path(), json!({}));
        let folder = here.locations.state_dir.join("agents/main/sessions");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("sessions.json"),
            json!({"agent:main:main": {"sessionId": "a", "updatedAt": here.now_ms}}).to_string(),
        )
        .unwrap();
        let day = 86_400_000;
        let answer = |ago: u64, cost: Value| {
            let usage = json!({"input": 10, "output": 5, "cacheRead": 2, "cacheWrite": 1, "cost": cost});
            json!({"type": "message", "message": {"role": "assistant", "timestamp": here.now_ms - ago * day, "usage": usage}})
        };
        let lines = [
            json!({"type": "session", "id": "a"}),
            answer(40, json!({"total": 9.0})),
            answer(2, json!({"total": 0.5})),
            answer(0, json!({"total": 0.25})),
            answer(0, Value::Null),
            json!({"type": "message", "message": {"role": "user", "content": "usage"}}),
        ];
        std::fs::write(
            folder.join("a.jsonl"),
            lines.map(|l| format!("{l}\n")).concat() + "no json \"usage\"\n",
        )
        .unwrap();
        let got = cost(&here, json!({})).unwrap();
        assert_eq!(got["daily"].as_array().unwrap().len(), 2, "{got}");
        assert_eq!(
            got["totals"],
            json!({"input": 30, "output": 15, "cacheRead": 6, "cacheWrite": 3, "totalTokens": 54, "missingCostEntries": 1,
                "inputCost": 0.0, "outputCost": 0.0, "cacheReadCost": 0.0, "cacheWriteCost": 0.0, "totalCost": 0.75})
        );
        assert_eq!(cost(&here, json!({"days": 1})).unwrap()["totals"]["totalTokens"], 36);
        for wrong in [json!({"days": 0}), json!({"days": 9999}), json!({"day": 1})] {
            assert!(cost(&here, wrong).is_err());
        }
        assert_eq!(status(&here, json!({})).unwrap()["providers"], json!([]));
    }
}
