-- The buckets of a histogram: bound i is the upper end of bucket i, the last bucket has none.
SELECT metric_name, attributes['http.route'] AS route,
       unnest(bucket_counts) AS in_bucket, unnest(list_append(explicit_bounds, 'inf'::DOUBLE)) AS up_to
FROM metrics
WHERE metric_type = 'HISTOGRAM';
