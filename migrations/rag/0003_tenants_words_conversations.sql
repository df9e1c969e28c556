-- Whose a document is, its words for full-text search, and what was said before.
ALTER TABLE documents ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE documents ADD COLUMN name TEXT;
CREATE INDEX documents_by_tenant ON documents (tenant, name);

CREATE VIRTUAL TABLE chunk_words USING fts5 (text, content = 'chunks', content_rowid = 'rowid', tokenize = 'porter unicode61');
INSERT INTO chunk_words (rowid, text) SELECT rowid, text FROM chunks;
CREATE TRIGGER chunk_words_insert AFTER INSERT ON chunks BEGIN
  INSERT INTO chunk_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER chunk_words_delete AFTER DELETE ON chunks BEGIN
  INSERT INTO chunk_words (chunk_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;

CREATE TABLE turns (
  tenant TEXT NOT NULL,
  conversation TEXT NOT NULL,
  position INTEGER NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (tenant, conversation, position)
);
