// JSON schemas that zod writes, and what it says of answers to them: `node zod_types.mjs <answers by schema>`.
import { z } from "zod";
const category = z.object({ name: z.string().min(2), get below() { return z.array(category); } });
const types = {
  person: z.strictObject({ name: z.string(), age: z.int().min(0).max(150), mail: z.email(), nick: z.string().nullish() }),
  forms: z.object({
    id: z.uuid(), at: z.iso.datetime(), day: z.iso.date(), time: z.iso.time(), lasts: z.iso.duration(), ip: z.ipv4(), six: z.ipv6(),
    net: z.cidrv4(), site: z.url(), phone: z.e164(), coded: z.base64(), web: z.base64url(), cuid: z.cuid2(), short: z.nanoid(), ulid: z.ulid(),
  }),
  texts: z.object({ a: z.string().regex(/^[a-z]+-\d+$/), b: z.string().startsWith("ab"), c: z.string().endsWith("yz"), d: z.string().includes("mid"), e: z.string().length(7) }),
  numbers: z.object({ a: z.number().positive().lt(1), b: z.int().multipleOf(5).min(12), c: z.number().nonpositive(), d: z.int32() }),
  shapes: z.discriminatedUnion("type", [z.object({ type: z.literal("circle"), r: z.number() }), z.object({ type: z.literal("box"), size: z.tuple([z.number(), z.number()]) })]),
  lists: z.object({ a: z.array(z.enum(["x", "y"])).min(2).max(3), b: z.array(z.string()).nonempty(), c: z.tuple([z.string(), z.literal(5)]), d: z.array(z.int()).length(4) }),
  records: z.object({ a: z.record(z.string(), z.number()), b: z.record(z.enum(["p", "q"]), z.boolean()) }),
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.union([z.int(), z.null()]) })),
  category,
  literals: z.object({ a: z.literal([1, "two", null]), b: z.boolean(), c: z.null(), d: z.unknown(), e: z.string().default("x") }),
};
const answers = JSON.parse(process.argv.at(-1));
const targets = ["draft-2020-12", "draft-7"];
const schemas = Object.fromEntries(targets.flatMap((target) => Object.entries(types).map(([name, type]) => [`${name} ${target}`, z.toJSONSchema(type, { target })])));
const told = Object.entries(answers).map(([name, value]) => [name, types[name.split(" ")[0]].safeParse(value).error?.issues ?? []]);
console.log(JSON.stringify({ schemas, told }));
