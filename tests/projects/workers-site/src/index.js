import { getAssetFromKV, NotFoundError } from "@cloudflare/kv-asset-handler";
import manifestJSON from "__STATIC_CONTENT_MANIFEST";

const ASSET_MANIFEST = JSON.parse(manifestJSON);

export default {
  async fetch(request, env, ctx) {
    const event = { request, waitUntil: (promise) => ctx.waitUntil(promise) };
    try {
      return await getAssetFromKV(event, { ASSET_NAMESPACE: env.__STATIC_CONTENT, ASSET_MANIFEST });
    } catch (error) {
      if (error instanceof NotFoundError) return new Response("no such file", { status: 404 });
      throw error;
    }
  },
};
