-- Attributes in DuckDB: a promoted one is a column (its dots need quotes), any other one is taken from the map.
SELECT name, "http.response.status_code" AS status, attributes['customer.tier'] AS tier,
       resource_attributes['service.version'] AS version
FROM spans
WHERE "http.response.status_code" >= 500;
