CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, text TEXT NOT NULL, done INTEGER DEFAULT false NOT NULL);
--> statement-breakpoint
CREATE INDEX by_text ON notes (text);
