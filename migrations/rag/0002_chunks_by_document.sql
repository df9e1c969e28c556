-- A document is replaced or removed with all its chunks.
CREATE INDEX chunks_by_document ON chunks (document, position);
