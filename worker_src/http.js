// Requests and responses in one form: JSON in, JSON out, and errors that say what went wrong.

export class HttpError extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
  "access-control-allow-headers": "authorization, content-type",
};

export function json(body, status = 200, headers = {}) {
  return Response.json(body, { status, headers: { ...CORS, ...headers } });
}

export async function readJson(request) {
  let body;
  try {
    body = await request.json();
  } catch {
    throw new HttpError(400, "bad_request", "the body is not JSON");
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new HttpError(400, "bad_request", "the body must be a JSON object");
  }
  return body;
}

// Runs a handler and turns what it throws into a response; unknown errors show no details.
export async function respond(handle) {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof HttpError) {
      return json({ error: { code: error.code, message: error.message } }, error.status, error.headers);
    }
    console.error(error.stack ?? String(error));
    return json({ error: { code: "internal", message: "the request failed; see the Worker's log" } }, 500);
  }
}
