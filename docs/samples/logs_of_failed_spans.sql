-- The log records of spans that failed.
SELECT spans.name, spans.status_message, logs.severity_text, logs.body, logs.attributes['order.id'] AS order_id
FROM spans JOIN logs USING (trace_id, span_id)
WHERE spans.status_code = 'ERROR';
