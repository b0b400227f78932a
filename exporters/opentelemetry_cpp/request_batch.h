// Records on their way into requests, grouped by resource and scope.
#pragma once

#include <cstddef>
#include <vector>

#include "encoded_record.h"
#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow::exporters {

// The same for spans and log records: Export…ServiceRequest has the same shape in both. Records, resources and scopes stay
// their owners' and must live until the request is taken.
class RequestBatch {
 public:
  // A record that is sealed.
  void Add(EncodedRecord* record);

  size_t records() const { return records_; }
  // What the request will take, without resources and scopes.
  size_t bytes() const { return bytes_; }

  // Writes the request; the batch is empty afterwards. Groups stand in the order in which they came first.
  void WriteRequest(wire::Writer* out);

 private:
  struct Group {
    const Resource* resource;
    const InstrumentationScope* scope;
    EncodedRecord* first;
    EncodedRecord* last;
    size_t bytes;
    bool is_written;
  };

  Group* FindOrAdd(const EncodedRecord& record);
  void WriteResource(wire::Writer* out, size_t first_group);
  void WriteScope(wire::Writer* out, Group* group);

  std::vector<Group> groups_;
  size_t records_ = 0;
  size_t bytes_ = 0;
};

// Resource{attributes} and its schema_url, as fields of Resource….
void WriteResourceFields(wire::Writer* out, const Resource* resource);
// InstrumentationScope and its schema_url, as fields of Scope….
void WriteScopeFields(wire::Writer* out, const InstrumentationScope* scope);

}  // namespace otlp_arrow::exporters
