// D1: databases, sessions, statements.
import { each } from "./describe.js";

const table = async (db, name) => {
  await db.exec(`drop table if exists ${name}; create table ${name} (id integer primary key, t text, n real unique, b blob)`.replaceAll(";", ";\n"));
  await db.prepare(`insert into ${name} values (1, 'one', 1.5, x'00ff'), (2, null, 2, null)`).run();
};

export default {
  "D1Database.prepare": async ({ DB }) =>
    each(
      () => DB.prepare("select 1 as one"), () => DB.prepare("select 1 as one").all(), () => DB.prepare("").all(), () => DB.prepare("  ").all(),
      () => DB.prepare().all(), () => DB.prepare(5).all(), () => DB.prepare(null).all(), () => DB.prepare("selec 1").all(), () => DB.prepare("select 1; select 2").all(),
      () => DB.prepare("select * from nowhere").all(), () => DB.prepare("-- nothing").all(), () => DB.prepare("select 1 as a;").all(), () => DB.prepare("select 'é日本' as t, x'00ff' as b").all(),
      () => DB.prepare("select 9007199254740993 as big, -0.0 as zero, 1e400 as more, null as n").all(), () => DB.prepare("begin").run(), () => DB.prepare("pragma table_list").all().then((a) => a.success),
      () => DB.prepare("attach 'x' as y").run(), () => DB.prepare("vacuum").run(), () => DB.prepare("pragma journal_mode = delete").all(), () => DB.prepare("select sqlite_version() as v").all(),
    ),
  "D1Database.batch": async ({ DB }) => {
    await table(DB, "batch");
    const insert = (id) => DB.prepare("insert into batch (id) values (?)").bind(id);
    return each(
      () => DB.batch([insert(10), DB.prepare("select count(*) as n from batch")]), () => DB.batch([insert(11), insert(10)]), () => DB.prepare("select count(*) as n from batch").first("n"),
      () => DB.batch([]), () => DB.batch(), () => DB.batch("x"), () => DB.batch([1]), () => DB.batch([DB.prepare("select 1"), DB.prepare("wrong")]), () => DB.batch(insert(12)),
    );
  },
  "D1Database.exec": async ({ DB }) =>
    each(
      () => DB.exec("create table if not exists e (a)"), () => DB.exec("insert into e values (1);\ninsert into e values (2);"), () => DB.exec("insert into e values (3); insert into e values (4)"),
      () => DB.exec(""), () => DB.exec("\n"), () => DB.exec("select 1\nwrong"), () => DB.exec("wrong"), () => DB.exec(), () => DB.exec(5), () => DB.exec("insert into e\nvalues (1)"), () => DB.exec("-- note"),
      () => DB.prepare("select count(*) as n from e").first("n"),
    ),
  "D1Database.dump": async ({ DB }) => each(() => DB.dump()),
  "D1Database.withSession": async ({ DB }) =>
    each(
      () => DB.withSession().prepare("select 1 as a").all(), () => DB.withSession("first-primary").prepare("select 1 as a").all(), () => DB.withSession("first-unconstrained").prepare("select 1 as a").all(),
      () => DB.withSession(""), () => DB.withSession(null).getBookmark(), () => DB.withSession("first-primary").getBookmark(),
    ),
  "D1DatabaseSession.prepare": async ({ DB }) => DB.withSession().prepare("select ? as a").bind(5).first(),
  "D1DatabaseSession.batch": async ({ DB }) => {
    const session = DB.withSession();
    return each(() => session.batch([session.prepare("select 1 as a"), session.prepare("select 2 as b")]), () => session.batch([session.prepare("wrong")]));
  },
  "D1DatabaseSession.getBookmark": async ({ DB }) => {
    const session = DB.withSession("first-primary");
    const before = session.getBookmark();
    await session.prepare("create table if not exists marks (a)").run();
    const mark = session.getBookmark();
    const resumed = DB.withSession(mark);
    return [before, /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/.test(mark), resumed.getBookmark() === mark, await resumed.prepare("select 1 as a").first("a")];
  },
  "D1PreparedStatement.bind": async ({ DB }) => {
    const back = (...values) => () => DB.prepare(`select ${values.map((_, i) => `?${i + 1} as v${i}, typeof(?${i + 1}) as t${i}`).join(", ")}`).bind(...values).first();
    return each(
      back("text", 5, 1.5, null), back(true, false), back(new Uint8Array([0, 255]).buffer), back(new Uint8Array([1, 2])), back([1, 2]), back(-0, 2 ** 53, 1e300), back(NaN), back(Infinity),
      back(undefined), back(5n), back({}), back(new Date(0)), back(() => 1), back("\ud800"), back("\0"), back(Symbol.iterator),
      () => DB.prepare("select ?").all(), () => DB.prepare("select ?").bind(1, 2).all(), () => DB.prepare("select ?, ?").bind(1).all(), () => DB.prepare("select 1").bind(1).all(),
      () => DB.prepare("select :name as a").bind(1).all(), () => DB.prepare("select ?3 as a").bind(1, 2, 3).all(), () => DB.prepare("select ?1 as a, ?1 as b").bind("x").all(), () => DB.prepare("select 1 as a").bind().all(),
      () => DB.prepare("select " + Array(100).fill("?").join(", ")).bind(...Array(100).fill(1)).all().then((a) => a.results.length),
      () => DB.prepare("select " + Array(101).fill("?").join(", ")).bind(...Array(101).fill(1)).all().then((a) => a.results.length),
    );
  },
  "D1PreparedStatement.first": async ({ DB }) => {
    await table(DB, "first");
    const all = DB.prepare("select * from first order by id");
    return each(
      () => all.first(), () => all.first("t"), () => all.first("none"), () => all.first(""), () => all.first(null), () => all.first(5), () => DB.prepare("select 1 where 0").first(),
      () => DB.prepare("select 1 as a where 0").first("a"), () => DB.prepare("wrong").first(), () => DB.prepare("delete from first where 0").first(),
    );
  },
  "D1PreparedStatement.run": async ({ DB }) => {
    await table(DB, "run");
    return each(
      () => DB.prepare("insert into run (t) values ('x')").run(), () => DB.prepare("update run set t = 'y'").run(), () => DB.prepare("delete from run where id = 3").run(), () => DB.prepare("delete from run where 0").run(),
      () => DB.prepare("insert into run (id) values (1)").run(), () => DB.prepare("insert into run (n) values (1.5)").run(), () => DB.prepare("insert into run (id) values ('x')").run(),
      () => DB.prepare("insert into run (t) values ('r') returning *").run(), () => DB.prepare("select * from run where id = 1").run(), () => DB.prepare("create table run2 (a not null)").run(),
      () => DB.prepare("insert into run2 values (null)").run(), () => DB.prepare("drop table run2").run(), () => DB.prepare("insert into run values (1)").run(), () => DB.prepare("create table run (a)").run(),
    );
  },
  "D1PreparedStatement.all": async ({ DB }) => {
    await table(DB, "alls");
    return each(
      () => DB.prepare("select * from alls").all(), () => DB.prepare("select id, id as id, t as id from alls").all(), () => DB.prepare("select count(*) from alls").all(), () => DB.prepare("select * from alls where 0").all(),
      () => DB.prepare("select a.id, b.id from alls a, alls b order by 1, 2").all(),
    );
  },
  "D1PreparedStatement.raw": async ({ DB }) => {
    await table(DB, "raws");
    return each(
      () => DB.prepare("select * from raws").raw(), () => DB.prepare("select * from raws").raw({ columnNames: true }), () => DB.prepare("select id, id from raws").raw({ columnNames: true }),
      () => DB.prepare("select * from raws where 0").raw({ columnNames: true }), () => DB.prepare("select * from raws where 0").raw(), () => DB.prepare("wrong").raw(), () => DB.prepare("insert into raws (t) values (1)").raw(),
      () => DB.prepare("select 1").raw({ columnNames: false }), () => DB.prepare("select 1").raw(null), () => DB.prepare("select 1").raw("x"),
    );
  },
};
