// Questions about decisions: which rule decides, where it stands, what would change the answer.

import { h, fill, exact } from "./dom.js";
import { badge, button, card, choice, during, field, notice, terms } from "./parts.js";

export const title = "Explain";
export const lead = "Ask what would happen, and which rule says so. Nothing is started, sent or written.";

const AGENT = ["agent", "Agent", "the default agent"];
const SESSION = ["session", "Session key", "the agent's main session"];
const SUBJECTS = {
  tool: ["Tool", [["tool", "Tool", "exec", true], ["channel", "Channel", "none"], ["sender", "Sender", "nobody in particular"], AGENT, SESSION]],
  command: ["Command", [["command", "Command line", "git status", true], ["host", "Host", "as configured"], ["cwd", "Directory", "the gateway's"], AGENT, SESSION]],
  message: ["Message", [["channel", "Channel", "telegram", true], ["sender", "Sender id", "12345"], ["chat", "Where", "direct, group:ID or channel:ID"], ["account", "Account", "default"], ["text", "Text", ""]]],
  sandbox: ["Sandbox", [AGENT, SESSION]],
  connection: ["Connection", [
    ["client", "Who", [["cli", "the command line"], ["control-ui", "this console"], ["node", "a node"], ["backend", "another program"]]],
    ["peer", "From address", "127.0.0.1"],
    ["auth", "Shows", [["none", "no credential"], ["token", "the token"], ["wrong-token", "a wrong token"], ["password", "the password"], ["wrong-password", "a wrong password"]]],
    ["device", "Device", [["none", "no identity"], ["new", "a new one"], ["paired", "a paired one"]]],
    ["headers", "Header", "X-Forwarded-For: 203.0.113.7"],
  ]],
  config: ["Setting", [["key", "Key", "gateway.bind", true], AGENT, ["account", "Channel account", "none"]]],
};
const GOOD = new Set(["allowed", "allow", "admit", "admitted", "sandboxed", "set", "default"]);
const HELD = new Set(["ask", "pairing", "pairing-required", "host", "unset"]);
const EFFECTS = { keeps: ["plain", "keeps"], removes: ["bad", "removes"], admits: ["good", "admits"], holds: ["warn", "holds"], inert: ["plain", "no effect"], absent: ["plain", "not set"] };

export function show(body, visit) {
  const answer = h("div", { "aria-live": "polite" });
  const place = h("div", {});
  const what = h("textarea", { rows: "2", spellcheck: "false", placeholder: "--set tools.profile=\"minimal\"" });
  let subject = "tool";
  let inputs = new Map();

  const draw = () => {
    inputs = new Map(SUBJECTS[subject][1].map(([name, , hint, required]) => [name, Array.isArray(hint) ? choice(hint, hint[0][0]) : h("input", { type: "text", name, placeholder: hint, required, spellcheck: "false", autocomplete: "off" })]));
    fill(place, SUBJECTS[subject][1].map(([name, label]) => field(label, inputs.get(name))));
  };

  const ask = (element) => during(element, answer, async () => {
    const given = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()]).filter(([, value]) => value));
    const edits = changes(what.value);
    if (given.headers) given.headers = [given.headers];
    const question = subject === "tool" ? asTool(given) : given;
    const { explanation } = await visit.call("explain.ask", { subject, question, ...edits });
    fill(answer, verdict(explanation, (change) => {
      what.value = [what.value.trim(), change].filter(Boolean).join("\n");
      extra.open = true;
      ask(element);
    }));
  });

  const submit = h("button", { type: "submit", class: "button primary" }, "Ask");
  const tabs = h("fieldset", { class: "segments" }, h("legend", { class: "sr" }, "About"), Object.entries(SUBJECTS).map(([id, [label]]) => {
    const input = h("input", { type: "radio", name: "subject", id: `subject-${id}`, value: id, checked: id === subject, on: { change: () => { subject = id; draw(); fill(answer); } } });
    return [input, h("label", { for: `subject-${id}` }, label)];
  }));
  const extra = h("details", {}, h("summary", {}, "What if …"), field("Changes, one a line", what, "--set PATH=VALUE or --unset PATH. The answer is given as if the configuration said so; nothing is written."));
  draw();
  fill(body, card(null, h("form", { on: { submit: (event) => { event.preventDefault(); ask(submit); } } }, tabs, h("div", { class: "fields" }, place), extra, h("div", { class: "actions" }, submit))), answer);
}

function asTool({ tool, ...who }) {
  return { tool, who };
}

/** The lines of the "what if" field as the method takes them. */
function changes(text) {
  const out = { set: [], unset: [] };
  for (const line of text.split("\n").map((l) => l.trim()).filter(Boolean)) {
    const found = /^--(set|unset)[ =]+(.*)$/.exec(line) ?? [null, "set", line];
    out[found[1]].push(found[2].replace(/^'(.*)'$/, "$1"));
  }
  return out;
}

/** Where a value comes from, as a person would say it. */
function origin(source) {
  if (!source || typeof source === "string") return source ?? "";
  if (source.file) return `${source.file.split("/").pop()}${source.line ? `, line ${source.line}` : ""}`;
  if (source.env) return source.env.map((name) => `$${name}`).join(", ");
  const words = { default: "the default", builtin: "built in", "command-line": "as if set", commandLine: "as if set" };
  return words[source.kind] ?? source.kind ?? "";
}

function where(rule) {
  const parts = [rule.keyPath ? h("code", {}, exact(rule.keyPath)) : "built in", rule.unset ? " (not set)" : ""];
  if (rule.source && rule.keyPath) parts.push(h("span", { class: "quiet", title: rule.source.file ?? null }, " · ", exact(origin(rule.source))));
  return parts;
}

function verdict(e, follow) {
  const kind = GOOD.has(e.verdict) ? "good" : HELD.has(e.verdict) ? "warn" : "bad";
  const facts = Object.entries(e.facts ?? {}).map(([name, value]) => [name, exact(typeof value === "object" ? JSON.stringify(value) : String(value))]);
  return h("div", { class: "stack" },
    h("section", { class: `card answer ${kind}` },
      h("h2", {}, badge(kind, e.verdict), " ", exact(e.reason ?? "")),
      terms([["Decided by", [exact(`${e.decidedBy.layer}, ${e.decidedBy.rule}`)]], ["It stands at", where(e.decidedBy)], ...facts])),
    (e.flip ?? []).length ? card("What would change it", h("ul", { class: "plain-list" }, e.flip.map((f) => h("li", { class: "flip" },
      h("code", {}, exact(f.change)), h("span", {}, " → ", h("strong", {}, f.verdict)), f.opens ? h("span", { class: "quiet" }, ` ${f.opens}`) : null,
      /^--(un)?set /.test(f.change) ? button("Ask with this", "plain small", () => follow(f.change)) : null)))) : null,
    (e.trace ?? []).length ? card("Every rule, in order", h("ol", { class: "trace" }, e.trace.map((s) => {
      const [look, word] = EFFECTS[s.effect] ?? ["plain", s.effect];
      return h("li", {}, h("div", {}, badge(look, word), " ", h("strong", {}, exact(s.layer)), " ", exact(s.rule)), h("div", {}, where(s)), s.detail ? h("div", { class: "quiet" }, exact(s.detail)) : null);
    }))) : null,
    (e.notes ?? []).map((note) => notice("info", exact(note))));
}
