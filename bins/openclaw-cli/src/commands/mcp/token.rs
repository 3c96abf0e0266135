//! The token of `openclaw mcp serve --http`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use oc_fs::bounded_read;
use oc_types::Secret;

use crate::app::App;

/// Name of the variable that holds a token.
pub const VARIABLE: &str = "OPENCLAW_MCP_TOKEN";
/// Name of the file in the state directory that holds the token that this program made.
const FILE: &str = "mcp-token";
/// Largest token file, in bytes.
const LARGEST: u64 = 4096;

/// A token and where it comes from.
#[derive(Debug)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// The file that clients can read it from.
    pub file: Option<PathBuf>,
    /// Whether the operator gave it, as a listener for other machines needs.
    pub given: bool,
}

/// The token that the operator gives by file or variable, else the one in the state directory, made when it is not there.
///
/// # Errors
/// A file that cannot be read, or is open to others.
pub fn find(app: &App, state_dir: &Path, file: Option<&Path>) -> Result<Token> {
    if let Some(file) = file {
        return Ok(Token { secret: read(file)?, file: Some(file.to_owned()), given: true });
    }
    if let Some(text) = app.process.get(VARIABLE).map(str::trim).filter(|t| !t.is_empty()) {
        return Ok(Token { secret: Secret::new(text.to_owned()), file: None, given: true });
    }
    let own = state_dir.join(FILE);
    if !own.exists() {
        let made = oc_fs::random::token_hex(32)?;
        oc_fs::mode::create_directories(state_dir)
            .with_context(|| format!("cannot use {}", state_dir.display()))?;
        oc_fs::atomic::replace(&own, format!("{}\n", made.expose()).as_bytes())?;
    }
    Ok(Token { secret: read(&own)?, file: Some(own), given: false })
}

fn read(file: &Path) -> Result<Secret> {
    let text =
        bounded_read::text(file, LARGEST).with_context(|| format!("cannot read {}", file.display()))?;
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_whitespace) {
        bail!("{} holds no token: one line without spaces is expected", file.display());
    }
    Ok(Secret::new(text.to_owned()))
}
