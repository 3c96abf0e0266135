//! Paths by their spelling.

/// A path by its spelling: without `.`, empty components and `..`.
pub(crate) fn normal(path: &str) -> String {
    normal_in("", path)
}

/// Whether [`normal`] changes nothing. The path is absolute.
pub(crate) fn is_normal(path: &str) -> bool {
    path == "/" || path.split('/').skip(1).all(|name| !matches!(name, "" | "." | ".."))
}

/// The path that a word names from a directory, by its spelling. The directory is in normal form.
pub(crate) fn normal_in(directory: &str, word: &str) -> String {
    let directory = if word.starts_with('/') || directory == "/" { "" } else { directory };
    let mut out = String::with_capacity(directory.len() + word.len() + 1);
    out.push_str(directory);
    let mut rest = word.as_bytes();
    let mut start = 0;
    loop {
        let length = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        match word.get(start..start + length).unwrap_or_default() {
            "" | "." => {}
            ".." => up(&mut out),
            name => {
                out.push('/');
                out.push_str(name);
            }
        }
        start += length + 1;
        match rest.get(length + 1..) {
            Some(after) => rest = after,
            None => break,
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Takes the last component away.
pub(super) fn up(path: &mut String) {
    path.truncate(path.bytes().rposition(|b| b == b'/').unwrap_or(0));
}

/// A path that a word names, from a directory. Not normalised.
pub(crate) fn join(directory: &str, word: &str) -> String {
    if word.starts_with('/') { word.to_owned() } else { format!("{directory}/{word}") }
}

/// Whether a path is a directory or lies in it; both normal.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    directory == "/"
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| matches!(rest.as_bytes().first(), None | Some(b'/')))
}
