// R2: what is refused, and in which words.
import { each } from "./describe.js";

const streamOf = (value) => new Response(value).body;
const fixed = (value, length) => {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  writer.write(new TextEncoder().encode(value)).then(() => writer.close()).catch(() => {});
  return readable;
};

export default {
  "R2Bucket.put of no value": async ({ R2 }) =>
    each(
      () => R2.put("x"), () => R2.put("x", undefined), () => R2.put("x", {}), () => R2.put("x", 5), () => R2.put("x", [1]), () => R2.put("x", true),
      () => R2.put("x", new TransformStream().readable), () => R2.put("x", fixed("abc", 3)), () => R2.put("x", streamOf("abc")), () => R2.put("x", new Date(0)),
    ),
  "R2Bucket.put of no key": async ({ R2 }) =>
    each(
      () => R2.put("", "v"), () => R2.put("k".repeat(1024), "v").then((o) => o.size), () => R2.put("k".repeat(1025), "v"), () => R2.put(null, "v"), () => R2.put(),
      () => R2.put("a/../b?c#d%", "v").then((o) => o.key), () => R2.put("\ud800", "v").then((o) => o.key), () => R2.put(".", "v").then((o) => o.key), () => R2.put("/", "v").then((o) => o.key),
    ),
  "R2Bucket.put options": async ({ R2 }) =>
    each(
      () => R2.put("o", "v", { httpMetadata: "x" }), () => R2.put("o", "v", { customMetadata: "x" }), () => R2.put("o", "v", { customMetadata: { a: 5 } }),
      () => R2.put("o", "v", { onlyIf: "x" }), () => R2.put("o", "v", { httpMetadata: { cacheExpiry: "x" } }), () => R2.put("o", "v", null), () => R2.put("o", "v", "x"),
      () => R2.put("o", "v", { ssecKey: "short" }), () => R2.put("o", "v", { ssecKey: "00".repeat(32) }), () => R2.get("o"), () => R2.get("o", { ssecKey: "11".repeat(32) }),
      () => R2.get("o", { ssecKey: new Uint8Array(32).buffer }).then((o) => o.text()), () => R2.head("o"),
    ),
  "R2Bucket.put metadata of 2 KiB": async ({ R2 }) => each(() => R2.put("o", "v", { customMetadata: { a: "x".repeat(2047) } }).then(() => true)),
  "R2Bucket.put metadata of 4 KiB": async ({ R2 }) => each(() => R2.put("o", "v", { customMetadata: { a: "x".repeat(4096) } }).then(() => true)),
  "R2Bucket.put metadata of 9 KiB": async ({ R2 }) => each(() => R2.put("o", "v", { customMetadata: { a: "x".repeat(9216) } }).then(() => true)),
  "R2Bucket.get of no key": async ({ R2 }) => each(() => R2.get(""), () => R2.get(), () => R2.get(null), () => R2.get("k".repeat(1025)), () => R2.get({}), () => R2.get("x", "y"), () => R2.get("x", { range: "y" })),
  "R2Bucket.head of no key": async ({ R2 }) => each(() => R2.head(""), () => R2.head(), () => R2.head("k".repeat(1025)), () => R2.head({})),
  "R2Bucket.delete of no key": async ({ R2 }) =>
    each(
      () => R2.delete(""), () => R2.delete(), () => R2.delete(null), () => R2.delete("k".repeat(1025)), () => R2.delete([""]), () => R2.delete([1]), () => R2.delete({}),
      () => R2.delete(Array.from({ length: 1000 }, (_, i) => `d${i}`)), () => R2.delete(Array.from({ length: 1001 }, (_, i) => `d${i}`)),
    ),
  "R2Bucket.list wrongly": async ({ R2 }) =>
    each(
      () => R2.list({ limit: 0 }), () => R2.list({ limit: 1001 }), () => R2.list({ limit: -1 }), () => R2.list({ limit: "x" }), () => R2.list({ include: ["x"] }), () => R2.list({ include: "x" }),
      () => R2.list({ prefix: "p".repeat(1025) }), () => R2.list({ prefix: "none", delimiter: "" }), () => R2.list("x").then((list) => typeof list.truncated), () => R2.list({ prefix: "none", limit: 1.5 }),
      () => R2.list({ prefix: "none", startAfter: "" }),
    ),
  "R2Bucket.createMultipartUpload wrongly": async ({ R2 }) =>
    each(
      () => R2.createMultipartUpload(""), () => R2.createMultipartUpload(), () => R2.createMultipartUpload("k".repeat(1025)), () => R2.createMultipartUpload("x", "y"),
      () => R2.createMultipartUpload("x", { httpMetadata: 5 }), () => R2.createMultipartUpload("x", { storageClass: "Other" }), () => R2.createMultipartUpload("x", { ssecKey: "short" }),
    ),
  "R2Bucket.resumeMultipartUpload wrongly": async ({ R2 }) =>
    each(() => R2.resumeMultipartUpload(), () => R2.resumeMultipartUpload("x"), () => R2.resumeMultipartUpload("", "").uploadPart(1, "x"), () => R2.resumeMultipartUpload("x", "é").uploadPart(1, "x")),
};
