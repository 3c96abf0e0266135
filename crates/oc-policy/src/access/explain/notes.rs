//! Remarks that keep a reader from the next wrong step.

use oc_types::KeyPath;

use super::super::identity::{Family, SenderKeys, pairing_id};
use super::super::sender_list::store_holds;
use super::super::settings::Settings;
use super::super::{
    Approved, Decision, Outcome, PairingNotice, PendingRequest, REQUEST_LIFETIME_MS, Reason, is_expired,
};
use super::Question;
use crate::inbound::ConversationKind;

/// The sender's request that still counts.
pub(super) fn own_request<'q>(question: &Question<'q>, notice: &PairingNotice) -> Option<&'q PendingRequest> {
    let id = notice.id().filter(|_| !notice.created())?;
    question.pairing.live().into_iter().find(|r| r.id == id)
}

pub(super) fn notes(question: &Question<'_>, decision: &Decision) -> Vec<String> {
    let mut out = Vec::new();
    match &decision.outcome {
        Outcome::Pairing(notice) => pairing(question, notice, &mut out),
        Outcome::ContextOnly(_) => {
            out.push("The text is kept as pending context of the room and goes along with the next message that is answered.".to_owned());
        }
        Outcome::Drop(reason) => dropped(question, *reason, &mut out),
        Outcome::Allow(_) => {}
    }
    if let Approved::Unreadable { why } = &question.pairing.approved {
        out.push(format!("The approved store counts for nobody while it is unusable: {why}. It is left as it is; repair or remove it."));
    }
    out
}

fn pairing(question: &Question<'_>, notice: &PairingNotice, out: &mut Vec<String>) {
    let now = question.pairing.now_ms;
    let file = &question.files.pending;
    out.push("The message reaches nobody: no agent, no history.".to_owned());
    if let Some(request) = own_request(question, notice) {
        let expires =
            request.created_ms.map(|at| utc(at.saturating_add(REQUEST_LIFETIME_MS))).unwrap_or_default();
        out.push(format!("{} is still pending in {file}: the code stays, no second reply is sent. It expires at {expires}.", request.id));
        return;
    }
    let id = pairing_id(Family::of(&question.message.channel), question.message);
    if let Some(old) =
        question.pairing.pending.iter().find(|r| Some(&r.id) == id.as_ref() && is_expired(r.created_ms, now))
    {
        let expired = old.created_ms.map(|at| utc(at.saturating_add(REQUEST_LIFETIME_MS)));
        let when = expired.map_or_else(
            || "has no usable date, which counts as expired".to_owned(),
            |t| format!("expired at {t}"),
        );
        out.push(format!("The old request {when}: its hour counts from when it was made, and being seen later does not extend it. Its code is dead."));
    }
    if notice.created() {
        out.push("A message like this makes a new request with a new code, which is sent to the sender once. This answer made none.".to_owned());
        return;
    }
    let live = question.pairing.live();
    let next =
        live.iter().filter_map(|r| r.created_ms).min().map(|at| utc(at.saturating_add(REQUEST_LIFETIME_MS)));
    let waiting: Vec<&str> = live.iter().map(|r| r.id.as_str()).collect();
    out.push(format!(
        "{} requests are pending in {file} ({}), which is the most there can be: no request, no code, no reply. Approving one of them frees a place at once{}.",
        live.len(),
        waiting.join(", "),
        next.map(|t| format!("; the first one expires after {t}")).unwrap_or_default()
    ));
}

fn dropped(question: &Question<'_>, reason: Reason, out: &mut Vec<String>) {
    let message = question.message;
    let family = Family::of(&message.channel);
    let sender = SenderKeys::of(family, message, None);
    let stored = store_holds(family, question.pairing.entries(), &sender).is_some();
    let who = pairing_id(family, message).unwrap_or_else(|| "The sender".to_owned());
    let file = &question.files.approved;
    let settings = Settings::of(question.config, &message.channel, &message.account);
    let direct = message.kind == ConversationKind::Direct;
    if stored && direct && reason == Reason::DmNotAllowlisted {
        out.push(format!("{who} is in {file}. Approved senders count under the policy `pairing` only; under `allowlist` the configured list alone counts. Approving again would change nothing, and nothing is sent."));
    } else if stored && !direct {
        out.push(format!("{who} is in {file}. A pairing approval counts for direct messages only; rooms have a list of their own."));
    }
    let listed = super::super::sender_list::SenderList::of(&settings.get("allowFrom"), family);
    if matches!(reason, Reason::GroupSenderNotAllowed)
        && settings.get("groupAllowFrom").is_set()
        && listed.names_person(&sender)
    {
        let at = place(question, &listed.path());
        out.push(format!("{who} is in {} ({at}), the list for direct messages. It stands in for rooms only when groupAllowFrom is absent; deleting that key would shut out those it names.", listed.path()));
    }
    if matches!(reason, Reason::GroupNotListed | Reason::GuildNotListed | Reason::ChannelNotListed) {
        out.push(
            "A map of rooms with an entry is a list of allowed rooms, also under the policy `open`."
                .to_owned(),
        );
        if let Some(outer) = settings.shadowed("groups") {
            let at = place(question, &outer.path());
            out.push(format!("The account's map replaces {} ({at}); the two are not merged.", outer.path()));
        }
    }
}

fn place(question: &Question<'_>, path: &KeyPath) -> String {
    question.config.nearest(path).0.origin.to_string()
}

/// Unix milliseconds as `2026-02-10T12:20:00Z`; milliseconds are left out.
pub(super) fn utc(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 1970-01-01 to a civil date: years start in March, eras of 400 years have 146,097 days.
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era.saturating_add(era.saturating_mul(400)).saturating_add(carry);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
