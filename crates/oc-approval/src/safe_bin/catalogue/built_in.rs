//! The profiles that are part of the program, one TOML file each in `profiles/`.

use std::sync::OnceLock;

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
    BUILT_IN.iter().find(|own| own.names.contains(&name)).and_then(BuiltIn::profile)
}

/// The names and the text of every file.
pub fn texts() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    BUILT_IN.iter().map(|own| (own.names, own.text))
}

static BUILT_IN: [BuiltIn; 27] = [
    BuiltIn::new(
        &["awk", "mawk", "gawk", "nawk", "original-awk"],
        include_str!("../../../profiles/awk.toml"),
    ),
    BuiltIn::new(&["cat"], include_str!("../../../profiles/cat.toml")),
    BuiltIn::new(&["cut"], include_str!("../../../profiles/cut.toml")),
    BuiltIn::new(&["date"], include_str!("../../../profiles/date.toml")),
    BuiltIn::new(&["echo"], include_str!("../../../profiles/echo.toml")),
    BuiltIn::new(&["env"], include_str!("../../../profiles/env.toml")),
    BuiltIn::new(&["file"], include_str!("../../../profiles/file.toml")),
    BuiltIn::new(&["find"], include_str!("../../../profiles/find.toml")),
    BuiltIn::new(&["grep", "egrep", "fgrep"], include_str!("../../../profiles/grep.toml")),
    BuiltIn::new(&["head"], include_str!("../../../profiles/head.toml")),
    BuiltIn::new(&["jq"], include_str!("../../../profiles/jq.toml")),
    BuiltIn::new(&["less"], include_str!("../../../profiles/less.toml")),
    BuiltIn::new(&["ls", "dir", "vdir"], include_str!("../../../profiles/ls.toml")),
    BuiltIn::new(&["more"], include_str!("../../../profiles/more.toml")),
    BuiltIn::new(&["pwd"], include_str!("../../../profiles/pwd.toml")),
    BuiltIn::new(&["sed"], include_str!("../../../profiles/sed.toml")),
    BuiltIn::new(&["sort"], include_str!("../../../profiles/sort.toml")),
    BuiltIn::new(&["tail"], include_str!("../../../profiles/tail.toml")),
    BuiltIn::new(&["tar"], include_str!("../../../profiles/tar.toml")),
    BuiltIn::new(&["tr"], include_str!("../../../profiles/tr.toml")),
    BuiltIn::new(&["uname"], include_str!("../../../profiles/uname.toml")),
    BuiltIn::new(&["uniq"], include_str!("../../../profiles/uniq.toml")),
    BuiltIn::new(&["unzip"], include_str!("../../../profiles/unzip.toml")),
    BuiltIn::new(&["wc"], include_str!("../../../profiles/wc.toml")),
    BuiltIn::new(&["which"], include_str!("../../../profiles/which.toml")),
    BuiltIn::new(&["whoami"], include_str!("../../../profiles/whoami.toml")),
    BuiltIn::new(&["zip"], include_str!("../../../profiles/zip.toml")),
];
