// Builds the page out of elements and texts. No text ever becomes markup: strings go into text nodes and attributes only.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("p", { class: "note" }, "text", child). `on` holds listeners, `data` dataset entries; null children are left out. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else {
      element.setAttribute(name, String(value));
    }
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces everything inside an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

const PATHS = {
  approvals: "M5 12l4 4 10-10",
  chat: "M4 11l16-7-6 16-3-7z",
  access: "M15 7a4 4 0 1 1-3.5 6L7 17.5V20H4v-3l6.2-6.2A4 4 0 0 1 15 7z",
  audit: "M12 3l8 3v6c0 4.500-3.400 8-8 9-4.600-1-8-4.500-8-9V6z",
  reach: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  explain: "M9.500 9a2.500 2.500 0 1 1 3.600 2.200c-.8.4-1.100.9-1.100 1.800M12 17v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  sessions: "M4 5h16v11H9l-5 4z",
  ledger: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h4",
  logs: "M4 6h16M4 11h10M4 16h13",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
};

/** A drawn icon; decorative. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}

// Characters that a reader does not see, or that change the order in which others are read.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00a0\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/** A text with every hidden character shown as its code, for commands and names that others chose. */
export function exact(text) {
  const out = document.createDocumentFragment();
  let end = 0;
  const whole = String(text ?? "");
  for (const found of whole.matchAll(HIDDEN)) {
    out.append(whole.slice(end, found.index));
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    out.append(h("mark", { class: "hidden-char", title: "a character that is not visible" }, `U+${code}`));
    end = found.index + found[0].length;
  }
  out.append(whole.slice(end));
  return out;
}

/** "3 min ago", "in 20 s"; the full time stands in the title. */
export function ago(ms, now = Date.now()) {
  if (!ms) return h("span", { class: "quiet" }, "never");
  const date = new Date(ms);
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString() }, span(ms - now));
}

/** A distance in time as words. */
export function span(distance) {
  const size = Math.abs(distance);
  const units = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]];
  const [unit, length] = units.find(([, length]) => size >= length) ?? units[3];
  const text = `${Math.floor(size / length)} ${unit}`;
  if (size < 5_000 && distance <= 0) return "just now";
  return distance > 0 ? `in ${text}` : `${text} ago`;
}

/** A short form of a long id; the whole stands in the title. */
export function short(id) {
  const text = String(id ?? "");
  return text.length <= 16 ? h("code", {}, text) : h("code", { title: text }, `${text.slice(0, 8)}…${text.slice(-4)}`);
}
