// Drives the console in Debian's Chromium for `console.rs`: one JSON object a line on standard input says what to do, one on standard
// output says what came of it. It decides nothing; the test does.
//
//   node drive.mjs '{"modules":DIR,"chromium":PATH,"port":N,"token":T,"artifacts":DIR}'

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import * as steps from "./steps.mjs";

const given = JSON.parse(process.argv[2]);
const require = createRequire(join(given.modules, "package.json"));
mkdirSync(given.artifacts, { recursive: true });
const browser = await Browser.start(require, given);
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

answer({ ready: browser.version });
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line);
  try {
    answer({ ok: (await steps[name](browser, rest)) ?? true });
  } catch (error) {
    await browser.keep("failure").catch(() => {});
    answer({ error: `${name}: ${error.message}` });
  }
}
await browser.end();
