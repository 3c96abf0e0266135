use serde_json::json;

use super::*;

/// Each row: what was there, what is there, the change that must be seen.
const ROWS: &str = include_str!("../../../../fixtures/config/change-log.jsonl");

#[test]
fn sp_071_widening_changes_are_told_from_others() {
    let mut wrong = Vec::new();
    for line in ROWS.lines().filter(|l| !l.trim().is_empty()) {
        let row: Json = serde_json::from_str(line).unwrap();
        let found = entries(&row["before"], &row["after"]);
        let got: Vec<String> =
            found.iter().map(|e| format!("{} {:?}", e.path, e.access).to_lowercase()).collect();
        let want: Vec<String> =
            row["expect"].as_array().unwrap().iter().map(|e| e.as_str().unwrap().to_lowercase()).collect();
        if got != want {
            wrong.push(format!("{}: want {want:?} got {got:?}", row["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sp_064_a_record_names_keys_and_never_values() {
    let before = json!({ "gateway": { "auth": { "token": "canary-old" } }, "channels": { "telegram": { "allowFrom": ["canary-1"] } } });
    let after = json!({ "gateway": { "auth": { "token": "canary-new" } }, "channels": { "telegram": { "allowFrom": ["canary-2"] } }, "env": { "vars": { "X": "canary-x" } } });
    let changes = entries(&before, &after);
    let record = Record {
        time: String::new(),
        writer: String::new(),
        file: String::new(),
        before: String::new(),
        after: String::new(),
        forced: false,
        access: overall(&changes),
        changes,
        more: 0,
    };
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(record.access, Access::Widens);
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}

#[test]
fn every_scale_knows_its_default() {
    for scale in rules::SCALES {
        assert!(scale.order.iter().any(|g| g.contains(&scale.absent)), "{:?}", scale.key);
    }
}
