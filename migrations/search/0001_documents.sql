-- Documents of tenants with their metadata, their chunks that vectors point to, and the words of those.
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX documents_by_tenant ON documents (tenant, name);

CREATE TABLE chunks (
  id TEXT PRIMARY KEY,
  document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document, position);

CREATE VIRTUAL TABLE chunk_words USING fts5 (text, content = 'chunks', content_rowid = 'rowid', tokenize = 'porter unicode61');
CREATE TRIGGER chunk_words_insert AFTER INSERT ON chunks BEGIN
  INSERT INTO chunk_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER chunk_words_delete AFTER DELETE ON chunks BEGIN
  INSERT INTO chunk_words (chunk_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;
