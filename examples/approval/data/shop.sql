-- The database that the changes are about.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, country TEXT NOT NULL, newsletter INTEGER NOT NULL);
CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, price_cents INTEGER NOT NULL, active INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers(id), product INTEGER NOT NULL REFERENCES products(id), quantity INTEGER NOT NULL, state TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO customers SELECT i, 'Customer ' || i, 'c' || i || '@example.com', CASE i % 3 WHEN 0 THEN 'DE' WHEN 1 THEN 'NL' ELSE 'PL' END, i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
  INSERT INTO products SELECT i, printf('SKU-%03d', i), 500 + 37 * i, i % 10 != 0 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
  INSERT INTO orders SELECT i, 1 + i % 200, 1 + i % 40, 1 + i % 3, CASE i % 5 WHEN 0 THEN 'open' ELSE 'sent' END FROM n;
