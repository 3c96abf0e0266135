//! `agents.files.*`: the files of a workspace that a prompt is made of. Those names and no others; never through a link (SP-003).

use std::path::PathBuf;

use oc_agent::prompt::BOOTSTRAP;
use oc_fs::workspace_files::{Found, Workspace, replace};
use oc_types::AgentId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::params::{invalid, read, unavailable};
use super::place::Place;
use crate::protocol::frame::Failure;

/// Longest file that is written, in bytes.
const LONGEST: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct List {
    agent_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Get {
    agent_id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Set {
    agent_id: String,
    name: String,
    content: String,
}

/// `agents.files.list`.
///
/// # Errors
/// Parameters that are not right, an agent that is not there.
pub fn list(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: List = read(params)?;
    let (agent, folder) = at(place, &wanted.agent_id)?;
    let workspace = Workspace::open(&folder);
    let files: Vec<Value> =
        BOOTSTRAP.iter().map(|name| Value::Object(row(place, &folder, &workspace, name))).collect();
    Ok(json!({ "agentId": agent, "workspace": place.shown(&folder), "files": files }))
}

/// `agents.files.get`.
///
/// # Errors
/// As for [`list`]; a name that is none of those files; a file that is not read.
pub fn get(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Get = read(params)?;
    let (agent, folder) = at(place, &wanted.agent_id)?;
    let name = named(&wanted.name)?;
    let workspace = Workspace::open(&folder);
    let mut file = row(place, &folder, &workspace, name);
    match workspace.read(name) {
        Found::Text(text) => drop(file.insert("content".to_owned(), text.into())),
        Found::Missing => {}
        Found::Refused(why) => return Err(invalid(&format!("{name} is not read: {why}"))),
    }
    Ok(json!({ "agentId": agent, "workspace": place.shown(&folder), "file": file }))
}

/// `agents.files.set`: replaces a file whole.
///
/// # Errors
/// As for [`get`]; a text that is too long; what could not be written.
pub fn set(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Set = read(params)?;
    let (agent, folder) = at(place, &wanted.agent_id)?;
    let name = named(&wanted.name)?;
    if wanted.content.len() > LONGEST || wanted.content.contains('\0') {
        return Err(invalid(&format!("content is a text of at most {LONGEST} bytes")));
    }
    replace(&folder, name, &wanted.content).map_err(|e| unavailable(&format!("{name}: {e}")))?;
    tracing::info!(target: "gateway", agent = %agent, name, "a file of a workspace was replaced by a client");
    let mut file = row(place, &folder, &Workspace::open(&folder), name);
    file.insert("content".to_owned(), wanted.content.into());
    Ok(json!({ "ok": true, "agentId": agent, "workspace": place.shown(&folder), "file": file }))
}

fn at(place: &Place, agent: &str) -> Result<(AgentId, PathBuf), Failure> {
    let agent = AgentId::strict(agent).map_err(|e| invalid(&e.to_string()))?;
    if !place.agents().contains(&agent) {
        return Err(invalid(&format!("there is no agent `{agent}`")));
    }
    let folder = place.workspace(&agent);
    Ok((agent, folder))
}

fn named(name: &str) -> Result<&'static str, Failure> {
    let found = BOOTSTRAP.iter().find(|known| **known == name);
    found.copied().ok_or_else(|| invalid(&format!("name is one of {}", BOOTSTRAP.join(", "))))
}

fn row(place: &Place, folder: &std::path::Path, workspace: &Workspace, name: &str) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("name".to_owned(), name.into());
    out.insert("path".to_owned(), place.shown(&folder.join(name)).into());
    let facts = workspace.facts(name);
    out.insert("missing".to_owned(), facts.is_none().into());
    if let Some((size, changed)) = facts {
        out.insert("size".to_owned(), size.into());
        out.insert("updatedAtMs".to_owned(), changed.into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::transcripts::place;

    #[test]
    fn sp_003_a_file_of_the_list_is_read_and_written_and_no_other() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = tmp.path().join("work");
        let here = place(tmp.path(), json!({"agents": {"list": [{"id": "main", "workspace": folder}]}}));
        let ask = |name: &str| json!({"agentId": "main", "name": name});
        let all = list(&here, json!({"agentId": "main"})).unwrap();
        assert_eq!(all["files"].as_array().unwrap().len(), BOOTSTRAP.len());
        assert!(all["files"].as_array().unwrap().iter().all(|f| f["missing"] == true), "{all}");
        let written =
            set(&here, json!({"agentId": "main", "name": "SOUL.md", "content": "Be kind."})).unwrap();
        assert_eq!((&written["ok"], &written["file"]["size"]), (&json!(true), &json!(8)));
        assert_eq!(get(&here, ask("SOUL.md")).unwrap()["file"]["content"], "Be kind.");
        assert_eq!(get(&here, ask("USER.md")).unwrap()["file"]["missing"], true);
        std::fs::write(tmp.path().join("secret"), "key").unwrap();
        std::os::unix::fs::symlink(tmp.path().join("secret"), folder.join("USER.md")).unwrap();
        for name in ["USER.md", "../secret", "soul.md", "x.md", "", "/etc/passwd", "SOUL.md/../x"] {
            assert!(get(&here, ask(name)).is_err(), "{name}");
            assert!(set(&here, json!({"agentId": "main", "name": name, "content": "x"})).is_err(), "{name}");
        }
        assert_eq!(std::fs::read_to_string(tmp.path().join("secret")).unwrap(), "key");
        for params in [
            json!({"agentId": "nobody"}),
            json!({"agentId": "../x"}),
            json!({}),
            json!({"agentId": "main", "x": 1}),
        ] {
            assert!(list(&here, params.clone()).is_err(), "{params}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(set(&here, json!({"agentId": "main", "name": "SOUL.md", "content": long})).is_err());
    }
}
