"""OpenAI's own client against a gateway: prints what it understood, as JSON. Arguments: base URL, secret."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], timeout=30)
out = {}
messages = [{"role": "system", "content": "be short"}, {"role": "user", "content": "hello"}]
whole = client.chat.completions.create(model="openclaw", messages=messages, user="ada")
out["completion"] = [whole.choices[0].message.content, whole.choices[0].finish_reason, whole.usage.total_tokens]
stream = client.chat.completions.create(
    model="openclaw:ops", messages=messages, stream=True, stream_options={"include_usage": True}
)
chunks = list(stream)
out["chunks"] = ["".join(c.choices[0].delta.content or "" for c in chunks if c.choices), chunks[-1].usage.completion_tokens]
response = client.responses.create(model="openclaw", instructions="be short", input="hello")
out["response"] = [response.output_text, response.status, response.usage.output_tokens]
with client.responses.stream(model="openclaw", input=[{"role": "user", "content": "hello"}]) as events:
    kinds = [event.type for event in events]
    final = events.get_final_response()
out["events"] = [final.output_text, kinds[0], kinds[-1]]
errors = {}
for name, ask in {
    "tools": lambda: client.chat.completions.create(
        model="openclaw", messages=messages, tools=[{"type": "function", "function": {"name": "x"}}]
    ),
    "agent": lambda: client.responses.create(model="openclaw:nobody", input="hello"),
    "secret": lambda: openai.OpenAI(base_url=sys.argv[1], api_key="wrong", max_retries=0).responses.create(
        model="openclaw", input="hello"
    ),
    "model": lambda: client.chat.completions.create(
        model="openclaw", messages=[{"role": "user", "content": "canary-break"}]
    ),
}.items():
    try:
        ask()
    except openai.APIStatusError as error:
        errors[name] = [type(error).__name__, error.status_code, (error.body or {}).get("code")]
out["errors"] = errors
print(json.dumps(out))
