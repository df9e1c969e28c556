import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { notes } from "./schema";

const app = new Hono<{ Bindings: { DB: D1Database } }>();
app.use("*", cors());
app.get("/notes", async (c) => c.json(await drizzle(c.env.DB).select().from(notes).orderBy(notes.id)));
app.post("/notes", async (c) => {
  const { text } = await c.req.json<{ text: string }>();
  const [made] = await drizzle(c.env.DB).insert(notes).values({ text }).returning();
  return c.json(made, 201);
});
app.put("/notes/:id/done", async (c) => {
  const where = eq(notes.id, Number(c.req.param("id")));
  const [changed] = await drizzle(c.env.DB).update(notes).set({ done: true }).where(where).returning();
  return changed ? c.json(changed) : c.notFound();
});

export default app;
