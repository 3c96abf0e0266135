use oc_types::Origin;
use serde_json::json;

use super::*;

#[test]
fn sp_069_only_values_that_are_paths_are_expanded() {
    let mut tree = Node::from_json(
        &json!({
            "agents": { "list": [{ "workspace": "~/w", "agentDir": "~", "name": "~/n" }] },
            "channels": { "telegram": { "tokenFile": "~/t", "allowFrom": ["~/x"] } },
            "tools": { "exec": { "pathPrepend": ["~/bin", "/b", "a/~"], "safeBins": ["~/ls"] } },
            "memory": { "extraPaths": ["~/kept"], "paths": ["~/p", { "path": "~/q", "note": "~/r" }] },
            "ROOT": "~/root", "logfile": "~user/x", "file": "$HOME/x", "dir": "`id`",
        }),
        &Origin::Default,
    );
    expand_paths(&mut tree, Path::new("/h"));
    assert_eq!(
        tree.to_json(),
        json!({
            "agents": { "list": [{ "workspace": "/h/w", "agentDir": "/h", "name": "~/n" }] },
            "channels": { "telegram": { "tokenFile": "/h/t", "allowFrom": ["~/x"] } },
            "tools": { "exec": { "pathPrepend": ["/h/bin", "/b", "a/~"], "safeBins": ["~/ls"] } },
            "memory": { "extraPaths": ["~/kept"], "paths": ["/h/p", { "path": "/h/q", "note": "~/r" }] },
            "ROOT": "/h/root", "logfile": "~user/x", "file": "$HOME/x", "dir": "`id`",
        })
    );
}
