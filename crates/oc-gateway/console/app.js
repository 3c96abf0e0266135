// The console: signs in, keeps the connection, shows one page at a time.

import { h, fill, icon, span } from "./dom.js";
import { badge, button, terms } from "./parts.js";
import { Wire } from "./wire.js";
import { form, fromFragment, keep, kept, waiting } from "./sign_in.js";
import * as approvals from "./approvals.js";
import * as chat from "./chat.js";
import * as access from "./access.js";
import * as audit from "./audit.js";
import * as reach from "./reach.js";
import * as explain from "./explain.js";
import * as sessions from "./sessions.js";
import * as ledger from "./ledger.js";
import * as logs from "./logs.js";

const PAGES = { approvals, chat, access, audit, reach, explain, sessions, ledger, logs };
const ROOT = document.getElementById("app");
const BASE = new URL(".", document.baseURI).pathname;

/** What pages share: the connection, and how many things wait for a person. */
const desk = { wire: null, secret: null, without: false, counts: new Map(), leave: null, shell: null };

/** Handed to a page: it asks through the connection of the moment and stops listening when it is left. */
class Visit {
  #undo = [];
  gone = false;
  get wire() { return desk.wire; }
  call(method, params) { return desk.wire.call(method, params); }
  /** Listens to an event of the gateway while the page is shown, across reconnections. */
  on(event, listener) {
    const heard = (e) => listener(e.detail);
    bus.addEventListener(event, heard);
    this.#undo.push(() => bus.removeEventListener(event, heard));
  }
  every(ms, step) {
    const timer = setInterval(() => { if (!document.hidden) step(); }, ms);
    this.#undo.push(() => clearInterval(timer));
  }
  count(page, number) { counted(page, number); }
  leave() {
    this.gone = true;
    this.#undo.forEach((undo) => undo());
  }
}

const bus = new EventTarget();

function pageOf(path) {
  const name = path.startsWith(BASE) ? path.slice(BASE.length).split("/")[0] : "";
  return name in PAGES ? name : "approvals";
}

function counted(page, number) {
  desk.counts.set(page, number);
  const place = desk.shell?.counts.get(page);
  if (place) {
    fill(place, number ? h("span", { class: "count" }, number, h("span", { class: "sr" }, " waiting")) : null);
  }
  const all = [...desk.counts.values()].reduce((a, b) => a + b, 0);
  document.title = `${all ? `(${all}) ` : ""}${PAGES[pageOf(location.pathname)].title} - OpenClaw`;
}

function go(path, push = true) {
  if (push) history.pushState(null, "", path);
  show(true);
}

/** Shows the page of the address. `moved`: a person went there, so the focus goes along. */
function show(moved) {
  if (!desk.shell) return;
  const name = pageOf(location.pathname);
  if (location.pathname === BASE) history.replaceState(null, "", `${BASE}approvals${location.hash}`);
  desk.leave?.();
  const page = PAGES[name];
  const visit = new Visit();
  desk.leave = () => visit.leave();
  for (const [id, link] of desk.shell.links) {
    if (id === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  desk.shell.links.get(name).scrollIntoView({ block: "nearest", inline: "center" });
  const heading = h("h1", { tabindex: "-1" }, page.title);
  const body = h("div", { class: "body" });
  fill(desk.shell.main, h("header", { class: "page-head" }, heading, h("p", { class: "lead" }, page.lead)), body);
  counted(name, desk.counts.get(name) ?? 0);
  if (moved) heading.focus({ preventScroll: false });
  page.show(body, visit);
}

function shell(hello) {
  const links = new Map();
  const counts = new Map();
  const items = Object.entries(PAGES).map(([name, page]) => {
    const place = h("span", {});
    counts.set(name, place);
    const link = h("a", { href: `${BASE}${name}`, on: { click: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(`${BASE}${name}`);
    } } }, icon(name), h("span", {}, page.title), place);
    links.set(name, link);
    return h("li", {}, link);
  });
  const main = h("main", { id: "main", tabindex: "-1" });
  const health = h("button", { type: "button", class: "health", on: { click: tellHealth } });
  const skip = h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.focus(); } } }, "Skip to the page");
  const view = [
    skip,
    h("header", { class: "top" },
      h("a", { class: "brand", href: `${BASE}approvals`, on: { click: (event) => { event.preventDefault(); go(`${BASE}approvals`); } } },
        h("img", { src: "icon.svg", alt: "", width: "28", height: "28" }), h("span", {}, "OpenClaw")),
      h("span", { class: "host quiet" }, hello.server?.host ?? location.host),
      health,
      h("button", { type: "button", class: "button plain small", on: { click: signOut }, "aria-label": "Sign out" }, icon("out"), h("span", { class: "wide-only" }, "Sign out"))),
    h("nav", { "aria-label": "Pages" }, h("ul", {}, items)),
    main,
  ];
  fill(ROOT, h("div", { class: "shell" }, view));
  desk.shell = { links, counts, main, health };
}

function healthy(kind, text) {
  if (desk.shell) fill(desk.shell.health, h("span", { class: `dot ${kind}` }), text, h("span", { class: "sr" }, ", show details"));
}

async function lookAfter() {
  if (!desk.wire?.offers("health")) return;
  try {
    const report = await desk.wire.call("health", {});
    healthy(report.ok ? "good" : "bad", report.ok ? "Healthy" : "Unwell");
  } catch (error) {
    healthy("bad", error.message);
  }
}

