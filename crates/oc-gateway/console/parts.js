// The pieces that pages are made of.

import { h, fill } from "./dom.js";

/** A small coloured word. Kinds: good, warn, bad, info, plain. */
export function badge(kind, text) {
  return h("span", { class: `badge ${kind}` }, text);
}

/** A box with a heading. */
export function card(title, ...children) {
  return h("section", { class: "card" }, title ? h("h2", {}, title) : null, children);
}

/** What is shown when a list is empty. */
export function nothing(title, text) {
  return h("div", { class: "nothing" }, h("p", { class: "nothing-title" }, title), text ? h("p", {}, text) : null);
}

/** A button. Kinds: primary, danger, plain. */
export function button(text, kind, click, more) {
  return h("button", { type: "button", class: `button ${kind}`, on: { click }, ...more }, text);
}

/** Terms and what they are; pairs with an empty second part are left out. */
export function terms(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "terms" }, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** A message on the page. Kinds as of badge. */
export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" }, children);
}

/** A difference as lines that are coloured, and still carry their sign. */
export function diff(text) {
  const kind = (line) => {
    if (line.startsWith("+++") || line.startsWith("---")) return "file";
    if (line.startsWith("@@")) return "hunk";
    if (line.startsWith("+")) return "added";
    if (line.startsWith("-")) return "removed";
    return "";
  };
  const lines = text.replace(/\n$/, "").split("\n").map((line) => h("span", { class: `line ${kind(line)}` }, `${line}\n`));
  return h("pre", { class: "diff", tabindex: "0", "aria-label": "the difference" }, lines);
}

/** Runs a step of a button: the button waits, an error is shown at `place`. */
export async function during(element, place, step) {
  element.disabled = true;
  element.setAttribute("aria-busy", "true");
  try {
    return await step();
  } catch (error) {
    fill(place, notice("bad", error.message));
    return undefined;
  } finally {
    element.disabled = false;
    element.removeAttribute("aria-busy");
  }
}

/** Asks before something that cannot be taken back; resolves to whether it is wanted. */
export function confirmed(title, text, verb, kind = "danger") {
  return new Promise((resolve) => {
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const id = `dialog-${Date.now()}`;
    const dialog = h(
      "dialog",
      { "aria-labelledby": id, on: { cancel: (event) => { event.preventDefault(); close(false); } } },
      h("h2", { id }, title),
      h("p", {}, text),
      h("div", { class: "actions" }, button(verb, kind, () => close(true)), button("Cancel", "plain", () => close(false), { autofocus: true })),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

let told = null;

/** Says something for a few seconds, also to screen readers. */
export function say(text, kind = "good") {
  told ??= document.body.appendChild(h("div", { class: "told", role: "status", "aria-live": "polite" }));
  const line = h("p", { class: `told-line ${kind}` }, text);
  told.append(line);
  setTimeout(() => line.remove(), 4000);
}

/** A labelled field. */
export function field(label, control, hint) {
  const id = control.id || `field-${Math.random().toString(36).slice(2)}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null);
}

/** A list to choose from. */
export function choice(options, value, change) {
  const select = h("select", { on: { change: () => change?.(select.value) } }, options.map(([id, label]) => h("option", { value: id, selected: id === value }, label)));
  return select;
}
