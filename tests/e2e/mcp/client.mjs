// The official TypeScript SDK as a client: one order a line in, one answer a line out.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const given = JSON.parse(process.argv[2]);
const require = createRequire(`${given.modules}/package.json`);
const from = async (path) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${path}`)).href);
const { Client } = await from("client/index.js");
const { StdioClientTransport } = await from("client/stdio.js");
const { StreamableHTTPClientTransport } = await from("client/streamableHttp.js");

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const failure = (e) => ({ error: { code: e?.code ?? 0, message: String(e?.message ?? e) } });

let transport;
if (given.url) {
  const requestInit = { headers: { Authorization: `Bearer ${given.token}` } };
  transport = new StreamableHTTPClientTransport(new URL(given.url), { requestInit });
} else {
  const { command, args, env, cwd } = given;
  transport = new StdioClientTransport({ command, args, env, cwd });
}
const client = new Client({ name: "peer", version: "1" });
const running = [];

const orders = {
  list: async () => (await client.listTools()).tools,
  call: (o) => client.callTool({ name: o.name, arguments: o.arguments }),
  begin: async (o) => {
    const abort = new AbortController();
    const call = client.callTool({ name: o.name, arguments: o.arguments }, undefined, { signal: abort.signal });
    call.catch(() => {});
    running.push({ abort, call });
    return null;
  },
  finish: () => running.pop().call,
  cancel: async () => {
    const { abort, call } = running.pop();
    abort.abort("nobody wants it");
    await call.catch(() => {});
    return null;
  },
  resources: async () => (await client.listResources()).resources,
  read: (o) => client.readResource({ uri: o.uri }),
  prompts: async () => (await client.listPrompts()).prompts,
  prompt: (o) => client.getPrompt({ name: o.name, arguments: o.arguments }),
};

try {
  await client.connect(transport);
  say({ ok: { serverInfo: client.getServerVersion(), capabilities: client.getServerCapabilities() } });
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    try {
      say({ ok: (await orders[order.do](order)) ?? null });
    } catch (e) {
      say(failure(e));
    }
  }
  await client.close();
} catch (e) {
  say(failure(e));
  process.exit(1);
}
