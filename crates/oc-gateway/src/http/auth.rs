//! Who may ask over HTTP: a bearer value that is the shared secret, and nothing else (gateway 2, SP-321, SP-332, SP-335 to SP-337).

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};

use crate::entrance::credential::{Refused as Wrong, Shown};
use crate::entrance::origin::{self, Client};
use crate::entrance::peer::Caller;
use crate::entrance::throttle::Class;
use crate::server::attempt::Attempt;
use crate::server::head::Head;
use crate::server::snapshot::Snapshot;
use crate::server::state::Gateway;

/// One request, as far as who asks is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The gateway.
    pub gateway: &'a Arc<Gateway>,
    /// The reading under which it is decided.
    pub snapshot: &'a Snapshot,
    /// Its head.
    pub head: &'a Head,
    /// Who calls.
    pub caller: Caller,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No credential, or a wrong one.
    Wrong(Wrong),
    /// Too many wrong ones.
    Locked {
        /// When to come again.
        seconds: u64,
    },
}

/// A caller that showed the shared secret. Only [`check`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Known(());

/// Checks the bearer value.
///
/// # Errors
/// See [`Refused`].
pub async fn check(visit: &Visit<'_>, headers: &HeaderMap) -> Result<Known, Refused> {
    let shown = bearer(headers);
    let accepts = &visit.snapshot.settings.accepts;
    let judge = || accepts.judge(Shown { token: shown, password: shown });
    // Nothing shown is no guess (SP-337).
    if shown.is_none_or(str::is_empty) {
        return judge().map(|()| Known(())).map_err(Refused::Wrong);
    }
    let attempt = begin(visit, Class::SharedSecret).await?;
    match judge() {
        Ok(()) => {
            attempt.right();
            Ok(Known(()))
        }
        Err(refused) => {
            attempt.wrong().await;
            let remote = visit.caller.address().map_or_else(|| "unknown".to_owned(), |a| a.to_string());
            tracing::warn!(target: "gateway/http", remote, reason = refused.word(), "request refused");
            Err(Refused::Wrong(refused))
        }
    }
}

/// Checks once more, under the reading that is in force now: a body may take half a minute, and what let it in may be taken back meanwhile
/// (SP-067, SP-350). Costs no attempt; for those that [`check`] let in.
///
/// # Errors
/// [`Refused::Wrong`].
pub fn still(visit: &Visit<'_>, headers: &HeaderMap) -> Result<Known, Refused> {
    let now = visit.gateway.snapshot();
    if now.generation == visit.snapshot.generation {
        return Ok(Known(()));
    }
    let shown = bearer(headers);
    let judged = now.settings.accepts.judge(Shown { token: shown, password: shown });
    judged.map(|()| Known(())).map_err(Refused::Wrong)
}

/// Takes an attempt out of the caller's budget.
///
/// # Errors
/// [`Refused::Locked`].
pub async fn begin(visit: &Visit<'_>, class: Class) -> Result<Attempt, Refused> {
    let begun = Attempt::begin(visit.gateway, class, visit.caller, visit.head.origin.is_some()).await;
    begun.map_err(|ms| Refused::Locked { seconds: ms.div_ceil(1000) })
}

/// The value of `Authorization: Bearer`. No other scheme, no query parameter, no cookie.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let one = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    let (scheme, value) = one.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
}

/// Whether a page of another site sends this request, or a page sends it the way that a form of another site could (SP-335). Programs send
/// neither header.
#[must_use]
pub fn is_cross_site(visit: &Visit<'_>, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|v| v.to_str().unwrap_or("cross-site"));
    if site.is_some_and(|s| !matches!(s, "same-origin" | "none")) {
        return true;
    }
    // A browser asks first before a page may send this kind; what a form can send is not taken from a page.
    let page = site.is_some() || visit.head.origin.is_some();
    if page && !is_json(headers) {
        return true;
    }
    let host = visit.head.host.as_deref();
    !origin::may_connect(Client::Program, visit.head.origin.as_deref(), host, &visit.snapshot.origins)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
