// What the test has the browser do. Each step answers with what was seen.

import { createServer } from "node:http";
import { NAMES } from "./browser.mjs";

const signedIn = (page) => page.getByRole("navigation", { name: "Pages" }).waitFor();

/** The form: a wrong secret, the right one, a reload that forgets it, the address with a fragment. */
export async function sign_in(browser) {
  const { token } = browser.given;
  const page = await browser.page("first");
  await page.goto(browser.url("audit?gatewayUrl=ws://127.0.0.1:1/"));
  const problems = await browser.look(page, "sign-in");
  const secret = page.getByLabel("Gateway token or password");
  await secret.fill("made-up-and-wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  const refused = await page.getByRole("alert").textContent();
  await secret.fill(token);
  await secret.press("Enter");
  await signedIn(page);
  const stored = () => page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie);
  const unticked = await stored();
  await page.reload();
  await secret.waitFor();
  await secret.fill(token);
  await page.getByLabel("Stay signed in in this tab").check();
  await secret.press("Enter");
  await signedIn(page);
  const ticked = await stored();
  await page.reload();
  await signedIn(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await secret.waitFor();
  const left = await stored();
  await page.goto("about:blank");
  await page.goto(browser.url(`#token=${encodeURIComponent(token)}`));
  await signedIn(page);
  const key = await page.evaluate(() => new Promise((done) => {
    const open = indexedDB.open("openclaw-console");
    open.onsuccess = () => {
      const get = open.result.transaction("keys").objectStore("keys").get("device");
      get.onsuccess = () => done({ extractable: get.result.privateKey.extractable, algorithm: get.result.privateKey.algorithm.name });
    };
  }));
  return { problems, refused, unticked, ticked, left, address: page.url(), history: await page.evaluate(() => history.length), key };
}

/** Looks at a page in light, dark, and on a phone. `wait`: a text that has to be there. */
export async function look(browser, { name, path, wait }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: new RegExp(`^${name}`) }).click();
  await page.getByText(wait).first().waitFor();
  if (path && !page.url().endsWith(path)) throw new Error(`the address is ${page.url()}`);
  const focus = await page.evaluate(() => document.activeElement?.tagName);
  return { problems: await browser.look(page, path), focus };
}

/** Waits for a command to appear and answers it, with the keyboard alone. */
export async function answer(browser, { command, verb, picture }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Approvals/ }).click();
  const card = page.getByRole("article").filter({ hasText: command });
  await card.waitFor();
  const shown = await card.locator("pre").first().innerText();
  const problems = picture ? await browser.look(page, picture) : [];
  const button = card.getByRole("button", { name: verb, exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  await card.waitFor({ state: "detached" });
  return { shown, problems };
}

/** Another browser on another machine signs in, waits, is approved by the first one, and goes on by itself. */
export async function pair(browser) {
  const other = await browser.page("other");
  await other.goto(browser.url(`#token=${encodeURIComponent(browser.given.token)}`, NAMES.other));
  await other.getByRole("heading", { name: "Approve this browser" }).waitFor();
  const asked = await other.locator("pre").innerText();
  await browser.keep("pairing-other", "other");
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Access/ }).click();
  const approve = page.getByRole("button", { name: "Approve Web console" });
  await approve.waitFor();
  const problems = await browser.look(page, "access-asking");
  await approve.click();
  await signedIn(other);
  return { asked, problems: [...problems, ...(await browser.judge(other))] };
}

/** A person at a channel is let in by the code. */
export async function let_in(browser, { name, id }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Access/ }).click();
  await page.getByRole("button", { name: `Let in ${name}` }).click();
  await page.getByRole("region", { name: "People let in by a code" }).getByText(id).waitFor();
}

/** The audit's fixes: what would change, then exactly that; and back. */
export async function fix(browser) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Audit/ }).click();
  await page.getByRole("button", { name: "Show the safe fixes" }).click();
  const difference = await page.getByLabel("the difference").innerText();
  const problems = await browser.look(page, "audit-fix");
  await page.getByRole("button", { name: "Apply exactly this" }).click();
  await page.getByRole("button", { name: "Undo the last fix" }).waitFor();
  return { difference, problems };
}

export async function undo(browser) {
  const page = await browser.page("first");
  await page.getByRole("button", { name: "Undo the last fix" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Undo the last fix" }).waitFor({ state: "detached" });
}

/** Asks for an explanation, and follows the first change that is offered. */
export async function explain(browser, { subject, fields, choices }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Explain/ }).click();
  await page.locator("fieldset").getByText(subject, { exact: true }).click();
  for (const [name, value] of Object.entries(choices ?? {})) await page.getByLabel(name, { exact: true }).selectOption(value);
  for (const [name, value] of Object.entries(fields ?? {})) await page.getByRole("textbox", { name, exact: true }).fill(value);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.locator(".answer").waitFor();
  const verdict = await page.locator(".answer .badge").innerText();
  const problems = await browser.look(page, `explain-${subject.toLowerCase()}`);
  let after = null;
  const follow = page.getByRole("button", { name: "Ask with this" }).first();
  if (await follow.count()) {
    const first = await page.locator(".answer").innerText();
    await follow.click();
    await page.waitForFunction((old) => document.querySelector(".answer") && document.querySelector(".answer").innerText !== old, first);
    after = await page.locator(".answer .badge").innerText();
  }
  return { verdict, after, problems };
}

