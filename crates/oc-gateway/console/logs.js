// The gateway's log, live. Lines come masked.

import { h, fill, exact } from "./dom.js";
import { button, choice, field, notice } from "./parts.js";

export const title = "Logs";
export const lead = "The end of the gateway's log, as it grows. Credentials in it are masked.";

const LEVELS = ["trace", "debug", "info", "warn", "error"];
const MOST = 2000;

export function show(body, visit) {
  const said = h("div", {});
  const out = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": "Log lines", "aria-live": "off" });
  const wanted = h("input", { type: "search", placeholder: "Only lines with …", on: { input: () => sift() } });
  const level = choice(LEVELS.map((name) => [name, name === "trace" ? "everything" : `${name} and worse`]), "debug", () => sift());
  const pause = button("Pause", "plain", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    if (!paused) load();
  });
  const file = h("code", {});
  let cursor;
  let paused = false;
  let busy = false;

  if (!visit.wire.offers("logs.tail")) {
    fill(body, notice("info", "This gateway does not offer its log here."));
    return;
  }
  fill(body, h("div", { class: "tools" }, field("Text", wanted), field("Level", level), pause), said, out, h("p", { class: "quiet" }, "File: ", file));

  const takes = (line) => LEVELS.indexOf(line.dataset.level) >= LEVELS.indexOf(level.value) && line.textContent.toLowerCase().includes(wanted.value.trim().toLowerCase());
  const sift = () => {
    for (const line of out.children) line.hidden = !takes(line);
    out.scrollTop = out.scrollHeight;
  };

  const load = async () => {
    if (busy || paused) return;
    busy = true;
    try {
      const answer = await visit.call("logs.tail", cursor === undefined ? { limit: 300 } : { cursor, limit: 1000 });
      if (visit.gone) return;
      fill(said);
      if (answer.reset) fill(out);
      cursor = answer.cursor;
      fill(file, answer.file ?? "");
      const following = out.scrollHeight - out.scrollTop - out.clientHeight < 40;
      for (const text of answer.lines) {
        const line = entry(text);
        line.hidden = !takes(line);
        out.append(line);
      }
      while (out.children.length > MOST) out.firstChild.remove();
      if (following) out.scrollTop = out.scrollHeight;
    } catch (error) {
      fill(said, notice("bad", error.message));
    } finally {
      busy = false;
    }
  };
  visit.every(2000, load);
  load();
}

/** One line: time, level, where it comes from, what it says. A line of another form is shown as it is. */
function entry(text) {
  let record = null;
  try {
    record = JSON.parse(text);
  } catch {
    return h("div", { class: "log-line info", data: { level: "info" } }, exact(text));
  }
  const meta = record._meta ?? {};
  const level = String(meta.logLevelName ?? "info").toLowerCase();
  const known = LEVELS.includes(level) ? level : level === "fatal" ? "error" : "info";
  const parts = Object.keys(record).filter((key) => /^\d+$/.test(key)).sort((a, b) => a - b).map((key) => record[key]);
  let source = "";
  try {
    const named = JSON.parse(parts[0]);
    if (named.subsystem) {
      source = named.subsystem;
      parts.shift();
    }
  } catch {
    // The first part is the message itself.
  }
  const time = new Date(record.time ?? meta.date ?? 0);
  return h("div", { class: `log-line ${known}`, data: { level: known } },
    h("time", { datetime: isNaN(time) ? null : time.toISOString() }, isNaN(time) ? "" : time.toLocaleTimeString()), " ",
    h("span", { class: "level" }, known), " ", h("span", { class: "source" }, exact(source)), " ",
    parts.map((part) => [said(part), " "]));
}

/** A part of a line: a text, or its fields as name=value. */
function said(part) {
  let fields = part;
  try {
    if (typeof part === "string" && part.startsWith("{")) fields = JSON.parse(part);
  } catch {
    // It only looks like one.
  }
  if (typeof fields !== "object" || fields === null) return exact(fields);
  return Object.entries(fields).map(([name, value]) => [h("span", { class: "name" }, exact(name), "="), exact(typeof value === "string" ? value : JSON.stringify(value)), " "]);
}
