//! One provider: where it is, how it speaks, which models it has.

use indexmap::IndexMap;
use oc_config::credential::{Credential, Unresolved};
use oc_types::{KeyPath, Node};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{ModelIssue, ModelRef, Resolved, api, default_window, whole};
use crate::model::DEFAULT_MAX_TOKENS;
use crate::model::catalogue::{self, Known};
use crate::model::client::KeyHeader;
use crate::model::endpoint::Endpoint;
use crate::model::wire::{Api, MaxTokensField, NotSpoken, Quirks, Target, Understood};

/// Headers that requests have from us or from the connection.
const OURS: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "content-type", "te", "upgrade"];

/// A provider that can be used.
#[derive(Clone, Debug)]
pub struct Provider {
    id: String,
    /// As the configuration spells it, for key paths.
    written: String,
    base: String,
    api: Api,
    key: Key,
    headers: HeaderMap,
    key_header: KeyHeader,
    models: IndexMap<String, Entry>,
    /// Whether models that are not listed can be asked.
    open: bool,
}

/// `apiKey` of the configuration.
#[derive(Clone, Debug)]
pub enum Key {
    /// Not there.
    Absent,
    /// There, perhaps in a file or a keychain.
    Kept(KeyPath, Credential),
    /// There, and of no use: nothing takes its place (SP-066).
    Broken(Unresolved),
}

/// A model of the list.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    api: Option<Api>,
    /// A word that is not spoken.
    refused: Option<NotSpoken>,
    /// Tokens it can read and write in one request.
    pub context_window: Option<u64>,
    max_tokens: Option<u32>,
    images: bool,
    reasoning: bool,
    headers: HeaderMap,
    max_tokens_field: Option<MaxTokensField>,
    reasoning_effort: Option<Understood>,
}

impl Provider {
    /// One that needs no configuration.
    pub(super) fn known(known: &Known) -> Result<Self, ModelIssue> {
        let key = || format!("provider `{}`", known.id);
        match known.reached {
            Ok((base, api)) => Ok(Self {
                id: known.id.to_owned(),
                written: known.id.to_owned(),
                base: base.to_owned(),
                api,
                key: Key::Absent,
                headers: HeaderMap::new(),
                key_header: KeyHeader::Own,
                models: IndexMap::new(),
                open: true,
            }),
            Err(word) => match Api::parse(word) {
                Ok(_) => Err(ModelIssue::NoProvider(known.id.to_owned())),
                Err(why) => Err(ModelIssue::Api { key: key(), why }),
            },
        }
    }

