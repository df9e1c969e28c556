// R2: buckets, objects, multipart uploads.
import { each } from "./describe.js";
import wrong from "./r2_wrong.js";

const filled = async (bucket, prefix, names) => {
  for (const name of names) await bucket.put(prefix + name, name, { httpMetadata: { contentType: "text/x" }, customMetadata: { n: name } });
};
const streamOf = (value) => new Response(value).body;

export default {
  ...wrong,
  "R2Bucket.put values": async ({ R2 }) => {
    const back = async (value, options) => {
      const put = await R2.put("value", value, options);
      return [put, await (await R2.get("value")).text()];
    };
    return each(
      () => back("text"), () => back(""), () => back(null), () => back(new Uint8Array([65, 66])), () => back(new Uint8Array([65]).buffer),
      () => back(new Blob(["blob"], { type: "text/blob" })), () => back(new Response("body").body),
    );
  },
  "R2Bucket.put metadata": async ({ R2 }) =>
    each(
      () => R2.put("meta", "v", {
        httpMetadata: {
          contentType: "text/plain", contentLanguage: "de", contentDisposition: "inline", contentEncoding: "identity",
          cacheControl: "no-cache", cacheExpiry: new Date(1_800_000_000_000),
        },
        customMetadata: { A: "1", "ü": "é", empty: "" },
      }),
      () => R2.put("headers", "v", { httpMetadata: new Headers({ "content-type": "a/b", "x-other": "1", expires: "Fri, 15 Jan 2027 08:00:00 GMT" }) }),
      () => R2.put("storage", "v", { storageClass: "InfrequentAccess" }), () => R2.put("storage", "v", { storageClass: "Standard" }),
      () => R2.put("storage", "v", { storageClass: "Other" }),
    ),
  "R2Bucket.put checksums": async ({ R2 }) =>
    each(
      () => R2.put("sum", "abc", { md5: "900150983cd24fb0d6963f7d28e17f72" }), () => R2.put("sum", "abc", { md5: "00000000000000000000000000000000" }),
      () => R2.put("sum", "abc", { sha1: "a9993e364706816aba3e25717850c26c9cd0d89d" }),
      () => R2.put("sum", "abc", { sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }),
      () => R2.put("sum", "abc", { sha256: "00" }), () => R2.put("sum", "abc", { md5: "xyz" }), () => R2.put("sum", "abc", { md5: new Uint8Array(16) }),
      () => R2.put("sum", "abc", { md5: "900150983cd24fb0d6963f7d28e17f72", sha1: "a9993e364706816aba3e25717850c26c9cd0d89d" }),
    ),
  "R2Bucket.put on a condition": async ({ R2 }) => {
    const { etag } = await R2.put("condition", "v");
    return each(
      () => R2.put("condition", "w", { onlyIf: { etagMatches: "other" } }), () => R2.put("condition", "w", { onlyIf: { etagMatches: etag } }),
      () => R2.put("condition", "w", { onlyIf: { etagDoesNotMatch: "*" } }), () => R2.put("fresh", "w", { onlyIf: { etagDoesNotMatch: "*" } }),
      () => R2.put("condition", "w", { onlyIf: { uploadedBefore: new Date(0) } }), () => R2.put("condition", "w", { onlyIf: { uploadedAfter: new Date(0) } }),
      () => R2.put("condition", "w", { onlyIf: new Headers({ "if-match": '"x"' }) }), () => R2.put("condition", "w", { onlyIf: new Headers({ "if-match": "x" }) }),
      () => R2.put("condition", "w", { onlyIf: {} }),
    );
  },
  "R2Bucket.get": async ({ R2 }) => {
    await R2.put("get", "0123456789", { customMetadata: { a: "b" } });
    return each(() => R2.get("get"), () => R2.get("none"), () => R2.get("get", {}), () => R2.get("get", { ssecKey: "00".repeat(32) }));
  },
  "R2Bucket.get ranges": async ({ R2 }) => {
    await R2.put("range", "0123456789");
    const part = async (range) => {
      const object = await R2.get("range", { range });
      return [object.range, object.size, await object.text()];
    };
    return each(
      () => part({ offset: 2, length: 3 }), () => part({ offset: 8 }), () => part({ length: 4 }), () => part({ suffix: 3 }), () => part({ suffix: 30 }),
      () => part({ offset: 8, length: 30 }), () => part({ offset: 10 }), () => part({ offset: -1 }), () => part({ length: 0 }), () => part({ suffix: 0 }),
      () => part({ suffix: 2, offset: 1 }), () => part({}), () => part(new Headers({ range: "bytes=1-2" })), () => part(new Headers({ range: "bytes=-2" })),
      () => part(new Headers({ range: "bytes=7-" })), () => part(new Headers({ range: "nonsense" })), () => part(new Headers({ range: "bytes=1-2,4-5" })),
      () => part({ offset: "1" }), () => part({ offset: 1.5 }), () => part({ offset: NaN }),
    );
  },
  "R2Bucket.get on a condition": async ({ R2 }) => {
    const { etag, httpEtag } = await R2.put("if", "v");
    const got = async (onlyIf) => {
      const object = await R2.get("if", { onlyIf });
      return [object.constructor.name, "body" in object];
    };
    return each(
      () => got({ etagMatches: etag }), () => got({ etagMatches: "x" }), () => got({ etagDoesNotMatch: etag }), () => got({ etagDoesNotMatch: "x" }),
      () => got({ uploadedBefore: new Date(0) }), () => got({ uploadedAfter: new Date(0) }), () => got({ uploadedAfter: new Date(4e12), secondsGranularity: true }),
      () => got(new Headers({ "if-none-match": httpEtag })), () => got(new Headers({ "if-match": httpEtag })), () => got({ etagMatches: '"quoted"' }),
      () => got(new Headers({ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })), () => got(new Headers({ "if-none-match": "*" })), () => got("x"),
    );
  },
  "R2Bucket.head": async ({ R2 }) => {
    await R2.put("head", "12345", { customMetadata: { a: "b" } });
    return each(() => R2.head("head"), () => R2.head("none"));
  },
  "R2Bucket.delete": async ({ R2 }) => {
    await filled(R2, "delete-", ["a", "b", "c"]);
    return each(
      () => R2.delete("delete-a"), () => R2.delete(["delete-b", "delete-c", "delete-none"]), () => R2.delete("delete-a"), () => R2.delete([]),
      () => R2.list({ prefix: "delete-" }),
    );
  },
  "R2Bucket.list": async ({ R2 }) => {
    await filled(R2, "list/", ["b", "a/1", "a/2", "a", "é", "z/9"]);
    const first = await R2.list({ prefix: "list/", limit: 2 });
    const names = (options) => async () => {
      const list = await R2.list(options);
      return [list.objects.map((object) => object.key), list.truncated, list.delimitedPrefixes, typeof list.cursor];
    };
    return each(
      () => R2.list({ prefix: "list/", limit: 1 }).then(({ cursor, ...list }) => [list, typeof cursor]), names({ prefix: "list/", cursor: first.cursor }),
      names({ prefix: "list/", delimiter: "/" }), names({ prefix: "list/", startAfter: "list/a/1" }), names({ prefix: "list/", delimiter: "/", limit: 2 }),
      names({ prefix: "list/", include: ["httpMetadata"] }), () => R2.list({ prefix: "list/a", include: ["customMetadata"] }),
      () => R2.list({ prefix: "list/a", include: ["customMetadata", "httpMetadata"] }), names({ prefix: "none" }), names({ prefix: "list/", delimiter: "a" }),
      names({ prefix: "list/", delimiter: "/1" }), names({ prefix: "list/", cursor: "nonsense" }), names({ prefix: "" , limit: 1 }),
    );
  },
  "R2Bucket.createMultipartUpload": async ({ R2 }) => {
    const upload = await R2.createMultipartUpload("created", { customMetadata: { a: "b" }, httpMetadata: { contentType: "a/b" } });
    const seen = [upload.key, typeof upload.uploadId, upload.uploadId.length > 20, upload];
    const done = await upload.complete([await upload.uploadPart(1, "x")]);
    return [seen, done, await R2.head("created")];
  },
  "R2Bucket.resumeMultipartUpload": async ({ R2 }) => {
    const { key, uploadId } = await R2.createMultipartUpload("resumed");
    const upload = R2.resumeMultipartUpload(key, uploadId);
    const none = R2.resumeMultipartUpload("resumed", "none");
    return each(
      () => [upload.key, upload.uploadId === uploadId], () => upload.uploadPart(1, "abc").then((part) => part.partNumber), () => none.uploadPart(1, "x"),
      () => none.complete([]), () => none.abort(), () => R2.resumeMultipartUpload("other", uploadId).uploadPart(1, "x"),
    );
  },
  "R2MultipartUpload.uploadPart": async ({ R2 }) => {
    const upload = await R2.createMultipartUpload("part");
    const sent = (number, value) => async () => {
      const part = await upload.uploadPart(number, value);
      return [part.partNumber, typeof part.etag, Object.keys(part)];
    };
    return each(
      sent(1, "a"), sent(1, "again"), sent(2, new Uint8Array(3)), sent(3, ""), sent(4, new Blob(["x"])), sent(0, "x"), sent(10_001, "x"), sent("x", "x"),
      sent(1.5, "x"), sent(-1, "x"), sent(5, null), sent(5, undefined), sent(5, {}), sent(5, streamOf("x")),
    );
  },
  "R2MultipartUpload.complete": async ({ R2 }) => {
    const upload = await R2.createMultipartUpload("complete");
    const big = new Uint8Array(5 * 1024 * 1024).fill(65);
    const parts = [await upload.uploadPart(1, big), await upload.uploadPart(2, "end")];
    return each(
      () => upload.complete([{ partNumber: 1, etag: "wrong" }]), () => upload.complete([{ partNumber: 3, etag: parts[0].etag }]), () => upload.complete([parts[0], parts[0]]),
      () => upload.complete("x"), () => upload.complete([{}]), () => upload.complete(), () => upload.complete([parts[1], parts[0]]),
      () => R2.head("complete").then((object) => object?.size), () => upload.complete(parts), () => upload.uploadPart(3, "x"), () => upload.abort(),
    );
  },
  "R2MultipartUpload.complete with nothing": async ({ R2 }) => {
    const upload = await R2.createMultipartUpload("empty");
    return each(() => upload.complete([]), () => R2.head("empty"));
  },
  "R2MultipartUpload.abort": async ({ R2 }) => {
    const upload = await R2.createMultipartUpload("aborted");
    await upload.uploadPart(1, "x");
    return each(() => upload.abort(), () => upload.abort(), () => upload.uploadPart(1, "x"), () => upload.complete([]), () => R2.head("aborted"));
  },
  "R2MultipartUpload.key": async ({ R2 }) => (await R2.createMultipartUpload("key / é?")).key,
  "R2MultipartUpload.uploadId": async ({ R2 }) => typeof (await R2.createMultipartUpload("id")).uploadId,
  "R2Object.writeHttpMetadata": async ({ R2 }) => {
    const object = await R2.put("write", "v", { httpMetadata: { contentType: "a/b", cacheControl: "no-store", cacheExpiry: new Date(1_800_000_000_000) } });
    const headers = new Headers({ "content-type": "old", "x-other": "1" });
    return each(() => object.writeHttpMetadata(headers), () => headers, () => object.writeHttpMetadata(), () => object.writeHttpMetadata({}));
  },
  "R2Object.* fields": async ({ R2 }) => {
    const o = await R2.put("fields", "abc", { customMetadata: { a: "b" } });
    return [
      o.key, typeof o.version, o.version.length, o.size, o.etag, o.httpEtag, o.checksums.toJSON(), o.checksums.md5, o.uploaded instanceof Date, o.httpMetadata, o.customMetadata,
      o.range, o.storageClass, o.ssecKeyMd5, Math.abs(o.uploaded - Date.now()) < 5000,
    ];
  },
  "R2ObjectBody.* read": async ({ R2 }) => {
    await R2.put("read", '{"a":1}', { httpMetadata: { contentType: "text/own" } });
    const got = () => R2.get("read");
    const twice = await got();
    return each(
      async () => (await got()).text(), async () => (await got()).json(), async () => (await got()).arrayBuffer(), async () => (await got()).bytes(),
      async () => (await got()).blob(), async () => (await got()).body, async () => [twice.bodyUsed, await twice.text(), twice.bodyUsed], () => twice.text(),
    );
  },
};
