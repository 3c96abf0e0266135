use std::fs;
use std::path::Path;

use oc_types::Origin;
use serde_json::{Value, json};

use super::*;
use crate::skill_source::Place;

const LONG: Duration = Duration::from_secs(20);

struct Here {
    folder: tempfile::TempDir,
    library: SkillLibrary,
    config: Node,
    agent: AgentId,
}

impl Here {
    fn new(config: Value) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            library: SkillLibrary::default(),
            config: Node::from_json(&config, &Origin::Default),
            agent: AgentId::normalized("main"),
        }
    }

    fn put(&self, name: &str, description: &str, more: &str) {
        let path = self.folder.path().join(name).join("SKILL.md");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("---\nname: {name}\ndescription: {description}\n{more}\n---\n")).unwrap();
    }

    fn take(&self) -> Arc<SkillsSnapshot> {
        let roots = [Root { path: self.folder.path().to_owned(), place: Place::Managed, within: None }];
        self.library.snapshot(&Question {
            agent: &self.agent,
            roots: &roots,
            config: &self.config,
            listed: None,
            path: &[],
            variable: &|_| false,
        })
    }
}

fn descriptions(snapshot: &SkillsSnapshot) -> Vec<&str> {
    snapshot.skills().iter().map(|s| s.description.as_str()).collect()
}

#[test]
fn an_edit_is_in_the_next_turn_and_not_in_this_one() {
    let here = Here::new(json!({}));
    here.put("a", "old words", "");
    let this_turn = here.take();
    assert!(Arc::ptr_eq(&this_turn, &here.take()), "nothing changed: the same snapshot");
    here.put("a", "new words that are longer", "");
    here.put("b", "second", "");
    assert_eq!(descriptions(&this_turn), ["old words"]);
    assert!(this_turn.prompt().contains("old words"));
    let next_turn = here.take();
    assert_eq!(descriptions(&next_turn), ["new words that are longer", "second"]);
    assert!(next_turn.version() > this_turn.version());
    assert_eq!(descriptions(&this_turn), ["old words"]);
    fs::remove_dir_all(here.folder.path().join("a")).unwrap();
    assert_eq!(descriptions(&here.take()), ["second"]);
}

#[test]
fn the_watcher_tells_by_itself() {
    let here = Here::new(json!({}));
    here.put("a", "old", "");
    let version = here.take().version();
    here.put("a", "new and longer", "");
    assert!(here.library.wait_past(version, LONG), "no change was told");
    assert_eq!(descriptions(&here.take()), ["new and longer"]);
}

#[test]
fn without_watching_only_a_touch_counts() {
    let here = Here::new(json!({"skills": {"load": {"watch": false}}}));
    here.put("a", "old", "");
    here.take();
    here.put("a", "new and longer", "");
    assert_eq!(descriptions(&here.take()), ["old"]);
    here.library.touch();
    assert_eq!(descriptions(&here.take()), ["new and longer"]);
}

#[test]
fn the_programs_of_a_node_change_what_is_eligible() {
    let here = Here::new(json!({}));
    here.put("mac", "speaks", r#"metadata: {"openclaw": {"os": ["darwin"], "requires": {"bins": ["say"]}}}"#);
    let without = here.take();
    assert_eq!(descriptions(&without), Vec::<&str>::new());
    assert_eq!(here.library.wanted_bins(), ["say"]);
    let node = |bins: &[&str]| NodeOffer {
        id: "n1".to_owned(),
        name: "studio".to_owned(),
        platform: "darwin".to_owned(),
        bins: bins.iter().map(|b| (*b).to_owned()).collect(),
    };
    assert!(here.library.set_nodes(vec![node(&[])]));
    assert_eq!(here.take().skills().len(), 0);
    assert!(here.library.set_nodes(vec![node(&["say"])]));
    let with = here.take();
    assert_eq!(with.skills()[0].node.as_deref(), Some("studio"));
    assert!(!here.library.set_nodes(vec![node(&["say"])]), "nothing new");
    assert!(here.library.set_nodes(Vec::new()));
    assert_eq!((here.take().skills().len(), with.skills().len()), (0, 1));
}

#[test]
fn a_watched_folder_may_appear_later() {
    let here = Here::new(json!({}));
    let path = here.folder.path().to_owned();
    fs::remove_dir(&path).unwrap();
    assert_eq!(here.take().skills().len(), 0);
    here.put("a", "appeared", "");
    assert_eq!(descriptions(&here.take()), ["appeared"]);
    let version = here.take().version();
    here.put("a", "changed and longer", "");
    assert!(here.library.wait_past(version, LONG));
    assert!(Path::new(&path).exists());
}
