//! Templates of mappings: `{{member.of[0].the}}` of the body, `{{payload.x}}`, `{{headers.x}}`, `{{path}}`, `{{now}}`. Pure.

use hyper::HeaderMap;
use serde_json::Value;

/// What a template is filled from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The body.
    pub body: &'a Value,
    /// The headers. Those that carry a secret are not told.
    pub headers: &'a HeaderMap,
    /// The path below `hooks.path`.
    pub path: &'a str,
}

/// Headers that nobody hears of.
const SECRET: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-openclaw-token"];

impl Source<'_> {
    /// Fills a template. What is not there is empty.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            match after.split_once("}}") {
                Some((name, more)) => {
                    out.push_str(&self.value(name.trim()));
                    rest = more;
                }
                None => {
                    out.push_str("{{");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> String {
        if let Some(header) = name.strip_prefix("headers.") {
            let secret = SECRET.contains(&header.to_ascii_lowercase().as_str());
            let value = self.headers.get(header).filter(|_| !secret);
            return value.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        }
        match name {
            "path" => return self.path.to_owned(),
            "now" => return jiff::Timestamp::now().to_string(),
            _ => {}
        }
        match member(self.body, name.strip_prefix("payload.").unwrap_or(name)) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

/// A member by its way: names and `[n]`.
fn member<'v>(value: &'v Value, way: &str) -> Option<&'v Value> {
    let mut at = value;
    for step in way.split('.') {
        let (name, places) = step.split_once('[').map_or((step, None), |(name, rest)| (name, Some(rest)));
        if !name.is_empty() {
            at = at.get(name)?;
        }
        for place in places.into_iter().flat_map(|p| p.split('[')) {
            at = at.get(place.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_filled_once_and_tells_no_secret() {
        let body = json!({"a": {"b": [{"c": "x {{now}}"}, 2]}, "list": [1], "no": null});
        let mut headers = HeaderMap::new();
        headers.insert("x-event", "push".parse().unwrap());
        headers.insert("authorization", "Bearer canary".parse().unwrap());
        headers.insert("x-openclaw-token", "canary".parse().unwrap());
        let source = Source { body: &body, headers: &headers, path: "git" };
        for (template, filled) in [
            ("{{a.b[0].c}} {{ payload.a.b[1] }}", "x {{now}} 2"),
            ("{{list}}{{no}}{{nothing.at.all}}{{a.b[9]}}{{a.b[x]}}", "[1]"),
            ("{{path}} {{headers.x-event}}", "git push"),
            ("{{headers.Authorization}}{{headers.X-OpenClaw-Token}}", ""),
            ("{{open {{a}} and {", "and {"),
        ] {
            let got = source.fill(template);
            assert!(
                got == filled || template.starts_with("{{open") && got.ends_with(filled),
                "{template}: {got}"
            );
            assert!(!got.contains("canary"));
        }
    }
}
