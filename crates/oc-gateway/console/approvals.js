// The inbox: commands that wait for a person, live, with everything that an answer binds.

import { h, fill, exact, short, ago } from "./dom.js";
import { badge, button, choice, during, field, notice, nothing, say, terms } from "./parts.js";

export const title = "Approvals";
export const lead = "Commands that wait for your answer. Nothing of them has run yet.";

const VERBS = {
  "allow-once": ["Allow once", "primary"],
  "allow-always": ["Always allow", "plain"],
  deny: ["Deny", "danger"],
};
const PLACES = { sandbox: "In the sandbox", gateway: "On the gateway's machine", node: "On a node", prompt: "Where you choose" };
const TARGETS = { sandbox: "in the sandbox", host: "on the gateway's machine" };

export function show(body, visit) {
  const said = h("div", {});
  const list = h("div", { class: "stack", "aria-live": "polite" });
  const past = h("ul", { class: "plain-list" });
  const answered = h("section", { class: "card", hidden: true }, h("h2", {}, "Answered since this page was opened"), past);
  fill(body, said, list, answered);
  const cards = new Map();

  if (!visit.wire.offers("exec.approval.list")) {
    fill(list, notice("info", "This gateway does not offer its approvals here."));
    return;
  }

  const remember = (record, decision, who) => {
    answered.hidden = false;
    const kind = decision === "deny" ? "bad" : decision ? "good" : "plain";
    past.prepend(h("li", {}, badge(kind, decision ?? "not answered"), " ", h("code", {}, exact(record?.request?.command ?? "a command")), who ? h("span", { class: "quiet" }, ` by ${who}`) : null));
    while (past.children.length > 20) past.lastChild.remove();
  };

  const empty = () => {
    if (!cards.size) fill(list, nothing("Nothing waits", "When an agent wants to run a command that is not allowed already, it appears here."));
    visit.count("approvals", cards.size);
  };

  const drop = (id) => {
    const entry = cards.get(id);
    if (!entry) return null;
    const inside = entry.card.contains(document.activeElement);
    entry.card.remove();
    cards.delete(id);
    empty();
    if (inside) (list.querySelector("button") ?? document.querySelector("main h1"))?.focus();
    return entry.record;
  };

  const put = (record) => {
    if (cards.has(record.id)) return;
    if (!cards.size) fill(list);
    const entry = { record, ...waitingCard(record, visit, (decision) => {
      drop(record.id);
      remember(record, decision);
      say(decision === "deny" ? "Denied." : "Allowed.", decision === "deny" ? "bad" : "good");
    }) };
    cards.set(record.id, entry);
    list.append(entry.card);
    visit.count("approvals", cards.size);
  };

  const load = async () => {
    try {
      const { pending } = await visit.call("exec.approval.list");
      if (visit.gone) return;
      fill(said);
      const there = new Set(pending.map((record) => record.id));
      for (const id of [...cards.keys()]) if (!there.has(id)) remember(drop(id), null);
      pending.forEach(put);
      empty();
    } catch (error) {
      fill(said, notice("bad", error.message));
    }
  };

  visit.on("exec.approval.requested", put);
  visit.on("exec.approval.resolved", ({ id, decision, resolvedBy }) => {
    const record = drop(id);
    if (record) remember(record, decision, resolvedBy);
  });
  visit.every(1000, () => cards.forEach((entry) => entry.tick()));
  visit.every(5000, load);
  load();
}

/** One command that waits, and how it is answered. */
export function waitingCard(record, visit, done) {
  const { request } = record;
  const said = h("div", {});
  const left = h("span", { class: "quiet" });
  const targets = request.targets ?? [];
  const target = targets.length > 1 ? choice(targets.map((t) => [t, TARGETS[t] ?? t]), targets[0]) : null;
  const decisions = request.allowedDecisions ?? Object.keys(VERBS);
  const answer = (decision) => (event) => during(event.currentTarget, said, async () => {
    const params = { id: record.id, decision };
    if (decision !== "deny" && targets.length) params.target = target?.value ?? targets[0];
    await visit.call("exec.approval.resolve", params);
    done(decision);
  });
  const order = ["allow-once", "allow-always", "deny"].filter((d) => decisions.includes(d));
  const parts = request.segments ?? [];
  const warnings = request.warnings ?? [];
  // Why a button is missing is no warning about the command.
  const aside = (text) => text.startsWith("allow-always is not offered");
  const card = h("article", { class: "card waiting-card", "aria-label": `Command ${record.code ?? ""}` },
    h("div", { class: "card-head" }, badge("warn", PLACES[request.host] ?? request.host ?? "somewhere"), record.code ? h("code", { class: "quiet", title: "the code of this request" }, record.code) : null, left),
    h("pre", { class: "command", tabindex: "0", "aria-label": "The exact command" }, exact(request.command)),
    warnings.filter((text) => !aside(text)).map((text) => notice("warn", exact(text))),
    terms([
      ["Directory", request.cwd ? h("code", {}, exact(request.cwd)) : null],
      ["Program", request.resolvedPath ? h("code", {}, exact(request.resolvedPath)) : null],
      ["Agent", request.agentId ? exact(request.agentId) : null],
      ["Session", request.sessionKey ? h("code", {}, exact(request.sessionKey)) : null],
      ["Node", request.nodeId ? short(request.nodeId) : null],
      ["Sets variables", request.envKeys?.length ? h("code", {}, exact(request.envKeys.join(" "))) : null],
      ["Asked", ago(record.createdAtMs)],
    ]),
    parts.length > 1 ? h("details", {}, h("summary", {}, `${parts.length} commands in this line`), h("ol", {}, parts.map((part) => h("li", {}, h("code", {}, exact((part.argv ?? []).join(" "))), part.resolvedPath ? h("span", { class: "quiet" }, " ", exact(part.resolvedPath)) : null)))) : null,
    target ? field("Run it", target) : null,
    h("div", { class: "actions" }, order.map((decision) => button(VERBS[decision][0], VERBS[decision][1], answer(decision)))),
    warnings.filter(aside).map((text) => h("p", { class: "hint" }, exact(text))),
    decisions.includes("allow-always") ? h("p", { class: "hint" }, "\u201cAlways allow\u201d also adds the program to this agent's list, so that it is not asked again.") : null,
    said);
  const tick = () => {
    const seconds = Math.max(0, Math.round((record.expiresAtMs - Date.now()) / 1000));
    const text = seconds ? `denied by itself in ${seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`}` : "expired";
    if (left.textContent !== text) fill(left, text);
  };
  tick();
  return { card, tick };
}
