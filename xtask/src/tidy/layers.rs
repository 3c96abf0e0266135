//! The dependency direction of the design: arrows point down only.

use super::manifest::Manifest;

/// Lowest first. A crate may depend on crates that stand before it.
const ORDER: [&str; 23] = [
    "oc-types",
    "oc-text",
    "oc-shell",
    "oc-config",
    "oc-policy",
    "oc-approval",
    "oc-extensions",
    "oc-audit",
    "oc-malloc",
    "oc-rooted",
    "oc-runner",
    "oc-confine",
    "oc-fs",
    "oc-sandbox",
    "oc-mcp",
    "oc-browser",
    "oc-agent",
    "oc-channels",
    "oc-gateway",
    "openclaw-runner",
    "openclaw-gateway",
    "openclaw-cli",
    "xtask",
];

/// Pairs that do not know each other although their order would allow it.
const STRANGERS: [(&str, &str); 3] =
    [("oc-channels", "oc-sandbox"), ("oc-channels", "oc-agent"), ("openclaw-cli", "openclaw-gateway")];

/// Async and network crates that the pure layers never see.
const NOT_IN_PURE: [&str; 9] = [
    "tokio",
    "hyper",
    "tokio-tungstenite",
    "futures-util",
    "bollard",
    "rustix",
    "reqwest",
    "tempfile",
    "notify",
];

/// The last crate of [`ORDER`] that is pure.
const LAST_PURE: &str = "oc-audit";

fn rank(name: &str) -> Option<usize> {
    ORDER.iter().position(|n| *n == name)
}

/// Upward edges, unknown crates, I/O crates below the line.
pub fn check(manifests: &[Manifest]) -> Vec<String> {
    let mut wrong = Vec::new();
    let pure_limit = rank(LAST_PURE).unwrap_or(0);
    for m in manifests {
        let Some(own) = rank(&m.name) else {
            wrong.push(format!(
                "crate `{}` has no place in the layer order (xtask/src/tidy/layers.rs)",
                m.name
            ));
            continue;
        };
        for d in &m.dependencies {
            if rank(d).is_some_and(|r| r >= own) {
                wrong.push(format!(
                    "`{}` depends on `{d}`, which is not below it: arrows point down only",
                    m.name
                ));
            }
            if STRANGERS.contains(&(m.name.as_str(), d.as_str())) {
                wrong.push(format!("`{}` must not know `{d}`", m.name));
            }
            if own <= pure_limit && NOT_IN_PURE.contains(&d.as_str()) {
                wrong.push(format!("pure crate `{}` depends on `{d}`, which does I/O or is async", m.name));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_with(name: &str, dependencies: &[&str]) -> Manifest {
        Manifest {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
            workspace_lints: true,
            ..Manifest::default()
        }
    }

    #[test]
    fn downward_edges_pass() {
        assert!(
            check(&[crate_with("oc-policy", &["oc-types", "serde"]), crate_with("oc-fs", &["oc-audit"])])
                .is_empty()
        );
    }

    #[test]
    fn an_upward_edge_fails() {
        assert_eq!(check(&[crate_with("oc-types", &["oc-config"])]).len(), 1);
        assert_eq!(check(&[crate_with("oc-policy", &["oc-audit"])]).len(), 1);
    }

    #[test]
    fn strangers_unknown_crates_and_io_below_the_line_fail() {
        assert_eq!(check(&[crate_with("oc-channels", &["oc-sandbox"])]).len(), 1);
        assert_eq!(check(&[crate_with("oc-new", &[])]).len(), 1);
        assert_eq!(check(&[crate_with("oc-audit", &["tokio"])]).len(), 1);
    }
}
