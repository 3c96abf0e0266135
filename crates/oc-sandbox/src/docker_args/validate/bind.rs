//! Which directories of the host may be bound into a sandbox (SP-230).

use oc_policy::sandbox::Lifted;

use super::{PathRules, lifted};

/// Never bound, nor anything below, nor anything that holds them. The engine's sockets lie in the run directories.
pub(super) const SYSTEM: [&str; 10] = [
    "/etc",
    "/private/etc",
    "/proc",
    "/sys",
    "/dev",
    "/root",
    "/boot",
    "/run",
    "/var/run",
    "/private/var/run",
];

/// Below the home directory, where credentials lie.
pub(super) const HOME: [&str; 8] =
    [".aws", ".cargo", ".config", ".docker", ".gnupg", ".netrc", ".npm", ".ssh"];

type Refused = (String, Option<&'static str>);

/// Drops empty and `.` parts and resolves `..` by text; `None` when the path is not absolute.
pub(super) fn normalize(path: &str) -> Option<String> {
    let rest = path.strip_prefix('/')?;
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// Whether `path` is `root` or lies below it.
pub(super) fn within(path: &str, root: &str) -> bool {
    root == "/" || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn check_bind(
    bind: &str,
    reserved: &[&str],
    lifts: &Lifted,
    rules: &PathRules<'_>,
) -> Result<(), Refused> {
    let mut parts = bind.splitn(3, ':');
    let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Some(options) = parts.next()
        && !options.split(',').all(|o| matches!(o, "ro" | "rw" | "z" | "Z"))
    {
        return Err((format!("bind option {options:?} is refused; use ro or rw"), None));
    }
    let Some(written) = normalize(source) else {
        return Err((format!("bind source {source:?} is not an absolute path"), None));
    };
    let Some(target) = normalize(target) else {
        return Err((format!("bind target {target:?} is not an absolute path"), None));
    };
    let taken = |r: &&&str| within(&target, r) || within(r, &target);
    if let Some(r) = reserved.iter().find(taken).filter(|_| !lifted(&lifts.reserved_targets)) {
        let why = format!("bind target {target} covers {r}, which the sandbox uses itself");
        return Err((why, Some("dangerouslyAllowReservedContainerTargets")));
    }
    let home = normalize(rules.home).unwrap_or_default();
    let state = normalize(rules.state_dir).unwrap_or_default();
    // Both the path as written and where it leads: a link must not be a way around.
    for path in [written.clone(), (rules.resolve)(&written)] {
        let secret = SYSTEM
            .iter()
            .map(|s| (*s).to_owned())
            .chain(HOME.iter().map(|h| format!("{home}/{h}")))
            .find(|s| within(&path, s) || within(s, &path));
        if let Some(s) = secret {
            return Err((
                format!("bind source {written} reaches {s}, which is never bound into a sandbox"),
                None,
            ));
        }
        let roots: Vec<String> = rules.permitted_roots.iter().filter_map(|r| normalize(r)).collect();
        let reaches_state = !state.is_empty() && (within(&path, &state) || within(&state, &path));
        // A workspace may lie inside the state directory; a root that merely contains the state directory permits nothing in it.
        let permitted =
            roots.iter().any(|r| within(&path, r) && (!reaches_state || (within(r, &state) && *r != state)));
        if permitted {
            continue;
        }
        if reaches_state {
            let why = format!("bind source {written} reaches the state directory, which holds credentials");
            return Err((why, None));
        }
        if !lifted(&lifts.external_sources) {
            let why = format!("bind source {written} lies outside the workspaces");
            return Err((why, Some("dangerouslyAllowExternalBindSources")));
        }
    }
    Ok(())
}
