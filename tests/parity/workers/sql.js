// SQL of a Durable Object, from within; each case in an object of its own.
import { each } from "./describe.js";

const table = ({ sql }) => sql.exec("create table t (id integer primary key, t text, b blob); insert into t values (1, 'one', x'00ff'), (2, null, null)");

const rows = ({ sql }) => sql.exec("select * from t order by id");

export default {
  "SqlStorage.exec": async ({ storage }) => {
    const { sql } = storage;
    table(storage);
    const run = (...given) => () => sql.exec(...given).toArray();
    return each(
      run("select * from t"), run("select ? as a, typeof(?) as b", "x", 5), run("select ? as a", new Uint8Array([1]).buffer), run("select ? as a", new Uint8Array([1, 2])), run("select ? as a", null), run("select ? as a", undefined), run("select ? as a", true), run("select ? as a", 5n), run("select ? as a", {}), run("select ? as a", NaN),
      run("select ? as a"), run("select 1 as a", 2), run(""), run("-- x"), run(), run(5), run("wrong"), run("select 1 as a; select 2 as b"), run("select 9007199254740993 as a"), run("begin"), run("attach 'x' as y"), run("pragma table_info(t)"), run("vacuum"), run("create table _cf_own (a)"), run("select * from _cf_KV"),
      run("insert into t (id) values (1)"), run("select * from nowhere"), run("select 'é\ud800' as a"), run("create virtual table v using fts5(x)"), run("select json_extract('{\"a\":1}', '$.a') as a"), run("pragma user_version"), run("select load_extension('x')"), run("savepoint x"), run("create temp table z (a)"),
      run("select " + Array(101).fill("?").join(","), ...Array(101).fill(1)), run("select ?1 as a, ?1 as b", 1), run("select :n as a", 1), run("select length(zeroblob(3000000)) as a"),
    );
  },
  "SqlStorage.databaseSize": async ({ storage }) => [typeof storage.sql.databaseSize, storage.sql.databaseSize > 0],
  "SqlStorage.Cursor": async ({ storage: { sql } }) => [typeof sql.Cursor, sql.exec("select 1 as a") instanceof sql.Cursor, typeof sql.Statement],
  "SqlStorageCursor.next": async ({ storage }) => {
    table(storage);
    const cursor = rows(storage);
    return each(() => cursor.next(), () => cursor.next(), () => cursor.next(), () => cursor.next());
  },
  "SqlStorageCursor.toArray": async ({ storage }) => {
    table(storage);
    const cursor = rows(storage);
    cursor.next();
    return each(() => rows(storage).toArray(), () => cursor.toArray(), () => cursor.toArray(), () => storage.sql.exec("select 1 as a, 2 as a").toArray());
  },
  "SqlStorageCursor.one": async ({ storage }) => {
    table(storage);
    return each(() => rows(storage).one(), () => storage.sql.exec("select 1 as a").one(), () => storage.sql.exec("select 1 where 0").one());
  },
  "SqlStorageCursor.raw": async ({ storage }) => {
    table(storage);
    return each(() => [...rows(storage).raw()], () => rows(storage).raw().toArray(), () => storage.sql.exec("select 1 as a, 2 as a").raw().toArray());
  },
  "SqlStorageCursor.columnNames": async ({ storage }) => {
    table(storage);
    return each(() => rows(storage).columnNames, () => storage.sql.exec("delete from t where 0").columnNames);
  },
  "SqlStorageCursor.rowsRead and SqlStorageCursor.rowsWritten": async ({ storage }) => {
    table(storage);
    const counted = (sql) => () => {
      const cursor = storage.sql.exec(sql);
      cursor.toArray();
      return [cursor.rowsRead, cursor.rowsWritten];
    };
    return each(counted("select * from t"), counted("insert into t (t) values ('x')"), counted("delete from t"));
  },
  "SqlStorageCursor.[Symbol.iterator]": async ({ storage }) => {
    table(storage);
    const cursor = rows(storage);
    return each(() => [...cursor, ...cursor], () => rows(storage)[Symbol.iterator]().next());
  },
};
