import { name } from "./assets/name-B1a2.js"; export default { fetch: (request) => Response.json({ name, path: new URL(request.url).pathname }) };
