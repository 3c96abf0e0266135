//! Which path is what. Total: every path has exactly one route, decided once, on the canonical path (SP-321, SP-341). Pure.

use std::borrow::Cow;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::settings::Settings;

#[cfg(test)]
mod tests;

/// Longest path, in bytes.
const LONGEST: usize = 2048;

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Below `hooks.path`: the rest of it.
    Hook(String),
    /// `/tools/invoke`.
    ToolsInvoke,
    /// `/v1/chat/completions`, when enabled.
    ChatCompletions,
    /// `/v1/responses`, when enabled.
    Responses,
    /// `/metrics`.
    Metrics,
    /// `/health`, `/healthz`.
    Health,
    /// `/ready`, `/readyz`.
    Ready,
    /// A file or page of the console, relative to its base.
    Console(String),
    /// The console's base without its slash.
    ConsoleRedirect,
    /// Nothing.
    NotFound,
}

/// A path that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPath;

/// Decodes a path once. Encoded slashes and percent signs, dot segments, empty segments, backslashes, NUL and control characters are
/// refused, so that no other reading of the same path exists.
///
/// # Errors
/// [`BadPath`].
pub fn canonical(path: &str) -> Result<Cow<'_, str>, BadPath> {
    if path.len() > LONGEST || !path.starts_with('/') {
        return Err(BadPath);
    }
    let text = if path.contains('%') { Cow::Owned(decoded(path)?) } else { Cow::Borrowed(path) };
    let bad_segment = |s: &str| s == "." || s == "..";
    if text.chars().any(|c| c.is_control() || c == '\\')
        || text.split('/').any(bad_segment)
        || text.contains("//")
    {
        return Err(BadPath);
    }
    Ok(text)
}

fn decoded(path: &str) -> Result<String, BadPath> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (rest.next(), rest.next()) else { return Err(BadPath) };
        let decoded = HEXLOWER_PERMISSIVE.decode(&[high, low]).map_err(|_| BadPath)?;
        match decoded.first() {
            None | Some(b'/' | b'\\' | b'%' | b'.') => return Err(BadPath),
            Some(byte) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| BadPath)
}

/// The route of a canonical path.
#[must_use]
pub fn of(path: &str, settings: &Settings) -> Route {
    let below = settings.hooks.as_ref().and_then(|h| path.strip_prefix(h.path.as_str()));
    match below.map(|rest| (rest, rest.strip_prefix('/'))) {
        Some((_, Some(rest))) => return Route::Hook(rest.trim_end_matches('/').to_owned()),
        Some(("", None)) => return Route::Hook(String::new()),
        Some((_, None)) | None => {}
    }
    match path {
        "/tools/invoke" => return Route::ToolsInvoke,
        "/v1/responses" if settings.endpoints.responses => return Route::Responses,
        "/v1/chat/completions" if settings.endpoints.chat_completions => return Route::ChatCompletions,
        "/metrics" => return Route::Metrics,
        "/health" | "/healthz" => return Route::Health,
        "/ready" | "/readyz" => return Route::Ready,
        _ => {}
    }
    let reserved = ["/v1/", "/tools/", "/__openclaw__/"];
    if !settings.control_ui.enabled || reserved.iter().any(|r| path.starts_with(r)) {
        return Route::NotFound;
    }
    let base = settings.control_ui.base_path.as_str();
    match path.strip_prefix(base) {
        Some("") if !base.is_empty() => Route::ConsoleRedirect,
        Some(rest) => match rest.strip_prefix('/') {
            Some(rest) => Route::Console(rest.to_owned()),
            None => Route::NotFound,
        },
        None => Route::NotFound,
    }
}
