// What was said in a session, as a list shows it.

import { h, exact, ago } from "./dom.js";

const SPEAKERS = { user: "Person", assistant: "Agent", system: "System" };
// What the gateway puts around words of others before a model reads them.
const ENVELOPE = /<<<EXTERNAL_UNTRUSTED_CONTENT id="([0-9A-Za-z]+)">>>\n([\s\S]*?)\n<<<END_EXTERNAL_UNTRUSTED_CONTENT id="\1">>>/g;

/** One message of a transcript, as an entry of a list. */
export function message(m) {
  const role = ["user", "assistant", "system"].includes(m.role) ? m.role : "tool";
  const name = SPEAKERS[role] ?? `Result${m.toolName ? ` of ${m.toolName}` : ""}`;
  return h("li", { class: `said-by ${role}` }, h("div", { class: "speaker" }, name, m.timestamp ? [" ", ago(m.timestamp)] : null), blocks(m).map((block) => part(block, role)));
}

function blocks(m) {
  if (Array.isArray(m.content)) return m.content;
  return [{ type: "text", text: typeof m.content === "string" ? m.content : m.text ?? "" }];
}

function part(block, role) {
  if (block.type === "text" && role === "user") return letter(block.text ?? "");
  if (block.type === "text") return role === "tool" ? folded("Output", block.text) : h("p", { class: "keep-lines" }, exact(block.text ?? ""));
  if (block.type === "toolCall") return folded(`Uses ${block.name}`, JSON.stringify(block.arguments ?? block.input ?? {}, null, 2));
  if (block.type === "thinking") return folded("Thinking", block.thinking ?? block.text ?? "");
  return h("p", { class: "quiet" }, `(${block.type ?? "something else"})`);
}

/** A person's message: the words as they are, what is around them folded away. Nothing of it is left out. */
function letter(text) {
  const out = [];
  let end = 0;
  const words = (piece) => { if (piece.trim()) out.push(h("p", { class: "keep-lines" }, exact(piece.trim()))); };
  for (const found of text.matchAll(ENVELOPE)) {
    words(text.slice(end, found.index));
    const source = /^Source: (.*)$/m.exec(found[2])?.[1] ?? "Other words";
    out.push(folded(source === "Conversation" ? "Who wrote" : source, found[2], source !== "Conversation"));
    end = found.index + found[0].length;
  }
  words(text.slice(end));
  return out.length ? out : h("p", { class: "keep-lines" }, "");
}

function folded(summary, text, open = true) {
  const whole = String(text ?? "");
  return h("details", { open: open && whole.length < 240 }, h("summary", {}, exact(summary)), h("pre", { tabindex: "0" }, exact(whole)));
}
