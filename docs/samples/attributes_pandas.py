"""Attributes with pandas: a promoted attribute is a column, any other one is taken from the map."""

import pyarrow.dataset as ds

columns = ["name", "http.response.status_code", "attributes"]
spans = ds.dataset("output_dir/otlp/traces", format="arrow").to_table(columns=columns).to_pandas()
spans["customer.tier"] = [dict(a).get("customer.tier") for a in spans["attributes"]]
print(spans[spans["http.response.status_code"] >= 500][["name", "customer.tier"]])
