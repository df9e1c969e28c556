// Bearer tokens, compared in constant time.
import { HttpError } from "./http.js";

async function digest(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

export async function requireToken(request, token) {
  const header = request.headers.get("authorization") ?? "";
  const given = header.startsWith("Bearer ") ? header.slice(7) : "";
  const [a, b] = await Promise.all([digest(given), digest(token ?? "")]);
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  if (!token || difference !== 0) {
    throw new HttpError(401, "unauthorized", "send the API token as `Authorization: Bearer …`");
  }
}
