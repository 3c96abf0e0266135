//! What of the system a sandbox sees: programs and libraries, and a handful of files that make them work.

use crate::spec::Spec;

/// Directories of programs and libraries. Where one is a link (`/bin` to `usr/bin`), the sandbox gets the same link.
pub const PROGRAMS: [&str; 10] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/run/current-system/sw",
];

/// Of `/etc`: what the loader, the name services, time and TLS read. No accounts, no secrets, no names of the host.
pub const SETTINGS: [&str; 12] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/debian_version",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// Devices.
pub const DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Links in `/dev`.
pub const DEVICE_LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// Files that are written for the sandbox instead of shown: they would name the host's people and places (SP-245).
#[must_use]
pub fn written(spec: &Spec) -> Vec<(&'static str, String)> {
    let (user, group) = (spec.inside_user(), spec.inside_group());
    vec![
        ("/etc/passwd", format!("sandbox:x:{user}:{group}:sandbox:{}:/bin/sh\n", spec.workdir)),
        ("/etc/group", format!("sandbox:x:{group}:\n")),
        ("/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n".to_owned()),
        ("/etc/hostname", "sandbox\n".to_owned()),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n".to_owned()),
        ("/etc/resolv.conf", String::new()),
    ]
}
