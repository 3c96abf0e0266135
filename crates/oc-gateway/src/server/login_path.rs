//! The search path of the user's login shell, for commands on this host (exec-approval 8.3): a service starts with a short one.
//!
//! Asked once, after the gateway serves, so that no start waits for somebody's profile. Until the answer is there, and when none comes,
//! commands are judged and run with the service's own path.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use oc_config::Environment;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::state::{Gateway, stopping};

/// How long the shell may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const LONGEST: u64 = 32 * 1024;
/// What stands before and after the path: a profile may print things of its own.
const MARK: &str = "openclaw-path:";
/// What the shell sees of this process. No secret of the gateway goes to a profile.
const HANDED_ON: [&str; 7] = ["HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TMPDIR"];

/// Asks, and has the gate search there first.
pub async fn take_over(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    let snapshot = gateway.snapshot();
    let asked = tokio::select! {
        asked = ask(&snapshot.loaded.environment) => asked,
        () = stopping(&mut phase) => return,
    };
    match asked {
        Ok(Some(path)) => {
            gateway.gate.search_first(&path);
            // Other programs are found now.
            gateway.skills.touch();
        }
        // Nobody says which shell it is.
        Ok(None) => {}
        Err(why) => {
            tracing::warn!(target: "gateway", why, "the login shell does not say its search path; commands use that of the service");
        }
    }
}

/// What the shell in `SHELL` says; `None` without one.
async fn ask(environment: &Environment) -> Result<Option<String>, String> {
    let Some(shell) = environment.text("SHELL").filter(|s| Path::new(s).is_absolute()) else {
        return Ok(None);
    };
    let mut child = Command::new(shell)
        .args(["-l", "-c", &format!("printf '\\n{MARK}%s\\n' \"$PATH\"")])
        .env_clear()
        .envs(HANDED_ON.iter().filter_map(|name| Some((*name, environment.get(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("{shell}: {e}"))?;
    let Some(out) = child.stdout.take() else { return Err(format!("{shell}: no output")) };
    let read = async {
        let mut text = Vec::new();
        let read = out.take(LONGEST).read_to_end(&mut text).await;
        read.map(|_| text)
    };
    let text = tokio::time::timeout(LIMIT, read).await;
    // It has said what it was asked for, or never will.
    let _ = child.start_kill();
    let text = text.map_err(|_| format!("{shell}: no answer within {} s", LIMIT.as_secs()))?;
    let text = text.map_err(|e| format!("{shell}: {e}"))?;
    let text = String::from_utf8_lossy(&text);
    read_path(&text).map(Some).ok_or_else(|| format!("{shell}: its answer is no search path"))
}

/// The path in an answer: absolute directories only, each once.
fn read_path(text: &str) -> Option<String> {
    let line = text.lines().rev().find_map(|l| l.strip_prefix(MARK))?;
    let mut parts: Vec<&str> = Vec::new();
    for part in line.split(':') {
        let plain = part.starts_with('/') && !part.chars().any(char::is_control);
        if plain && !parts.contains(&part) {
            parts.push(part);
        }
    }
    (!parts.is_empty()).then(|| parts.join(":"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_process(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn only_absolute_directories_of_the_marked_line_count() {
        let said = "welcome\nopenclaw-path:/old\n\nopenclaw-path:/a:/b:.:relative::/a:/c d\n";
        assert_eq!(read_path(said).as_deref(), Some("/a:/b:/c d"));
        for bad in ["", "/a:/b", "openclaw-path:", "openclaw-path:.:rel"] {
            assert_eq!(read_path(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn sp_014_the_shell_is_asked_and_sees_no_secret() {
        let tmp = tempfile::tempdir().unwrap();
        let shell = tmp.path().join("shell");
        let body = "#!/bin/sh\necho hello\n[ \"$1 $2\" = '-l -c' ] || exit 1\nPATH=\"/mine/bin:$PATH:/t$OPENCLAW_GATEWAY_TOKEN\"\neval \"$3\"\n";
        std::fs::write(&shell, body).unwrap();
        std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
        let shell = shell.to_str().unwrap();
        let with =
            environment(&[("SHELL", shell), ("PATH", "/usr/bin:/bin"), ("OPENCLAW_GATEWAY_TOKEN", "secret")]);
        assert_eq!(ask(&with).await.unwrap().as_deref(), Some("/mine/bin:/usr/bin:/bin:/t"));
        assert_eq!(ask(&environment(&[("PATH", "/bin")])).await.unwrap(), None);
        assert_eq!(ask(&environment(&[("SHELL", "sh")])).await.unwrap(), None, "not searched for");
        for broken in ["/nonexistent/shell", "/bin/false"] {
            assert!(ask(&environment(&[("SHELL", broken)])).await.is_err(), "{broken}");
        }
    }
}
