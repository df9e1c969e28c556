const answer = await fetch("/api/chat", { method: "POST", body: JSON.stringify({ text: "hello" }) });
for await (const part of answer.body.pipeThrough(new TextDecoderStream())) document.body.append(part);
