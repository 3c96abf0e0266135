//! The profiles that are part of the program, one TOML file each in `profiles/`.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use crate::safe_bin::profile::Profile;

/// A file of `profiles/`, read when it is first needed.
struct BuiltIn {
    names: &'static [&'static str],
    text: &'static str,
    read: OnceLock<Option<Profile>>,
}

impl BuiltIn {
    const fn new(names: &'static [&'static str], text: &'static str) -> Self {
        Self { names, text, read: OnceLock::new() }
    }

    /// `None` when the file is no profile, which a test rules out.
    fn profile(&'static self) -> Option<&'static Profile> {
        self.read.get_or_init(|| Profile::parse(self.text).ok()).as_ref()
    }
}

/// The profile of a program by its base name, exactly.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static Profile> {
    BY_NAME.get(name).and_then(|own| own.profile())
}

/// Every name and its file.
static BY_NAME: LazyLock<HashMap<&'static str, &'static BuiltIn>> = LazyLock::new(|| {
    BUILT_IN.iter().flat_map(|own| own.names.iter().map(move |name| (*name, own))).collect()
});

/// The names and the text of every file.
pub fn texts() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    BUILT_IN.iter().map(|own| (own.names, own.text))
}

static BUILT_IN: [BuiltIn; 60] = [
    BuiltIn::new(&["arch", "groups", "logname", "tty"], include_str!("../../../profiles/arch.toml")),
    BuiltIn::new(
        &["awk", "mawk", "gawk", "nawk", "original-awk"],
        include_str!("../../../profiles/awk.toml"),
    ),
    BuiltIn::new(&["b2sum"], include_str!("../../../profiles/b2sum.toml")),
    BuiltIn::new(&["base64", "base32"], include_str!("../../../profiles/base64.toml")),
    BuiltIn::new(&["basename"], include_str!("../../../profiles/basename.toml")),
    BuiltIn::new(&["cat"], include_str!("../../../profiles/cat.toml")),
    BuiltIn::new(&["cksum"], include_str!("../../../profiles/cksum.toml")),
    BuiltIn::new(&["cmp"], include_str!("../../../profiles/cmp.toml")),
    BuiltIn::new(&["comm"], include_str!("../../../profiles/comm.toml")),
    BuiltIn::new(&["cut"], include_str!("../../../profiles/cut.toml")),
    BuiltIn::new(&["date"], include_str!("../../../profiles/date.toml")),
    BuiltIn::new(&["df"], include_str!("../../../profiles/df.toml")),
    BuiltIn::new(&["diff"], include_str!("../../../profiles/diff.toml")),
    BuiltIn::new(&["dirname"], include_str!("../../../profiles/dirname.toml")),
    BuiltIn::new(&["du"], include_str!("../../../profiles/du.toml")),
    BuiltIn::new(&["echo"], include_str!("../../../profiles/echo.toml")),
    BuiltIn::new(&["env"], include_str!("../../../profiles/env.toml")),
    BuiltIn::new(&["expand"], include_str!("../../../profiles/expand.toml")),
    BuiltIn::new(&["file"], include_str!("../../../profiles/file.toml")),
    BuiltIn::new(&["find"], include_str!("../../../profiles/find.toml")),
    BuiltIn::new(&["fmt"], include_str!("../../../profiles/fmt.toml")),
    BuiltIn::new(&["fold"], include_str!("../../../profiles/fold.toml")),
    BuiltIn::new(&["grep", "egrep", "fgrep"], include_str!("../../../profiles/grep.toml")),
    BuiltIn::new(&["head"], include_str!("../../../profiles/head.toml")),
    BuiltIn::new(&["hostname"], include_str!("../../../profiles/hostname.toml")),
    BuiltIn::new(&["id"], include_str!("../../../profiles/id.toml")),
    BuiltIn::new(&["join"], include_str!("../../../profiles/join.toml")),
    BuiltIn::new(&["jq"], include_str!("../../../profiles/jq.toml")),
    BuiltIn::new(&["less"], include_str!("../../../profiles/less.toml")),
    BuiltIn::new(&["ls", "dir", "vdir"], include_str!("../../../profiles/ls.toml")),
    BuiltIn::new(
        &["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum"],
        include_str!("../../../profiles/md5sum.toml"),
    ),
    BuiltIn::new(&["more"], include_str!("../../../profiles/more.toml")),
    BuiltIn::new(&["nl"], include_str!("../../../profiles/nl.toml")),
    BuiltIn::new(&["nproc"], include_str!("../../../profiles/nproc.toml")),
    BuiltIn::new(&["od"], include_str!("../../../profiles/od.toml")),
    BuiltIn::new(&["paste"], include_str!("../../../profiles/paste.toml")),
    BuiltIn::new(&["printf"], include_str!("../../../profiles/printf.toml")),
    BuiltIn::new(&["pwd"], include_str!("../../../profiles/pwd.toml")),
    BuiltIn::new(&["readlink"], include_str!("../../../profiles/readlink.toml")),
    BuiltIn::new(&["realpath"], include_str!("../../../profiles/realpath.toml")),
    BuiltIn::new(&["rev"], include_str!("../../../profiles/rev.toml")),
    BuiltIn::new(&["sed"], include_str!("../../../profiles/sed.toml")),
    BuiltIn::new(&["seq"], include_str!("../../../profiles/seq.toml")),
    BuiltIn::new(&["sort"], include_str!("../../../profiles/sort.toml")),
    BuiltIn::new(&["stat"], include_str!("../../../profiles/stat.toml")),
    BuiltIn::new(&["tac"], include_str!("../../../profiles/tac.toml")),
    BuiltIn::new(&["tail"], include_str!("../../../profiles/tail.toml")),
    BuiltIn::new(&["tar"], include_str!("../../../profiles/tar.toml")),
    BuiltIn::new(&["test"], include_str!("../../../profiles/test.toml")),
    BuiltIn::new(&["tr"], include_str!("../../../profiles/tr.toml")),
    BuiltIn::new(&["tree"], include_str!("../../../profiles/tree.toml")),
    BuiltIn::new(&["true", "false"], include_str!("../../../profiles/true.toml")),
    BuiltIn::new(&["uname"], include_str!("../../../profiles/uname.toml")),
    BuiltIn::new(&["unexpand"], include_str!("../../../profiles/unexpand.toml")),
    BuiltIn::new(&["uniq"], include_str!("../../../profiles/uniq.toml")),
    BuiltIn::new(&["unzip"], include_str!("../../../profiles/unzip.toml")),
    BuiltIn::new(&["wc"], include_str!("../../../profiles/wc.toml")),
    BuiltIn::new(&["which"], include_str!("../../../profiles/which.toml")),
    BuiltIn::new(&["whoami"], include_str!("../../../profiles/whoami.toml")),
    BuiltIn::new(&["zip"], include_str!("../../../profiles/zip.toml")),
];
