"""The official Python SDK as a client: one order a line in, one answer a line out."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

import httpx2
from mcp import ClientSession, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def connect(stack, given):
    if "url" in given:
        headers = {"Authorization": f"Bearer {given['token']}"}
        client = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
        streams = await stack.enter_async_context(streamable_http_client(given["url"], http_client=client))
    else:
        server = StdioServerParameters(
            command=given["command"], args=given["args"], env=given["env"], cwd=given["cwd"]
        )
        streams = await stack.enter_async_context(stdio_client(server))
    return await stack.enter_async_context(ClientSession(streams[0], streams[1]))


async def answer(session, running, order):
    do = order["do"]
    if do == "list":
        return [plain(tool) for tool in (await session.list_tools()).tools]
    if do == "call":
        return plain(await session.call_tool(order["name"], order["arguments"]))
    if do == "begin":
        running.append(asyncio.create_task(session.call_tool(order["name"], order["arguments"])))
        return None
    if do == "finish":
        return plain(await running.pop())
    if do == "cancel":
        task = running.pop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None
    if do == "resources":
        return [plain(r) for r in (await session.list_resources()).resources]
    if do == "read":
        return plain(await session.read_resource(order["uri"]))
    if do == "prompts":
        return [plain(p) for p in (await session.list_prompts()).prompts]
    if do == "prompt":
        return plain(await session.get_prompt(order["name"], order.get("arguments")))
    raise ValueError(do)


async def main():
    given = json.loads(sys.argv[1])
    async with AsyncExitStack() as stack:
        session = await connect(stack, given)
        hello = plain(await session.initialize())
        print(json.dumps({"ok": hello}), flush=True)
        running = []
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            try:
                out = {"ok": await answer(session, running, json.loads(line))}
            except MCPError as e:
                out = {"error": {"code": e.error.code, "message": e.error.message}}
            print(json.dumps(out), flush=True)


try:
    asyncio.run(main())
except BaseException as e:  # noqa: BLE001
    while isinstance(e, BaseExceptionGroup):
        e = e.exceptions[0]
    print(json.dumps({"error": {"code": 0, "message": repr(e)}}), flush=True)
    sys.exit(1)
