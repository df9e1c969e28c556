-- Which documents are in an index that is filled beside the one that answers.
CREATE TABLE reindexed (
  document TEXT NOT NULL,
  index_name TEXT NOT NULL,
  PRIMARY KEY (document, index_name)
);
