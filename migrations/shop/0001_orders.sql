CREATE TABLE orders (number INTEGER PRIMARY KEY, status TEXT NOT NULL);
INSERT INTO orders (number, status) VALUES (17, 'packed and waiting for the van'), (18, 'delivered on Monday');