    /// One of `models.providers`. In the mode `replace` only the models that it lists can be asked.
    pub(super) fn read(id: &str, written: &str, node: &Node, replace: bool) -> Result<Self, ModelIssue> {
        let path = format!("models.providers.{written}");
        let known = catalogue::find(id).filter(|_| !replace);
        let invalid = |key: &str, why: String| ModelIssue::Invalid { key: format!("{path}.{key}"), why };
        let default_api = known.and_then(|k| k.reached.ok()).map_or(Api::OpenAiCompletions, |(_, api)| api);
        let spoken = api(&format!("{path}.api"), node.get("api"))?.unwrap_or(default_api);
        let base = node.get("baseUrl").and_then(Node::as_str).map(str::trim).filter(|b| !b.is_empty());
        let base = base.ok_or_else(|| invalid("baseUrl", "it is missing".to_owned()))?;
        Endpoint::parse(base, spoken).map_err(|why| invalid("baseUrl", why.to_string()))?;
        if let Some(kind @ "aws-sdk") = node.get("auth").and_then(Node::as_str) {
            return Err(invalid("auth", format!("`{kind}` is not built; use a provider with a key")));
        }
        let key_path = KeyPath::dotted("models.providers").key(written).key("apiKey");
        let key = match Credential::of(&key_path, node.get("apiKey")) {
            Ok(None) => Key::Absent,
            Ok(Some(credential)) => Key::Kept(key_path, credential),
            Err(broken) => Key::Broken(broken),
        };
        let mut models = IndexMap::new();
        for model in node.get("models").and_then(Node::as_array).unwrap_or_default() {
            let Some(name) = model.get("id").and_then(Node::as_str).map(str::trim).filter(|n| !n.is_empty())
            else {
                continue;
            };
            let entry = Entry::read(model).map_err(|why| invalid(&format!("models[{name}].headers"), why))?;
            models.insert(name.to_owned(), entry);
        }
        Ok(Self {
            id: id.to_owned(),
            written: written.to_owned(),
            base: base.to_owned(),
            api: spoken,
            key,
            headers: headers(node.get("headers")).map_err(|why| invalid("headers", why))?,
            key_header: match node.get("authHeader").and_then(Node::as_bool) {
                Some(true) => KeyHeader::Bearer,
                Some(false) | None => KeyHeader::Own,
            },
            open: known.is_some() || models.is_empty() && !replace,
            models,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `apiKey`.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The models it lists.
    pub fn models(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.models.iter().map(|(id, e)| (id.as_str(), e))
    }

    /// One of its models.
    pub(super) fn model(&self, reference: &ModelRef) -> Result<Resolved, ModelIssue> {
        let known = catalogue::find(&self.id);
        let listed = self.models.get(&reference.model).cloned();
        let entry = match listed {
            Some(entry) => entry,
            None if self.open => Entry {
                images: known.is_some_and(|k| k.images),
                reasoning: catalogue::thinks(&self.id, &reference.model),
                ..Entry::default()
            },
            None => {
                return Err(ModelIssue::NotListed {
                    provider: self.written.clone(),
                    model: oc_text::visible(&reference.model, 80),
                });
            }
        };
        let path = format!("models.providers.{}", self.written);
        if let Some(why) = entry.refused {
            return Err(ModelIssue::Api { key: format!("{path}.models[{}].api", reference.model), why });
        }
        let api = entry.api.unwrap_or(self.api);
        let endpoint = Endpoint::parse(&self.base, api)
            .map_err(|why| ModelIssue::Invalid { key: format!("{path}.baseUrl"), why: why.to_string() })?;
        let field = if endpoint.is_openai() {
            MaxTokensField::MaxCompletionTokens
        } else {
            MaxTokensField::MaxTokens
        };
        let mut headers = self.headers.clone();
        headers.extend(entry.headers);
        let context_window = entry.context_window.unwrap_or_else(|| default_window(known));
        let max_tokens =
            entry.max_tokens.unwrap_or_else(|| known.map_or(DEFAULT_MAX_TOKENS, |k| k.max_tokens));
        Ok(Resolved {
            reference: reference.clone(),
            target: Target {
                api,
                provider: self.id.clone(),
                model: reference.model.clone(),
                images: entry.images,
                reasoning: entry.reasoning,
                max_tokens,
                temperature: None,
                quirks: Quirks {
                    max_tokens_field: entry.max_tokens_field.unwrap_or(field),
                    reasoning_effort: entry.reasoning_effort.unwrap_or(Understood::Yes),
                },
            },
            context_window,
            endpoint,
            headers,
            key_header: self.key_header,
        })
    }
}

impl Entry {
    fn read(node: &Node) -> Result<Self, String> {
        let (api, refused) = match node.get("api").and_then(Node::as_str).map(Api::parse) {
            None => (None, None),
            Some(Ok(api)) => (Some(api), None),
            Some(Err(why)) => (None, Some(why)),
        };
        let input = node.get("input").and_then(Node::entries).unwrap_or_default();
        let compat = node.get("compat");
        let field = compat.and_then(|c| c.get("maxTokensField")).and_then(Node::as_str);
        let effort = compat.and_then(|c| c.get("supportsReasoningEffort")).and_then(Node::as_bool);
        Ok(Self {
            api,
            refused,
            context_window: node.get("contextWindow").and_then(whole),
            max_tokens: node.get("maxTokens").and_then(whole).and_then(|n| u32::try_from(n).ok()),
            images: input.iter().any(|i| i == "image"),
            reasoning: node.get("reasoning").and_then(Node::as_bool) == Some(true),
            headers: headers(node.get("headers"))?,
            max_tokens_field: match field {
                Some("max_completion_tokens") => Some(MaxTokensField::MaxCompletionTokens),
                Some("max_tokens") => Some(MaxTokensField::MaxTokens),
                Some(_) | None => None,
            },
            reasoning_effort: effort.map(|yes| if yes { Understood::Yes } else { Understood::No }),
        })
    }
}

/// `headers`: names and values that a request can carry. Values may be credentials and are never told.
fn headers(node: Option<&Node>) -> Result<HeaderMap, String> {
    let mut out = HeaderMap::new();
    for (name, value) in node.and_then(Node::as_object).into_iter().flatten() {
        let shown = oc_text::visible(name, 60);
        let header = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| format!("`{shown}` is no header name"))?;
        if OURS.contains(&header.as_str()) {
            return Err(format!("`{shown}` cannot be set"));
        }
        let value = value.as_str().ok_or_else(|| format!("`{shown}` is no text"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| format!("`{shown}` holds characters that no header can carry"))?;
        value.set_sensitive(true);
        out.insert(header, value);
    }
    Ok(out)
}
