use super::Places;

fn places() -> Places {
    let own = |path: &str| vec![path.to_owned()];
    Places::new(&own("/home/u"), &own("/home/u/.openclaw"), &own("/home/u/.openclaw/workspace"))
}

#[test]
fn sp_166_what_is_protected_by_place() {
    let places = places();
    for path in [
        "/etc/shadow",
        "/etc/shadow-",
        "/etc/gshadow",
        "/etc/sudoers",
        "/etc/sudoers.d",
        "/etc/ssh/ssh_host_rsa_key",
        "/etc/ssl/private",
        "/etc/ssl/private/x",
        "/root",
        "/root/x",
        "/home/v",
        "/home/v/x",
        "/Users/v",
        "/proc/1/environ",
        "/proc/self/fd/3",
        "/proc/self/task/7/mem",
        "/proc/thread-self/cmdline",
        "/proc/kcore",
        "/dev/sda",
        "/dev/tcp/a/1",
        "/dev",
        "/run/secrets/x",
        "/run/user/1/bus.sock",
        "/var/run/docker.sock",
        "/boot/x",
        "/sys/kernel/security/x",
        "/tmp/openclaw",
        "/tmp/openclaw/openclaw-2026-01-31.log",
        "/tmp/openclaw-1000/x.log",
        "/home/u/.ssh",
        "/home/u/.ssh/config",
        "/home/u/.config/gh/hosts.yml",
        "/home/u/.config/chromium",
        "/home/u/.mozilla/x",
        "/home/u/Library/Keychains/x",
        "/home/u/.netrc",
        "/home/u/.bash_history",
        "/home/u/x/.zsh_history",
        "/home/u/.openclaw/openclaw.json",
        "/w/.env",
        "/w/.env.local",
        "/w/id_rsa",
        "/w/a.pem",
        "/w/a.kdbx",
    ] {
        assert!(places.protects(path).is_some(), "{path}");
    }
    for path in [
        "/",
        "/etc",
        "/tmp",
        "/tmp/openclaw-notes/x",
        "/tmp/x/openclaw/x",
        "/etc/passwd",
        "/etc/ssh/sshd_config",
        "/etc/ssl/certs/x.crt",
        "/rootx",
        "/home",
        "/home/u",
        "/home/u/.sshx",
        "/home/u/x/.ssh",
        "/home/u/.config",
        "/home/u/.config/other",
        "/home/u/Library",
        "/home/u/.openclaw/workspace/a",
        "/home/u/.openclaw/workspace-b/a",
        "/proc/cpuinfo",
        "/proc/1/status",
        "/dev/null",
        "/dev/stdin",
        "/run/x",
        "/var/log/x",
        "/sys/kernel/x",
        "/w/.env.example",
        "/w/id_rsa.pub",
        "/w/history",
    ] {
        assert_eq!(places.protects(path), None, "{path}");
    }
}

#[test]
fn sp_165_trees_that_hold_what_is_protected_are_not_walked() {
    let places = places();
    for top in [
        "/",
        "/home",
        "/home/u",
        "/home/u/.openclaw",
        "/home/u/.config",
        "/home/u/Library",
        "/etc",
        "/etc/ssl",
        "/run",
        "/proc",
        "/proc/1",
        "/proc/self",
        "/proc/self/task/1",
        "/proc/thread-self",
        "/sys/kernel",
        "/dev",
        "/boot",
        "/root",
    ] {
        assert!(places.protects_tree(top).is_some(), "{top}");
    }
    for top in [
        "/home/u/src",
        "/home/u/.config/app",
        "/home/u/x/.config",
        "/usr",
        "/etc/ssh",
        "/proc/sys",
        "/run/user",
        "/var/log",
    ] {
        assert_eq!(places.protects_tree(top), None, "{top}");
    }
}
