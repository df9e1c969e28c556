// A page to try the Worker in a browser, in front of its routes, of which it hides none. The files are in the code, so that
// they go out and come back with a version.

/** @typedef {Record<string, [type: string, text: string]>} Files by path */

const INDEX = "/page/index.html";
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-cache",
};

/** Programs ask `/` for the list of endpoints, browsers for a page. @param {Request} request */
function isBrowser(request) {
  return (request.headers.get("accept") ?? "").includes("text/html");
}

/** The file that is asked for. @param {Request} request @param {string} pathname its @param {Files} files @returns {Response | null} */
function fileOf(request, pathname, files) {
  if (!["GET", "HEAD"].includes(request.method)) return null;
  const path = pathname === "/page/" || (pathname === "/" && isBrowser(request)) ? INDEX : pathname;
  if (!Object.hasOwn(files, path)) return null;
  const [type, text] = files[path];
  return new Response(request.method === "HEAD" ? null : text, { headers: { ...HEADERS, "content-type": type } });
}

/**
 * The same service with the page: `GET /` for browsers, and the files under `/page/`. They are public and hold nothing.
 * @template Env
 * @param {{ fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> }} service
 * @param {Files} files
 * @returns {{ fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> }}
 */
export function withPage(service, files) {
  return {
    async fetch(request, env, context) {
      const { pathname } = new URL(request.url);
      const response = fileOf(request, pathname, files) ?? (await service.fetch(request, env, context));
      if (pathname === "/") response.headers.append("vary", "accept");
      return response;
    },
  };
}
