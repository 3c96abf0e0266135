// The ledger: what was decided and done, under which rule.

import { h, fill, exact } from "./dom.js";
import { badge, button, choice, during, field, notice, nothing, terms } from "./parts.js";

export const title = "Ledger";
export const lead = "Every decision and what came of it, in a chain that shows when a record is missing or changed.";

const KINDS = { allowed: "good", done: "good", denied: "bad", failed: "bad", asked: "warn" };

export function show(body, visit) {
  const said = h("div", {});
  const list = h("ol", { class: "records" });
  const more = h("div", { class: "actions" });
  let last = null;
  const kind = choice([["", "decisions and outcomes"], ["decision", "decisions"], ["outcome", "outcomes"]], "", () => load(false));
  const verdict = choice([["", "any"], ["allowed", "allowed"], ["denied", "denied"], ["done", "done"], ["failed", "failed"]], "", () => load(false));
  fill(body, h("div", { class: "tools" }, field("Show", kind), field("Verdict", verdict)), said, list, more);

  const load = async (older) => {
    const params = { limit: 100 };
    if (kind.value) params.kind = kind.value;
    if (verdict.value) params.verdict = verdict.value;
    if (older && last) params.before = last;
    try {
      const answer = await visit.call("ledger.list", params);
      if (visit.gone) return;
      if (!older) fill(list);
      fill(said, answer.damaged ? notice("bad", `${answer.damaged} lines are damaged: run openclaw ledger verify.`) : null);
      answer.records.forEach((record) => list.append(row(record)));
      last = answer.records.at(-1)?.seq ?? last;
      if (!list.children.length) fill(said, nothing("No record", "Tool calls and their decisions are recorded here."));
      fill(more, answer.more ? button("Older records", "plain", (event) => during(event.currentTarget, said, () => load(true))) : null);
    } catch (error) {
      fill(said, notice("bad", error.message));
    }
  };
  load(false);
}

function row(r) {
  const inputs = Object.entries(r.inputs ?? {}).map(([name, value]) => [name, h("code", {}, exact(typeof value === "object" ? JSON.stringify(value) : String(value)))]);
  return h("li", {}, h("details", {},
    h("summary", {}, h("span", { class: "quiet number" }, `#${r.seq}`), badge(KINDS[r.verdict] ?? "plain", r.verdict), h("strong", {}, exact(r.subject)), h("span", { class: "quiet" }, exact(r.kind), ", ", exact(r.actor), r.agent ? [", ", exact(r.agent)] : null), h("time", { class: "quiet", datetime: r.ts }, new Date(r.ts).toLocaleString())),
    terms([["Rule", exact(r.rule)], ["Key", r.keyPath ? h("code", {}, exact(r.keyPath)) : null], ["It stands at", r.source ? exact(r.source) : null], ["Session", r.session ? h("code", {}, exact(r.session)) : null], ["Call", r.call ? h("code", {}, exact(r.call)) : null], ["Approval", r.approvalId ? h("code", {}, exact(r.approvalId)) : null], ...inputs, ["Hash", h("code", { class: "long" }, r.hash)]])));
}
