// Who reaches which tool, where it acts, and what stands between.

import { h, fill, exact } from "./dom.js";
import { card, choice, field, notice } from "./parts.js";

export const title = "Reach";
export const lead = "For every agent: who can make it use which tool, where that tool acts, and whether a person is asked.";

/** The look of an open cell, and its word. */
function kind(way) {
  if (way.host === "sandbox") return ["sandbox", way.approval === "none" ? "sandbox" : "sandbox, asks"];
  if (way.approval === "denied") return ["shut", "refused"];
  if (way.approval === "none") return ["open", way.host === "node" ? "node" : "host"];
  const words = { always: "asks", "on-miss": "asks for new", "listed-only": "listed only" };
  return ["asked", `${way.host === "node" ? "node" : "host"}, ${words[way.approval] ?? way.approval}`];
}

export function show(body, visit) {
  const list = h("div", { class: "stack" });
  fill(body, h("p", { class: "legend" },
    h("span", { class: "key sandbox" }, "in the sandbox"), h("span", { class: "key asked" }, "on a machine, a person is asked or a list decides"),
    h("span", { class: "key open" }, "on a machine, nobody is asked"), h("span", { class: "key shut" }, "not reachable")), list);
  visit.call("reach.matrix").then((reach) => {
    if (visit.gone) return;
    fill(list, reach.refused.map((text) => notice("warn", exact(text))), reach.agents.map((agent) => agentCard(reach, agent)));
  }, (error) => fill(list, notice("bad", error.message)));
}

function agentCard(reach, agent) {
  const cells = new Map(reach.cells.filter((c) => c.agent === agent).map((c) => [`${c.tool} ${c.caller}`, c]));
  const place = h("div", {});
  const draw = (which) => {
    const used = reach.tools.filter((tool) => which === "all" || reach.callers.some((c) => cells.has(`${tool} ${c.id}`)));
    fill(place, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Reach of ${agent}` },
      h("table", { class: "matrix" }, h("caption", { class: "sr" }, `Who reaches which tool of ${agent}`),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Tool"), reach.callers.map((caller) => h("th", { scope: "col" }, caller.label)))),
        h("tbody", {}, used.map((tool) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, exact(tool))), reach.callers.map((caller) => cell(cells.get(`${tool} ${caller.id}`)))))))));
  };
  draw("used");
  return card(`Agent ${agent}`, field("Show", choice([["used", "tools that somebody reaches"], ["all", "all tools"]], "used", draw)), place);
}

function cell(open) {
  if (!open) return h("td", { class: "shut" }, h("span", { "aria-hidden": "true" }, "·"), h("span", { class: "sr" }, "no"));
  const [look, word] = kind(open.way);
  const doors = open.doors === 1 ? "one way in" : `${open.doors} ways in`;
  return h("td", { class: look, title: `${open.way.via} (${doors})` }, word);
}
