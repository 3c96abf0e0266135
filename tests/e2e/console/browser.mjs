// One browser, two people in it (contexts share nothing), and what their pages complained about.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Names that the browser looks up at this machine. Nothing leaves it. */
export const NAMES = { other: "console.test", rebound: "rebound.test", foreign: "foreign.test" };

const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

export class Browser {
  static async start(require, given) {
    const { chromium } = require("playwright-core");
    const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
    const rules = Object.values(NAMES).map((name) => `MAP ${name} 127.0.0.1`).join(",");
    const launched = await chromium.launch({
      executablePath: given.chromium,
      headless: true,
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", `--host-resolver-rules=${rules},EXCLUDE 127.0.0.1`,
        // The other machine of the pairing test reaches the gateway by a name; its page counts as secure as over HTTPS.
        `--unsafely-treat-insecure-origin-as-secure=http://${NAMES.other}:${given.port}`,
        // A page that this driver answers for comes from no address, so it may not reach this machine's.
        ...(given.files ? ["--disable-features=LocalNetworkAccessChecks"] : []),
      ],
    });
    return new Browser(launched, given, axe);
  }

  constructor(launched, given, axe) {
    Object.assign(this, { launched, given, axe, version: launched.version(), complaints: [], requests: [], pages: new Map() });
  }

  /** The page of a person: `first` is the one at the gateway's machine. */
  async page(who) {
    if (this.pages.has(who)) return this.pages.get(who);
    const context = await this.launched.newContext({ viewport: WIDE, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    if (this.given.files) await serve(page, this.given);
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) this.complaints.push(`${who}: ${message.text()}`); });
    page.on("pageerror", (error) => this.complaints.push(`${who}: ${error.message}`));
    page.on("request", (request) => this.requests.push({ url: request.url(), referer: request.headers().referer ?? "" }));
    this.pages.set(who, page);
    return page;
  }

  url(path = "", host = "127.0.0.1") {
    return `http://${host}:${this.given.port}/${path}`;
  }

  /** A picture of a page of the first person. */
  async keep(name, who = "first") {
    const page = await this.page(who);
    await page.screenshot({ path: join(this.given.artifacts, `console-${name}.png`), fullPage: true });
  }

  /** Serious and critical violations that axe-core finds, and whether the page is wider than its window. */
  async judge(page) {
    await page.evaluate(this.axe);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const grave = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
    return grave.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
  }

  async look(page, name) {
    const problems = [];
    for (const [look, colorScheme, size] of [["light", "light", WIDE], ["dark", "dark", WIDE], ["phone", "light", PHONE]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(size);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await page.screenshot({ path: join(this.given.artifacts, `console-${name}-${look}.png`), fullPage: true });
      problems.push(...(await this.judge(page)).map((text) => `${name}, ${look}: ${text}`));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) problems.push(`${name}, ${look}: ${over} pixels wider than the window`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(WIDE);
    return problems;
  }

  async end() {
    await this.launched.close();
  }
}

/** Files of a folder instead of those in the program, to work on the pages without building; the policy stays the gateway's. */
async function serve(page, { files, port }) {
  const kinds = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", html: "text/html" };
  await page.route(`http://*:${port}/**`, async (route) => {
    const asked = new URL(route.request().url());
    const answered = await route.fetch({ url: `http://127.0.0.1:${port}${asked.pathname}` });
    const name = asked.pathname.split("/").pop();
    const file = name.includes(".") ? name : "index.html";
    const headers = { ...answered.headers(), "content-type": `${kinds[file.split(".").pop()]}; charset=utf-8` };
    delete headers["content-length"];
    await route.fulfill({ status: 200, headers, body: readFileSync(join(files, file)) });
  });
}
