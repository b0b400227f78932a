-- One row per event of a span.
SELECT spans.name AS span, event.name AS event, event.attributes['cart.items']::BIGINT AS items
FROM spans, unnest(events) AS unnested(event)
ORDER BY event.time;