export async function session(browser, { title }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Sessions/ }).click();
  await page.getByRole("link", { name: title }).click();
  await page.locator(".chat").waitFor();
  const text = await page.locator(".chat").innerText();
  const problems = await browser.look(page, "session");
  await page.goBack();
  await page.getByRole("link", { name: title }).waitFor();
  return { text, problems };
}

/** A conversation with the keyboard: an answer, a command that is denied in it, an answer that is stopped. */
export async function chat(browser, { session, earlier }) {
  const page = await browser.page("first");
  await page.getByRole("link", { name: /^Chat/ }).click();
  const choice = page.getByLabel("Session", { exact: true });
  await choice.waitFor();
  const option = choice.locator("option").filter({ hasText: session });
  await choice.selectOption(await option.getAttribute("value"));
  const log = page.getByRole("log", { name: "Conversation" });
  await log.getByText(earlier).waitFor();
  const box = page.getByRole("textbox", { name: "Message" });
  const say = async (text) => {
    await box.focus();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
  };
  await say("hello from the console");
  await log.getByText("Good day from the model").waitFor();
  const bold = await log.locator("b").count();
  await say("please run it");
  const card = page.getByRole("article").filter({ hasText: "canary-of-the-chat" });
  await card.waitFor();
  const shown = await card.locator("pre").first().innerText();
  const problems = await browser.look(page, "chat-asking");
  await card.getByRole("button", { name: "Deny", exact: true }).focus();
  await page.keyboard.press("Enter");
  await log.getByText("So it did not run.").waitFor();
  await say("and now never end");
  await log.getByText("Goi").waitFor();
  problems.push(...(await browser.look(page, "chat-answering")));
  await page.getByRole("button", { name: "Stop", exact: true }).focus();
  await page.keyboard.press("Enter");
  await log.getByText("Stopped.").waitFor();
  const focus = await page.evaluate(() => document.activeElement?.tagName);
  const text = await log.innerText();
  problems.push(...(await browser.look(page, "chat")));
  return { problems, text, shown, bold, focus };
}

export async function health(browser) {
  const page = await browser.page("first");
  await page.getByRole("button", { name: /show details/ }).click();
  await page.getByRole("dialog").getByText("Connected").waitFor();
  const text = await page.getByRole("dialog").innerText();
  const problems = await browser.look(page, "health");
  await page.keyboard.press("Escape");
  return { text, problems };
}

const BY_HAND = ({ port, token }) => new Promise((done) => {
  const seen = { frames: [], close: null };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    seen.frames.push(frame);
    if (frame.event !== "connect.challenge") return;
    const client = { id: "openclaw-control-ui", version: "1", platform: "web", mode: "ui" };
    socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: { minProtocol: 3, maxProtocol: 3, client, role: "operator", auth: { token } } }));
  };
  socket.onclose = ({ code, reason }) => done({ ...seen, close: code, reason });
});

/** A page of a foreign origin, with the right secret, and the console under a name that was rebound to this machine. */
export async function foreign(browser) {
  const server = createServer((_, answer) => answer.end("<!doctype html><title>foreign</title><p>A page of somebody else.</p>"));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    const page = await browser.page("foreign");
    await page.goto(`http://${NAMES.foreign}:${server.address().port}/`);
    const cross = await page.evaluate(BY_HAND, browser.given);
    await page.goto(browser.url("approvals", NAMES.rebound));
    const list = await page.locator(".blocked > ol").innerText();
    const problems = await browser.look(page, "insecure");
    const rebound = await page.evaluate(BY_HAND, browser.given);
    await page.getByText("Break glass").click();
    await page.getByLabel("Gateway token or password").fill(browser.given.token);
    await page.getByRole("button", { name: /sign in without a device/ }).click();
    const said = await page.getByRole("alert").textContent();
    await browser.keep("refused-origin", "foreign");
    return { cross, rebound, list, said, problems };
  } finally {
    server.close();
  }
}

/** The gateway went away and came back. */
export async function returned(browser) {
  const page = await browser.page("first");
  await page.getByRole("button", { name: /^Healthy/ }).waitFor({ timeout: 40_000 });
}

/** Everything that a page logged as an error or a warning, and every address that was asked for. */
export async function sum(browser) {
  return { complaints: browser.complaints, requests: browser.requests };
}
