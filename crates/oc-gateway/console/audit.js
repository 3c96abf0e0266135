// The audit, and its safe fixes: first the difference, then the change, and the way back.

import { h, fill, exact, ago } from "./dom.js";
import { badge, button, card, confirmed, diff, during, notice, nothing, say } from "./parts.js";

export const title = "Audit";
export const lead = "What would let a stranger in, worst first, and what can be mended safely.";

const KINDS = { critical: "bad", warn: "warn", info: "info" };
const WORDS = { critical: "Critical", warn: "Warnings", info: "For information" };

export function show(body, visit) {
  const said = h("div", {});
  const head = h("div", {});
  const fixes = h("div", {});
  const list = h("div", { class: "stack" });
  fill(body, said, head, fixes, list);

  const undo = async (event) => {
    const target = event.currentTarget;
    if (!(await confirmed("Undo the last fix?", "Configuration and modes go back to what they were before it, if nothing has changed them since.", "Undo"))) return;
    await during(target, said, async () => {
      await visit.call("audit.undo");
      say("The last fix is undone.");
      await load();
    });
  };

  const plan = (event) => during(event.currentTarget, said, async () => {
    const planned = await visit.call("audit.fix", { dryRun: true });
    fill(fixes, planCard(planned, visit, said, load, () => fill(fixes)));
    fixes.querySelector("h2")?.focus();
  });

  const load = async () => {
    fill(list, h("p", { class: "quiet", role: "status" }, "Looking…"));
    try {
      const answer = await visit.call("audit.run");
      if (visit.gone) return;
      if (!answer.valid) {
        fill(head);
        fill(list, card("The configuration is not valid", h("p", {}, "The gateway runs on the last valid one. ", h("code", {}, "openclaw doctor"), " helps to repair it."), h("ul", {}, answer.issues.map((issue) => h("li", {}, exact(issue))))));
        return;
      }
      const { report } = answer;
      const numbers = ["critical", "warn", "info"].map((severity) => h("div", { class: `figure ${report.summary[severity] ? KINDS[severity] : ""}` }, h("strong", {}, report.summary[severity] ?? 0), h("span", {}, WORDS[severity])));
      fill(head, h("div", { class: "figures" }, numbers), h("div", { class: "actions" },
        button("Show the safe fixes", "primary", plan),
        button("Look again", "plain", load),
        answer.undo ? button("Undo the last fix", "plain", undo, { title: `made ${new Date(answer.undo).toLocaleString()}` }) : null,
        h("span", { class: "quiet" }, "Configuration: ", h("code", {}, exact(answer.configPath)))));
      fill(list, steps(report), ["critical", "warn", "info"].map((severity) => findings(report, severity)), report.findings.length ? null : nothing("No finding", "Nothing here lets a stranger in."));
    } catch (error) {
      fill(list);
      fill(said, notice("bad", error.message));
    }
  };
  load();
}

function steps(report) {
  if (!report.priorities?.length) return null;
  return card("In this order", h("ol", { class: "steps" }, report.priorities.map((step) => h("li", {}, h("span", {}, step.title), " ", h("span", { class: "quiet" }, (step.checkIds ?? []).join(", "))))));
}

function findings(report, severity) {
  const found = report.findings.filter((f) => f.severity === severity);
  if (!found.length) return null;
  return h("section", {}, h("h2", {}, WORDS[severity], " ", badge(KINDS[severity], found.length)),
    h("div", { class: "stack tight" }, found.map((f) => h("details", { class: `finding ${KINDS[severity]}`, open: severity === "critical" },
      h("summary", {}, h("span", { class: "finding-title" }, exact(f.title)), h("code", { class: "quiet" }, f.checkId)),
      h("p", { class: "keep-lines" }, exact(f.detail)),
      f.remediation ? h("p", { class: "keep-lines remedy" }, h("strong", {}, "What to do: "), exact(f.remediation)) : null,
      (f.keys ?? []).length ? h("p", { class: "quiet" }, "Keys: ", f.keys.map((key) => [h("code", {}, exact(key)), " "])) : null,
      (f.paths ?? []).length ? h("p", { class: "quiet" }, "Files: ", f.paths.map((path) => [h("code", {}, exact(path)), " "])) : null))));
}

function mode(bits) {
  return bits.toString(8).padStart(4, "0");
}

function planCard(planned, visit, said, reload, close) {
  const modes = planned.actions.filter((a) => a.ok);
  const idle = !planned.diff && !modes.length;
  const heading = h("h2", { tabindex: "-1" }, idle ? "Nothing to change" : "This would be changed");
  const apply = (event) => during(event.currentTarget, said, async () => {
    try {
      const done = await visit.call("audit.fix", { plan: planned.plan });
      close();
      if (done.errors.length) fill(said, done.errors.map((text) => notice("bad", text)));
      else {
        fill(said);
        say("Done. \u201cUndo the last fix\u201d puts it back.");
      }
      await reload();
    } catch (error) {
      if (error.details?.reason !== "plan-changed") throw error;
      close();
      fill(said, notice("warn", error.message));
    }
  });
  return h("section", { class: "card plan", "aria-label": "Planned fixes" }, heading,
    idle ? h("p", {}, "What is left needs a decision of yours; each finding says which.") : null,
    planned.errors.map((text) => notice("bad", text)),
    planned.changes.length ? h("ul", {}, planned.changes.map((text) => h("li", {}, exact(text)))) : null,
    planned.diff ? diff(planned.diff) : null,
    modes.length ? [h("h3", {}, "Modes"), h("ul", { class: "plain-list" }, modes.map((a) => h("li", {}, h("code", {}, `${mode(a.mode)} ${a.path}`))))] : null,
    h("div", { class: "actions" }, idle ? null : button("Apply exactly this", "primary", apply), button("Close", "plain", close)));
}
