addEventListener("fetch", (event) => {
  event.respondWith(answer(event));
});

addEventListener("scheduled", (event) => {
  event.waitUntil(LINKS.put("last", event.cron));
});

async function answer(event) {
  const name = new URL(event.request.url).pathname.slice(1);
  if (!name) return new Response(HOME);
  if (event.request.method === "PUT") {
    await LINKS.put(name, await event.request.text());
    event.waitUntil(LINKS.put(`${name}-kept`, "yes"));
    return new Response("kept", { status: 201 });
  }
  const to = await LINKS.get(name);
  return to ? Response.redirect(to, 302) : new Response("no such link", { status: 404 });
}
