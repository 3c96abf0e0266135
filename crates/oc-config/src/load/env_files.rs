//! The two `.env` files (audit spec 4.2, SP-057).

use std::path::Path;
use std::sync::Arc;

use oc_types::{KeyPath, Origin, Position};

use super::{LoadRequest, Reading};
use crate::dotenv::{self, Denied, Entry};
use crate::source::{ReadFailure, Role, Source};
use crate::{Environment, Issue};

/// Names shown in one warning; the rest is counted.
const SHOWN: usize = 8;

/// Adds `<cwd>/.env`; by the product's rules without what such a file may not set.
pub(super) fn add_cwd(
    environment: &mut Environment,
    request: &LoadRequest,
    source: &dyn Source,
    warnings: &mut Vec<Issue>,
) {
    let path = request.cwd.join(dotenv::FILE_NAME);
    let Some(mut entries) = read(&path, request.reading, source, warnings) else { return };
    if request.reading == Reading::Product {
        let mut skipped: Vec<(Entry, Denied)> = Vec::new();
        entries.retain(|entry| match dotenv::denied(&entry.name) {
            Some(why) => {
                // What a stronger place sets anyway is not worth a word.
                if environment.get(&entry.name).is_none() {
                    skipped.push((entry.clone(), why));
                }
                false
            }
            None => true,
        });
        warnings.extend(not_taken(&path, &skipped));
    }
    environment.add_dotenv(&path.to_string_lossy(), &entries);
}

/// Adds `<state>/.env`: the operator's own file, taken whole.
pub(super) fn add_state(
    environment: &mut Environment,
    state_dir: &Path,
    reading: Reading,
    source: &dyn Source,
    warnings: &mut Vec<Issue>,
) {
    let path = state_dir.join(dotenv::FILE_NAME);
    if let Some(entries) = read(&path, reading, source, warnings) {
        environment.add_dotenv(&path.to_string_lossy(), &entries);
    }
}

fn read(path: &Path, reading: Reading, source: &dyn Source, warnings: &mut Vec<Issue>) -> Option<Vec<Entry>> {
    let bytes = match source.read(path, Role::DotEnv) {
        Ok(file) => file.bytes,
        Err(ReadFailure::Missing(_)) => return None,
        Err(failure @ ReadFailure::Refused { .. }) => {
            warnings.push(warning(path, None, failure.to_string(), None));
            return None;
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) if reading == Reading::Era => String::from_utf8_lossy(e.as_bytes()).into_owned(),
        Err(_) => {
            let message = "the text is not UTF-8; nothing is taken from it".to_owned();
            warnings.push(warning(path, None, message, Some("save the file as UTF-8".to_owned())));
            return None;
        }
    };
    Some(dotenv::parse(&text))
}

/// One warning for a file: what was skipped and why.
fn not_taken(path: &Path, skipped: &[(Entry, Denied)]) -> Option<Issue> {
    let (first, _) = skipped.first()?;
    let mut names: Vec<String> =
        skipped.iter().take(SHOWN).map(|(e, why)| format!("{} ({})", e.name, why.as_str())).collect();
    if skipped.len() > SHOWN {
        names.push(format!("{} more", skipped.len() - SHOWN));
    }
    let message = format!("not taken from a `.env` in the current directory: {}", names.join(", "));
    let fix = "set them in the process environment or in the `.env` of the state directory".to_owned();
    Some(warning(path, Some(Position::new(first.line, 1)), message, Some(fix)))
}

fn warning(path: &Path, at: Option<Position>, message: String, fix: Option<String>) -> Issue {
    let origin = Origin::file(&Arc::from(path.to_string_lossy().as_ref()), at);
    Issue { path: KeyPath::root(), origin, message, nearest: None, fix }
}
