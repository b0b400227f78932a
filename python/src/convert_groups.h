// A request under way: items grouped by resource and scope as the SDK's own encoder groups them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "otlp_arrow/wire_writer.h"
#include "python_object.h"

namespace otlp_arrow::python {

// A resource or a scope as it stands in a request: its message and its schema_url, each with its tag (field numbers are
// the same in all three signals).
struct EncodedContext {
  std::string message;
  std::string schema_url;
  bool operator==(const EncodedContext&) const = default;
};

// Resources and scopes in the forms that are taken: objects with `attributes` and `schema_url` (the SDK's, encoded once
// and then known by identity), mappings, None; scopes as plain names too. Fault for everything else.
using EncodedPtr = std::shared_ptr<const EncodedContext>;
EncodedPtr EncodeResource(PyObject* resource);
EncodedPtr EncodeScope(PyObject* scope);

// Export…ServiceRequest of one signal. Resources and scopes that are equal share their groups; groups stand in the
// order in which they came first.
class GroupedRequest {
 public:
  // The field of Scope… that the items are written as.
  static constexpr uint32_t kItemsField = 2;

  // `expected_bytes` is a guess of the request's size.
  explicit GroupedRequest(size_t expected_bytes);

  // Where the items of the pair are written to. Good until the next call.
  wire::Writer* For(PyObject* resource, PyObject* scope) {
    if (resource == last_resource_ && scope == last_scope_) [[likely]] return last_;
    return Find(resource, scope);
  }

  // The request; empty where there was no group.
  std::string Finish();

 private:
  // One value of a resource or a scope with the objects that stand for it.
  struct Context {
    nb::object object;
    EncodedPtr encoded;
    Py_hash_t hash = -1;
  };
  struct Scope {
    Context context;
    std::unique_ptr<wire::Writer> items{};  // null: straight in the request
  };
  struct Resource {
    Context context;
    std::vector<Scope> scopes{};
  };
  struct PairHash {
    size_t operator()(const std::pair<PyObject*, PyObject*>& pair) const {
      return std::hash<PyObject*>()(pair.first) * 31 + std::hash<PyObject*>()(pair.second);
    }
  };

  wire::Writer* Find(PyObject* resource, PyObject* scope);
  template <class Group>
  static Group* FindOrAdd(std::vector<Group>* groups, PyObject* object, EncodedPtr encoded);
  wire::Writer* Begin(const Resource& resource, Scope* scope);
  void Append(const Resource& resource);
  void AppendScope(const Scope& scope);

  wire::Writer request_;
  size_t length_bytes_;  // that groups' lengths will take
  bool begun_ = false;
  // The first group's frames, open until Finish.
  wire::Writer::OpenMessage first_resource_;
  wire::Writer::OpenMessage first_scope_;
  std::vector<Resource> resources_;
  std::unordered_map<std::pair<PyObject*, PyObject*>, wire::Writer*, PairHash> writers_;
  std::vector<nb::object> seen_;  // keeps what writers_ knows by address
  PyObject* last_resource_ = nullptr;
  PyObject* last_scope_ = nullptr;
  wire::Writer* last_ = nullptr;
};

}  // namespace otlp_arrow::python
