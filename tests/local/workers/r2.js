// Runs the step that the request's body names on the bucket; a failure is answered as its message.

const STEPS = {};
const plain = (o) => o && { key: o.key, size: o.size, etag: o.etag, body: "body" in o, http: o.httpMetadata, custom: o.customMetadata,
  range: o.range };
const text = (o) => (o && "body" in o ? o.text() : null);
const steps = {
  async createOnly(b) {
    const onlyIf = () => new Headers({ "If-None-Match": "*" });
    const first = await b.put("once", "first", { onlyIf: onlyIf() });
    const second = await b.put("once", "second", { onlyIf: onlyIf() });
    return [plain(first).size, second, await text(await b.get("once"))];
  },
  async compareAndSwap(b) {
    const made = await b.put("swap", "1");
    const wrong = await b.put("swap", "x", { onlyIf: { etagMatches: "abc" } });
    const right = await b.put("swap", "22", { onlyIf: { etagMatches: made.etag } });
    return [wrong, plain(right).size, await text(await b.get("swap"))];
  },
  async conditionalGet(b) {
    const made = await b.put("seen", "text");
    const answers = [
      await b.get("seen", { onlyIf: { etagDoesNotMatch: made.etag } }),
      await b.get("seen", { onlyIf: new Headers({ "If-None-Match": made.httpEtag }) }),
      await b.get("seen", { onlyIf: { uploadedAfter: new Date(Date.now() + 1e6) } }),
      await b.get("seen", { onlyIf: { etagMatches: made.etag } }),
    ];
    return answers.map((o) => plain(o).body);
  },
  async ranges(b) {
    await b.put("digits", "0123456789");
    const by = async (range) => text(await b.get("digits", { range }));
    return [await by(new Headers({ range: "bytes=1-3" })), await by(new Headers({ range: "bytes=-2" })),
      await by(new Headers({ range: "bytes=7-" })), await by({ offset: 2, length: 3 }), await by({ suffix: 4 }), await by({ offset: 8, length: 100 })];
  },
  async rangeOutside(b) {
    await b.put("digits", "0123456789");
    return text(await b.get("digits", { range: { offset: 50 } }));
  },
  async delimiter(b) {
    for (const key of ["d/a", "d/b", "d/sub/1", "d/sub/2", "d/z"]) await b.put(key, "v");
    const found = await b.list({ prefix: "d/", delimiter: "/" });
    return [found.objects.map((o) => o.key), found.delimitedPrefixes];
  },
  async pages(b) {
    for (const n of [1, 2, 3, 4, 5]) await b.put(`p/${n}`, "v", { customMetadata: { n: String(n) } });
    const keys = [];
    let page = await b.list({ prefix: "p/", limit: 2, include: ["customMetadata"] });
    for (;;) {
      keys.push(...page.objects.map((o) => [o.key, o.customMetadata.n]));
      if (!page.truncated) return [keys, (await b.list({ prefix: "p/", startAfter: "p/3" })).objects.map((o) => o.key)];
      page = await b.list({ prefix: "p/", limit: 2, cursor: page.cursor, include: ["customMetadata"] });
    }
  },
  async metadata(b) {
    const http = { contentType: "text/plain", contentLanguage: "ja", cacheControl: "no-store", cacheExpiry: new Date(1e12) };
    await b.put("noted", "v", { httpMetadata: http, customMetadata: { 名: "日本" } });
    const headers = new Headers();
    const found = await b.head("noted");
    found.writeHttpMetadata(headers);
    return [plain(found).custom, Object.fromEntries(headers)];
  },
  async checksums(b) {
    const sha256 = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("v"));
    const made = await b.put("summed", "v", { sha256 });
    return [made.checksums.toJSON(), (await b.head("summed")).checksums.toJSON().sha256.length];
  },
  async wrongChecksum(b) { return b.put("bad", "v", { md5: "0".repeat(32) }); },
  async wrongSha(b) { return b.put("bad", "v", { sha1: "0".repeat(40) }); },
  async longKey(b) { return b.put("k".repeat(1025), "v"); },
  async longestKey(b) { return (await b.put("k".repeat(1024), "v")).key.length; },
  async muchMetadata(b) { return b.put("m", "v", { customMetadata: { a: "x".repeat(8192) } }); },
  async metadataThatFits(b) { return (await b.put("m", "v", { customMetadata: { a: "x".repeat(3000) } })).size; },
  async multipart(b) {
    const part = new Uint8Array(5 * 1024 * 1024).fill(97);
    const upload = await b.createMultipartUpload("big", { customMetadata: { of: "parts" } });
    const one = await upload.uploadPart(1, part);
    const two = await b.resumeMultipartUpload("big", upload.uploadId).uploadPart(2, "end");
    const made = await upload.complete([one, two]);
    const tail = await b.get("big", { range: { suffix: 5 } });
    return [made.size, made.etag.endsWith("-2"), made.customMetadata, await tail.text()];
  },
  async smallPart(b) {
    const upload = await b.createMultipartUpload("small");
    const parts = [await upload.uploadPart(1, "a"), await upload.uploadPart(2, "b")];
    return upload.complete(parts);
  },
  async aborted(b) {
    const upload = await b.createMultipartUpload("never");
    await upload.uploadPart(1, "a");
    await upload.abort();
    return upload.uploadPart(2, "b");
  },
  async deleteMany(b) {
    for (const key of ["x1", "x2", "x3"]) await b.put(key, "v");
    await b.delete(["x1", "x3", "nothing"]);
    return (await b.list({ prefix: "x" })).objects.map((o) => o.key);
  },
  async streamed(b) {
    const { readable, writable } = new FixedLengthStream(10);
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("0123456789"));
    writer.close();
    await b.put("stream", readable);
    return text(await b.get("stream"));
  },
  async empty(b) {
    await b.put("nothing", null);
    return [(await b.head("nothing")).size, await text(await b.get("nothing")), await b.get("absent"), await b.head("absent")];
  },
  async write(b, value) { return plain(await b.put("value", value)).size; },
  async read(b) { return text(await b.get("value")); },
};
export default {
  async fetch(request, env) {
    const { step, value } = await request.json();
    try {
      return Response.json({ value: (await steps[step](env.BUCKET, value)) ?? null });
    } catch (error) {
      return Response.json({ error: error.message });
    }
  },
};
