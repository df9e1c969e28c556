// A Durable Object's storage, from within; each case in an object of its own.
import { each } from "./describe.js";

const filled = async (storage) => storage.put({ a: 1, "b/1": "x", "b/2": "y", c: null, é: 5 });
const near = (at) => (at === null ? null : Math.round((at - Date.now()) / 10_000));

export default {
  "DurableObjectStorage.get": async ({ storage }) => {
    await filled(storage);
    return each(
      () => storage.get("a"), () => storage.get("none"), () => storage.get("c"), () => storage.get(["a", "none", "é"]), () => storage.get([]), () => storage.get("a", { noCache: true, allowConcurrency: true }), () => storage.get(), () => storage.get(""), () => storage.get("k".repeat(2048)),
      () => storage.get("k".repeat(2049)), () => storage.get(Array(128).fill("a")), () => storage.get(Array.from({ length: 129 }, (_, i) => `k${i}`)), () => storage.get(5), () => storage.get(null),
    );
  },
  "DurableObjectStorage.put": async ({ storage }) => {
    const back = (value) => async () => [await storage.put("v", value), await storage.get("v")];
    return each(
      back("text"), back({ a: [1, new Date(0)], m: new Map([[1, new Set([2])]]) }), back(new Uint8Array([1, 2])), back(5n), back(undefined), back(() => 1), back(/x/g), back(new Error("e")), back(Symbol.iterator), back("x".repeat(2_000_000)), back("x".repeat(2_300_000)), back(NaN), back(new (class A { b = 1; })()),
      () => storage.put("", 1), () => storage.put("k".repeat(2048), 1), () => storage.put("k".repeat(2049), 1), () => storage.put(), () => storage.put("only"), () => storage.put({}), () => storage.put(Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`k${i}`, i]))),
      () => storage.put({ x: 1, y: undefined }), () => storage.put("o", 1, { allowUnconfirmed: true, noCache: true }), () => storage.put(5, 5), () => storage.put([1], 2), () => storage.put("é\0", 1), () => storage.get("é\0"),
    );
  },
  "DurableObjectStorage.delete": async ({ storage }) => {
    await filled(storage);
    return each(() => storage.delete("a"), () => storage.delete("a"), () => storage.delete(["b/1", "c", "none"]), () => storage.delete([]), () => storage.delete(), () => storage.delete("k".repeat(2049)), () => storage.delete(Array.from({ length: 129 }, (_, i) => `k${i}`)), () => storage.list());
  },
  "DurableObjectStorage.deleteAll": async ({ storage }) => {
    await filled(storage);
    await storage.setAlarm(Date.now() + 60_000);
    storage.sql.exec("create table t (a)");
    return each(() => storage.deleteAll(), () => storage.list(), () => storage.getAlarm().then(near), () => storage.sql.exec("select name from sqlite_master where name = 't'").toArray());
  },
  "DurableObjectStorage.list": async ({ storage }) => {
    await filled(storage);
    const listed = (options) => () => storage.list(options);
    return each(
      listed(), listed({}), listed({ prefix: "b/" }), listed({ limit: 2 }), listed({ reverse: true }), listed({ start: "b" }), listed({ startAfter: "b/1" }), listed({ end: "c" }), listed({ start: "b", end: "a" }), listed({ prefix: "b/", reverse: true, limit: 1 }), listed({ limit: 0 }), listed({ limit: -1 }),
      listed({ limit: "x" }), listed({ start: "a", startAfter: "a" }), listed({ prefix: "b", start: "c" }), listed({ prefix: "" }), listed("x"), listed({ prefix: 5 }), listed({ limit: 1.5 }), listed({ start: "k".repeat(3000) }),
    );
  },
  "DurableObjectStorage.transaction": async ({ storage }) => {
    const words = each;
    return words(
      () => storage.transaction(async (txn) => { await txn.put("in", 1); return txn.get("in"); }), () => storage.transaction(async (txn) => { await txn.put("in", 2); throw new RangeError("back"); }), () => storage.get("in"),
      () => storage.transaction(async (txn) => { await txn.put("in", 3); txn.rollback(); return "rolled"; }), () => storage.get("in"), () => storage.transaction(), () => storage.transaction("x"), () => storage.transaction(() => 5),
    );
  },
  "DurableObjectTransaction.*": async ({ storage }) => {
    await filled(storage);
    return storage.transaction(async (txn) => {
      const all = await each(
        () => txn.get("a"), () => txn.get(["a", "c"]), () => txn.list({ prefix: "b" }), () => txn.put("n", 1), () => txn.put({ m: 2 }), () => txn.delete("a"), () => txn.delete(["c", "n"]), () => txn.getAlarm(), () => txn.setAlarm(Date.now() + 60_000), () => txn.getAlarm().then(near), () => txn.deleteAlarm(),
        () => txn.getAlarm(), () => txn.get(), () => txn.put("k".repeat(2049), 1),
      );
      txn.rollback();
      return [...all, ...(await each(() => txn.get("a"), () => txn.rollback()))];
    });
  },
  "DurableObjectStorage.transactionSync": async ({ storage }) => {
    storage.sql.exec("create table t (a)");
    const count = () => storage.sql.exec("select count(*) as n from t").one().n;
    return each(
      () => storage.transactionSync(() => { storage.sql.exec("insert into t values (1)"); return count(); }), () => storage.transactionSync(() => { storage.sql.exec("insert into t values (2)"); throw new RangeError("back"); }), count,
      () => storage.transactionSync(async () => 5), () => storage.transactionSync(), () => storage.transactionSync(() => storage.transactionSync(() => count())), () => storage.transactionSync("x"),
    );
  },
  "DurableObjectStorage.alarms": async ({ storage }) =>
    each(
      () => storage.getAlarm(), () => storage.setAlarm(Date.now() + 60_000), () => storage.getAlarm().then(near), () => storage.setAlarm(new Date(Date.now() + 120_000)), () => storage.getAlarm().then(near), () => storage.deleteAlarm(), () => storage.getAlarm(), () => storage.deleteAlarm(), () => storage.setAlarm(),
      () => storage.setAlarm("x"), () => storage.setAlarm(-1), () => storage.setAlarm(0.5).then(() => storage.deleteAlarm()), () => storage.setAlarm(NaN), () => storage.setAlarm(null), () => storage.setAlarm(new Date(NaN)), () => storage.setAlarm(Date.now() + 60_000, { allowUnconfirmed: true }), () => storage.deleteAlarm(),
    ),
  "DurableObjectStorage.sync": async ({ storage }) => each(() => storage.put("a", 1), () => storage.sync(), () => typeof storage.sql, () => typeof storage.kv),
  "DurableObjectStorage.bookmarks": async ({ storage }) =>
    each(
      () => storage.getCurrentBookmark().then((mark) => typeof mark), () => storage.getBookmarkForTime(Date.now()).then((mark) => typeof mark), () => storage.getBookmarkForTime("x").then((mark) => typeof mark), () => storage.getBookmarkForTime().then((mark) => typeof mark),
      () => storage.onNextSessionRestoreBookmark("nonsense").then((mark) => typeof mark), () => storage.onNextSessionRestoreBookmark(),
    ),
  "SyncKvStorage.*": async ({ storage: { kv } }) =>
    each(
      () => kv.put("a", 1), () => kv.get("a"), () => kv.get("none"), () => kv.put("b", { c: new Date(0) }), () => [...kv.list()], () => [...kv.list({ prefix: "b" })], () => [...kv.list({ reverse: true, limit: 1 })], () => kv.delete("a"), () => kv.delete("a"), () => kv.get(), () => kv.put("x"), () => kv.put("x", undefined),
      () => kv.put("", 1), () => kv.get("k".repeat(2049)), () => kv.put("k".repeat(2049), 1), () => kv.put("f", () => 1), () => kv.put("x", "x".repeat(2_300_000)), () => [...kv.list({ limit: -1 })], () => [...kv.list({ limit: 0 })], () => [...kv.list({ start: "a", startAfter: "b" })], () => kv.delete(), () => kv.get(["a"]),
    ),
};