async function tellHealth() {
  const hello = desk.wire?.hello;
  if (!hello) return;
  const id = "health-title";
  const body = h("div", {}, h("p", { class: "quiet" }, "Asking…"));
  const dialog = h("dialog", { "aria-labelledby": id, on: { close: () => dialog.remove() } }, h("h2", { id }, "Gateway"), body,
    h("div", { class: "actions" }, button("Close", "plain", () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
  try {
    const [report, presence] = await Promise.all([desk.wire.call("health", { probe: true }), desk.wire.call("system-presence", {})]);
    const channels = report.channelOrder ?? [];
    fill(body, terms([
      ["State", report.ok ? badge("good", "healthy") : badge("bad", "unwell")],
      ["Version", hello.server?.version],
      ["Host", hello.server?.host],
      ["Running for", span(-hello.snapshot.uptimeMs).replace(" ago", "")],
      ["Configuration", hello.snapshot.configPath ? h("code", {}, hello.snapshot.configPath) : null],
      ["Agents", (report.agents ?? []).map((a) => a.agentId).join(", ")],
      ["Channels", channels.length ? channels.map((c) => report.channelLabels?.[c] ?? c).join(", ") : "none configured"],
      ["Answered in", `${report.durationMs ?? 0} ms`],
    ]), h("h3", {}, "Connected"), h("ul", { class: "plain-list" }, presence.map((entry) => h("li", {}, `${entry.host ?? entry.instanceId ?? "unnamed"} `, badge("plain", entry.mode ?? "unknown"), entry.reason === "disconnect" ? " left" : ""))));
  } catch (error) {
    fill(body, h("p", {}, error.message));
  }
}

/** What waits for a person, for the numbers in the menu; the pages show it themselves. */
async function countWaiting() {
  const { wire } = desk;
  if (wire?.offers("exec.approval.list")) {
    const { pending } = await wire.call("exec.approval.list", {});
    counted("approvals", pending.length);
  }
  if (wire?.offers("device.pair.list")) {
    const { pending } = await wire.call("device.pair.list", {});
    counted("access", pending.length);
  }
}

const HEARD = ["chat", "exec.approval.requested", "exec.approval.resolved", "device.pair.requested", "device.pair.resolved", "node.pair.requested", "node.pair.resolved", "presence", "health", "shutdown"];

async function connect() {
  const wire = new Wire();
  const hello = await wire.connect(desk.secret, { withoutDevice: desk.without });
  desk.wire = wire;
  for (const event of HEARD) {
    wire.addEventListener(`event:${event}`, (e) => bus.dispatchEvent(new CustomEvent(event, { detail: e.detail })));
  }
  wire.addEventListener("ended", (e) => ended(wire, e.detail));
  return hello;
}

/** The connection is gone: come back by oneself, unless the gateway said that the credential is the reason. */
async function ended(wire, { code, reason }) {
  if (desk.wire !== wire || !desk.shell) return;
  healthy("warn", code === 1012 ? "Restarting" : "Reconnecting");
  for (let wait = 500; desk.wire === wire; wait = Math.min(wait * 2, 15_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (desk.wire !== wire) return;
    try {
      await connect();
      await welcome(false);
      return;
    } catch (error) {
      if (error.code && !error.code.startsWith("close")) {
        toSignIn(error.details?.reason ? error : Object.assign(error, { message: reason || error.message }));
        return;
      }
    }
  }
}

async function welcome(first) {
  if (first) shell(desk.wire.hello);
  healthy("good", "Healthy");
  show(first);
  lookAfter();
  countWaiting().catch(() => {});
}

bus.addEventListener("exec.approval.requested", () => countWaiting().catch(() => {}));
bus.addEventListener("exec.approval.resolved", () => countWaiting().catch(() => {}));
bus.addEventListener("device.pair.requested", () => countWaiting().catch(() => {}));
bus.addEventListener("device.pair.resolved", () => countWaiting().catch(() => {}));
setInterval(() => { if (!document.hidden) lookAfter(); }, 30_000);

function signOut() {
  keep(null);
  const wire = desk.wire;
  toSignIn(null);
  wire?.close();
}

let retry = null;

function toSignIn(error) {
  clearTimeout(retry);
  desk.leave?.();
  Object.assign(desk, { wire: null, secret: null, without: false, leave: null, shell: null });
  desk.counts.clear();
  const { view, fail, busy } = form((secret, keepIt, withoutDevice) => {
    busy();
    enter(secret, keepIt, withoutDevice, fail);
  });
  fill(ROOT, view);
  document.title = "Sign in - OpenClaw";
  if (error) fail(error);
  else view.querySelector("input[type=password]")?.focus();
}

async function enter(secret, keepIt, withoutDevice, fail) {
  Object.assign(desk, { secret, without: withoutDevice });
  try {
    await connect();
    if (keepIt) keep(secret);
    await welcome(true);
  } catch (error) {
    if (error.code === "NOT_PAIRED" && error.details?.requestId) {
      const again = () => { clearTimeout(retry); enter(secret, keepIt, withoutDevice, fail); };
      if (!document.querySelector(".waiting")) {
        fill(ROOT, waiting(error.details.requestId, await deviceId(), again, () => toSignIn(null)));
        ROOT.querySelector("h1").focus();
      }
      retry = setTimeout(again, 2500);
    } else {
      keep(null);
      if (document.querySelector(".waiting")) toSignIn(error);
      else fail(error);
    }
  }
}

async function deviceId() {
  const { identity } = await import("./identity.js");
  return (await identity()).id;
}

addEventListener("popstate", () => show(true));
addEventListener("resize", () => ROOT.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }));
addEventListener("hashchange", () => {
  const token = fromFragment();
  // A link to this page that is opened while it is shown must not switch the person's credential silently.
  if (token && !desk.shell) enter(token, false, false, (error) => toSignIn(error));
});

const given = fromFragment() ?? kept();
toSignIn(null);
if (given) enter(given, false, false, (error) => toSignIn(error));
