//! What makes a folder a skill.

/// The two members that a skill's front matter must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontMatter {
    /// The skill's name.
    pub name: String,
    /// One line on what it does; the first line of a block.
    pub description: String,
}

/// Reads the front matter of a `SKILL.md`: a block between two `---` lines at the very start. `None` when there is no such
/// block or it lacks `name` or `description`, so that the folder is no skill.
#[must_use]
pub fn front_matter(text: &str) -> Option<FrontMatter> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    if lines.next()? != "---" {
        return None;
    }
    let (mut name, mut description) = (None, None);
    let mut block: Option<&str> = None;
    let mut closed = false;
    for line in lines {
        if line == "---" {
            closed = true;
            break;
        }
        if line.starts_with([' ', '\t']) {
            // The first line of a block scalar is the value of the member above it.
            match block.take() {
                Some("name") => name = value(line),
                Some("description") => description = value(line),
                _ => {}
            }
            continue;
        }
        block = None;
        let Some((key, rest)) = line.split_once(':') else { continue };
        let slot = match key.trim() {
            "name" => &mut name,
            "description" => &mut description,
            _ => continue,
        };
        let rest = rest.trim();
        if rest.is_empty() || rest.starts_with(['>', '|']) {
            block = Some(key.trim());
        } else {
            *slot = value(rest);
        }
    }
    if !closed {
        return None;
    }
    Some(FrontMatter { name: name?, description: description? })
}

fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = ['"', '\'']
        .into_iter()
        .find_map(|q| text.strip_prefix(q).and_then(|t| t.strip_suffix(q)))
        .unwrap_or(text)
        .trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}
