// The producer's side of Queues, and rate limits.
import { each } from "./describe.js";

// How much waits depends on when the broker last looked; that it is told, and as what, is compared.
const told = (answer) => JSON.stringify(answer, (key, value) => {
  if (key === "oldestMessageTimestamp") return undefined;
  return typeof value === "number" ? "number" : value;
});
const tooBig = (count, size) => Array.from({ length: count }, () => ({ body: "x".repeat(size), contentType: "text" }));

export default {
  "Queue.send": async ({ QUEUE }) => {
    const sent = (...given) => () => QUEUE.send(...given).then(told);
    return each(
      sent("text"), sent({ a: [1, null, "é"] }), sent(5), sent(null), sent(undefined), sent(new Date(0)), sent(new Map([[1, 2]])), sent("x", { contentType: "text" }), sent(new Uint8Array([1]), { contentType: "bytes" }),
      sent(new Uint8Array([1]).buffer, { contentType: "bytes" }), sent({ a: 1 }, { contentType: "json" }), sent("x", { contentType: "v8" }), sent("x", { contentType: "wrong" }), sent(5, { contentType: "text" }), sent("x", { contentType: "bytes" }),
      sent(undefined, { contentType: "json" }), sent(() => 1), sent("x", { delaySeconds: 5 }), sent("x", { delaySeconds: 0 }), sent("x", { delaySeconds: -1 }), sent("x", { delaySeconds: 43_201 }), sent("x", { delaySeconds: 86_400 }), sent("x", { delaySeconds: 86_401 }), sent("x", { delaySeconds: 1.5 }),
      sent("x", { delaySeconds: "x" }), sent("x".repeat(127_000), { contentType: "text" }), sent("x".repeat(128_000), { contentType: "text" }), sent("x".repeat(128_001), { contentType: "text" }), sent("x", null), sent("x", "y"), sent(), sent({ f() {} }), sent(Symbol.iterator),
    );
  },
  "Queue.sendBatch": async ({ QUEUE }) => {
    const sent = (...given) => () => QUEUE.sendBatch(...given).then(told);
    return each(
      sent([{ body: "a" }, { body: { b: 1 }, contentType: "json" }, { body: new Uint8Array([1]), contentType: "bytes", delaySeconds: 3 }]), sent([{ body: "a" }], { delaySeconds: 5 }), sent([]), sent(), sent("x"), sent([1]), sent([{}]), sent({}),
      sent([{ body: "a", contentType: "wrong" }]), sent([{ body: "a", delaySeconds: -1 }]), sent([{ body: "a" }], { delaySeconds: -1 }), sent([{ body: "a" }], { delaySeconds: 86_401 }), sent([{ body: "a", delaySeconds: 86_401 }]), sent(Array(100).fill({ body: 1 })), sent(Array(101).fill({ body: 1 })),
      sent(tooBig(2, 127_000)), sent(tooBig(3, 100_000)), sent(tooBig(1, 128_001)), sent(new Set([{ body: "a" }])), sent([{ body: 5, contentType: "text" }]), sent([{ body: () => 1 }]),
    );
  },
  "Queue.metrics": async ({ QUEUE }) => told(await QUEUE.metrics()),
  "RateLimit.limit": async ({ RATE }) => {
    const asked = (...given) => () => RATE.limit(...given);
    return each(
      asked({ key: "a" }), asked({ key: "a" }), asked({ key: "a" }), asked({ key: "b" }), asked({ key: "" }), asked({ key: "é" }), asked(), asked(null), asked("x"), asked({}), asked({ key: 5 }), asked({ key: null }),
      asked({ key: "c", limit: 1 }), asked({ key: "c", period: 60 }), asked({ key: "c", other: 1 }), asked({ key: "c", limit: "x" }), asked({ key: "c", period: 5 }), asked({ key: "c", period: "x" }), asked({ key: "d", limit: 0 }), asked({ key: "d", period: 10 }), asked({ key: "d", limit: 3 }), asked({ key: "k".repeat(5000) }),
    );
  },
};
