-- Jobs and their items; an item is answered once, by whoever finds it still pending.
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  idempotency_key TEXT,
  task TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'running',
  total INTEGER NOT NULL,
  webhook TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at TEXT,
  UNIQUE (tenant, idempotency_key)
);

CREATE TABLE items (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  input TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  attempts INTEGER NOT NULL DEFAULT 0,
  result TEXT,
  error TEXT,
  PRIMARY KEY (job, position)
);

CREATE INDEX items_by_state ON items (job, state);
