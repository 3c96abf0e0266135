//! The methods that are used, with their parameters and as much of their answers as is read.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A method of the protocol.
pub(crate) trait Method: Serialize {
    /// Its name.
    const NAME: &'static str;
    /// What is read of its answer.
    type Answer: DeserializeOwned;
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:literal -> $answer:ty { $($field:ident : $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $(#[serde(skip_serializing_if = "Skip::skip")] pub $field: $kind,)*
        }
        impl Method for $name {
            const NAME: &'static str = $method;
            type Answer = $answer;
        }
    )*};
}

/// Whether a parameter is left out.
trait Skip {
    fn skip(&self) -> bool {
        false
    }
}
impl Skip for bool {}
impl Skip for f64 {}
impl Skip for i64 {}
impl Skip for String {}
impl Skip for &str {}
impl Skip for Value {
    fn skip(&self) -> bool {
        self.is_null()
    }
}
impl<T> Skip for Option<T> {
    fn skip(&self) -> bool {
        self.is_none()
    }
}

methods! {
    /// The product and its version.
    GetVersion = "Browser.getVersion" -> Version {}
    /// Ends the browser in order.
    CloseBrowser = "Browser.close" -> IgnoredAny {}
    /// Where downloads go, under which names.
    SetDownloads = "Browser.setDownloadBehavior" -> IgnoredAny { behavior: &'static str, download_path: String, events_enabled: bool }
    /// Tells of titles and addresses.
    Discover = "Target.setDiscoverTargets" -> IgnoredAny { discover: bool }
    /// Attaches to every tab.
    AutoAttach = "Target.setAutoAttach" -> IgnoredAny { auto_attach: bool, wait_for_debugger_on_start: bool, flatten: bool }
    /// What there is now.
    GetTargets = "Target.getTargets" -> Targets {}
    /// A new tab.
    CreateTarget = "Target.createTarget" -> Created { url: String }
    /// Brings a tab to the front.
    ActivateTarget = "Target.activateTarget" -> IgnoredAny { target_id: String }
    /// Closes a tab.
    CloseTarget = "Target.closeTarget" -> IgnoredAny { target_id: String }
    /// Every request of a tab waits, and challenges of a proxy are asked about.
    EnableFetch = "Fetch.enable" -> IgnoredAny { handle_auth_requests: bool }
    /// No more of that.
    DisableFetch = "Fetch.disable" -> IgnoredAny {}
    /// Goes somewhere.
    Navigate = "Page.navigate" -> Navigated { url: String }
    /// The sizes of a page.
    LayoutMetrics = "Page.getLayoutMetrics" -> Layout {}
    /// A picture of a page.
    Screenshot = "Page.captureScreenshot" -> Picture { format: &'static str, quality: Option<i64>, capture_beyond_viewport: bool, clip: Value }
    /// A world of scripts of our own, which the page's scripts do not see.
    IsolatedWorld = "Page.createIsolatedWorld" -> World { frame_id: String, world_name: &'static str }
    /// The accessibility tree.
    AxTree = "Accessibility.getFullAXTree" -> Tree {}
    /// Brings an element into view.
    ScrollIntoView = "DOM.scrollIntoViewIfNeeded" -> IgnoredAny { backend_node_id: i64 }
    /// Where an element is.
    ContentQuads = "DOM.getContentQuads" -> Quads { backend_node_id: i64 }
    /// Gives an element the focus.
    Focus = "DOM.focus" -> IgnoredAny { backend_node_id: i64 }
    /// An element as an object of a world.
    ResolveNode = "DOM.resolveNode" -> Resolved { backend_node_id: i64, execution_context_id: i64 }
    /// Calls a function on an object.
    CallFunction = "Runtime.callFunctionOn" -> Evaluated {
        function_declaration: String, object_id: Option<String>, execution_context_id: Option<i64>, arguments: Value, return_by_value: bool,
        await_promise: bool, user_gesture: bool
    }
    /// Runs a script in the page.
    Evaluate = "Runtime.evaluate" -> Evaluated { expression: String, return_by_value: bool, await_promise: bool, timeout: f64 }
    /// A move or a button of the mouse.
    Mouse = "Input.dispatchMouseEvent" -> IgnoredAny {
        r#type: &'static str, x: f64, y: f64, button: Option<&'static str>, buttons: Option<i64>, click_count: Option<i64>
    }
    /// A key.
    Key = "Input.dispatchKeyEvent" -> IgnoredAny {
        r#type: &'static str, key: String, code: Option<String>, text: Option<String>, windows_virtual_key_code: Option<i64>, modifiers: i64
    }
    /// Text, as if it was typed.
    InsertText = "Input.insertText" -> IgnoredAny { text: String }
}

/// See [`GetVersion`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Version {
    /// Name and version.
    #[serde(default)]
    pub product: String,
}

/// See [`GetTargets`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Targets {
    /// Tabs and other things.
    pub target_infos: Vec<TargetInfo>,
}

/// A tab as the browser lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TargetInfo {
    /// Its id.
    pub target_id: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its address.
    #[serde(default)]
    pub url: String,
}

/// See [`CreateTarget`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    /// The tab.
    pub target_id: String,
}

/// See [`Navigate`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Navigated {
    /// The document that loads; `None` within the same document.
    pub loader_id: Option<String>,
    /// The browser's word for why not.
    pub error_text: Option<String>,
    /// Whether it became a download.
    #[serde(default)]
    pub is_download: bool,
}

/// See [`LayoutMetrics`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layout {
    /// The whole page.
    pub css_content_size: Size,
}

/// A size in CSS pixels.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// See [`Screenshot`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Picture {
    /// Base64.
    pub data: String,
}

/// See [`IsolatedWorld`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct World {
    /// Its number.
    pub execution_context_id: i64,
}

/// See [`ContentQuads`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Quads {
    /// Four corners each, x and y in turn.
    pub quads: Vec<Vec<f64>>,
}

/// See [`ResolveNode`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Resolved {
    /// The object.
    pub object: Remote,
}

/// See [`CallFunction`] and [`Evaluate`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Evaluated {
    /// What came of it.
    pub result: Remote,
    /// What was thrown.
    pub exception_details: Option<Value>,
}

/// A value or object of a page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remote {
    /// Its handle.
    pub object_id: Option<String>,
    /// Its value.
    pub value: Option<Value>,
    /// In words.
    pub description: Option<String>,
}

/// See [`AxTree`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tree {
    /// The nodes.
    pub nodes: Vec<AxNode>,
}

/// A node of the accessibility tree.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AxNode {
    /// Its id in the tree.
    pub node_id: String,
    /// Whether it means nothing by itself.
    #[serde(default)]
    pub ignored: bool,
    /// What it is.
    pub role: Option<AxValue>,
    /// What it is called.
    pub name: Option<AxValue>,
    /// What is in it.
    pub value: Option<AxValue>,
    /// Its state.
    #[serde(default)]
    pub properties: Vec<AxProperty>,
    /// Its children.
    #[serde(default)]
    pub child_ids: Vec<String>,
    /// Its parent.
    pub parent_id: Option<String>,
    /// The element.
    #[serde(rename = "backendDOMNodeId")]
    pub backend_node_id: Option<i64>,
}

/// A property of a node.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AxProperty {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: AxValue,
}

/// A value in the tree.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AxValue {
    /// The value.
    #[serde(default)]
    pub value: Value,
}
