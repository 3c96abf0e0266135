//! Why something was not done. Every text is shown to a model; what a page said is never part of one, but of [`BrowserFailure::of_a_page`].

use thiserror::Error;

use crate::cdp::CdpFailure;

/// Why the browser did not do what was asked.
#[derive(Debug, Error)]
pub(crate) enum BrowserFailure {
    /// `browser.enabled` is false.
    #[error("the browser is switched off (`browser.enabled`)")]
    Off,
    /// The configuration names somebody else's browser.
    #[error("`{0}` names a browser that this product did not start; it drives only its own")]
    Foreign(&'static str),
    /// No Chromium.
    #[error(transparent)]
    Executable(#[from] crate::executable::NotFound),
    /// The directories of the profile.
    #[error("the browser's profile cannot be used: {0}")]
    Profile(String),
    /// Another browser has the profile.
    #[error("process {0} uses the browser's profile; end it first")]
    InUse(u32),
    /// It did not start.
    #[error("Chromium did not start: {0}")]
    NotStarted(String),
    /// Nothing runs.
    #[error("the browser is not running; `start` or `open` starts it")]
    NotRunning,
    /// No such tab.
    #[error("there is no such tab; `tabs` lists them")]
    NoTab,
    /// Too many tabs.
    #[error("there are {0} tabs already; close one")]
    TooManyTabs(usize),
    /// The guard refused the host of the page.
    #[error("refused: {host} may not be reached from the browser (`browser.ssrfPolicy`)")]
    Refused {
        /// The host, printable.
        host: String,
    },
    /// The guard refused hosts that the page chose.
    #[error(
        "refused: the page led to a host that may not be reached from the browser (`browser.ssrfPolicy`)"
    )]
    Elsewhere {
        /// The hosts, printable. Untrusted.
        hosts: Vec<String>,
    },
    /// The page was not reached.
    #[error("the page was not reached: {0}")]
    NotReached(String),
    /// A tab shows something that is no web page.
    #[error("this tab shows no web page; `navigate` it to one or `close` it")]
    NotAPage,
    /// A reference of an older snapshot.
    #[error("`{0}` is no reference of the last snapshot of this tab; take a new `snapshot`")]
    Reference(String),
    /// An element that cannot be clicked or focused.
    #[error("the element cannot be used: {0}")]
    Element(&'static str),
    /// What was waited for did not come.
    #[error("it did not come within {0} ms")]
    Waited(u64),
    /// `evaluate` is off.
    #[error("scripts of a model are off (`browser.evaluateEnabled`)")]
    EvaluateOff,
    /// Something larger than is handed on.
    #[error("{0}")]
    TooLarge(&'static str),
    /// The protocol.
    #[error(transparent)]
    Cdp(#[from] CdpFailure),
}

impl BrowserFailure {
    /// What a page chose of it: for an envelope only.
    pub fn of_a_page(&self) -> Option<String> {
        match self {
            Self::Elsewhere { hosts } => {
                Some(hosts.iter().map(|h| format!("{h} may not be reached")).collect::<Vec<_>>().join("\n"))
            }
            Self::Off
            | Self::Foreign(_)
            | Self::Executable(_)
            | Self::Profile(_)
            | Self::InUse(_)
            | Self::NotStarted(_)
            | Self::NotRunning
            | Self::NoTab
            | Self::TooManyTabs(_)
            | Self::Refused { .. }
            | Self::NotReached(_)
            | Self::NotAPage
            | Self::Reference(_)
            | Self::Element(_)
            | Self::Waited(_)
            | Self::EvaluateOff
            | Self::TooLarge(_)
            | Self::Cdp(_) => None,
        }
    }
}
