#include "convert_groups.h"

#include <algorithm>

#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

// Fields of Resource…, Scope… and their request, the same in all three signals.
enum : uint32_t { kGroup = 1, kMessage = 1, kScopes = 2, kSchemaUrl = 3 };

// A program has a handful. One that makes them without end starts over.
constexpr size_t kMostCached = 256;

inline const Name kAttributes{"attributes"}, kSchemaUrlName{"schema_url"}, kNameName{"name"}, kVersion{"version"};
inline const Name kDroppedCount{"dropped_attributes_count"};

// The SDK's resources and scopes are immutable: what was written for one object holds as long as that object lives, and
// the cache keeps it alive.
class ContextCache {
 public:
  EncodedPtr Find(PyObject* object) const {
    const auto found = entries_.find(object);
    return found == entries_.end() ? nullptr : found->second.second;
  }
  void Put(PyObject* object, const EncodedPtr& encoded) {
    Entries old;
    if (entries_.size() >= kMostCached) old.swap(entries_);
    entries_.try_emplace(object, nb::borrow(object), encoded);
  }

 private:
  using Entries = std::unordered_map<PyObject*, std::pair<nb::object, EncodedPtr>>;
  Entries entries_;
};

// Never destroyed: at the process's end there is no interpreter that could free the objects.
ContextCache& Cache() {
  static auto& cache = *new ContextCache;
  return cache;
}

std::string SchemaUrl(PyObject* schema_url) {
  wire::Writer out;
  out.NonEmpty(kSchemaUrl, TextOf(schema_url).view());
  return out.Take();
}

bool IsSdkContext(PyObject* object, const char* class_name) {
  return std::string_view(Py_TYPE(object)->tp_name) == class_name &&
         TypeName(object).starts_with("opentelemetry.sdk.");
}

PyObject* ItemOrNone(PyObject* dict, const Name& key) {
  PyObject* value = Item(dict, key);
  return value ? value : Py_None;
}

void CheckKeys(PyObject* dict, const char* what, std::initializer_list<const Name*> known) {
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(dict, &position, &key, &value)) {
    const bool is_known = PyUnicode_Check(key) && std::any_of(known.begin(), known.end(), [key](const Name* name) {
      return PyUnicode_CompareWithASCIIString(key, name->text()) == 0;
    });
    if (is_known) continue;
    std::string names;
    for (const Name* name : known) names += (names.empty() ? "" : ", ") + std::string(name->text());
    throw Fault(std::string(what) + " has the key " + ShortRepr(key) + "; keys are " + names);
  }
}

// Mappings that hold {"attributes": {...}} are resources with more than attributes; others are the attributes.
bool HoldsAttributes(PyObject* dict) {
  PyObject* attributes = Item(dict, kAttributes);
  return attributes && (attributes == Py_None || PyMapping_Check(attributes)) && !PyUnicode_Check(attributes);
}

EncodedContext ResourceOf(PyObject* attributes, PyObject* schema_url) {
  wire::Writer out;
  const auto message = out.Begin(kMessage, 2);
  WriteAttributes(&out, 1, attributes, "the resource's attributes");
  out.End(message);
  return {out.Take(), SchemaUrl(schema_url)};
}

EncodedContext NewResource(PyObject* resource) {
  if (resource == Py_None) return ResourceOf(Py_None, Py_None);
  if (PyDict_Check(resource)) {
    if (!HoldsAttributes(resource)) return ResourceOf(resource, Py_None);
    CheckKeys(resource, "resource", {&kAttributes, &kSchemaUrlName});
    return ResourceOf(ItemOrNone(resource, kAttributes), ItemOrNone(resource, kSchemaUrlName));
  }
  const nb::object attributes = OptionalAttr(resource, kAttributes);
  if (attributes.is_valid()) return ResourceOf(attributes.ptr(), AttrOrNone(resource, kSchemaUrlName).ptr());
  if (PyMapping_Check(resource) && !PyUnicode_Check(resource)) return ResourceOf(resource, Py_None);
  throw Fault("resource is " + ShortRepr(resource) + " (" + TypeName(resource) + "), and must be a Resource, a mapping or None");
}

EncodedContext ScopeOf(PyObject* name, PyObject* version, PyObject* attributes, PyObject* schema_url, PyObject* dropped) {
  wire::Writer out;
  const auto message = out.Begin(kMessage);
  out.NonEmpty(1, TextOf(name).view());
  out.NonEmpty(2, TextOf(version).view());
  WriteAttributes(&out, 3, attributes, "the scope's attributes");
  out.NonZeroVarint(4, ToUint32(dropped, "the scope's dropped_attributes_count"));
  out.End(message);
  return {out.Take(), SchemaUrl(schema_url)};
}

EncodedContext NewScope(PyObject* scope) {
  if (scope == Py_None || PyUnicode_Check(scope)) return ScopeOf(scope, Py_None, Py_None, Py_None, Py_None);
  if (PyDict_Check(scope)) {
    CheckKeys(scope, "scope", {&kNameName, &kVersion, &kAttributes, &kSchemaUrlName, &kDroppedCount});
    return ScopeOf(ItemOrNone(scope, kNameName), ItemOrNone(scope, kVersion), ItemOrNone(scope, kAttributes),
                   ItemOrNone(scope, kSchemaUrlName), ItemOrNone(scope, kDroppedCount));
  }
  const nb::object name = OptionalAttr(scope, kNameName);
  if (!name.is_valid()) {
    throw Fault("scope is " + ShortRepr(scope) + " (" + TypeName(scope) + "), and must be an InstrumentationScope, a name, a mapping or None");
  }
  // Older SDKs' InstrumentationInfo has no attributes.
  return ScopeOf(name.ptr(), AttrOrNone(scope, kVersion).ptr(), AttrOrNone(scope, kAttributes).ptr(),
                 AttrOrNone(scope, kSchemaUrlName).ptr(), Py_None);
}

template <class Encode>
EncodedPtr Cached(PyObject* object, const char* class_name, Encode encode) {
  if (EncodedPtr known = Cache().Find(object)) return known;
  auto encoded = std::make_shared<const EncodedContext>(encode(object));
  if (IsSdkContext(object, class_name)) Cache().Put(object, encoded);
  return encoded;
}

// -1 for what has no hash.
Py_hash_t HashOf(PyObject* object) {
  const Py_hash_t hash = PyObject_Hash(object);
  if (hash == -1) SwallowError();
  return hash;
}

// Equal as the SDK's encoder takes it: 1 and True are the same, and so are attributes in another order. Exceptions in
// comparisons count as different.
bool Equal(PyObject* a, PyObject* b) {
  const int equal = Py_TYPE(a) == Py_TYPE(b) ? PyObject_RichCompareBool(a, b, Py_EQ) : 0;
  if (equal < 0) SwallowError();
  return equal > 0;
}

}  // namespace

EncodedPtr EncodeResource(PyObject* resource) { return Cached(resource, "Resource", NewResource); }
EncodedPtr EncodeScope(PyObject* scope) { return Cached(scope, "InstrumentationScope", NewScope); }

GroupedRequest::GroupedRequest(size_t expected_bytes) : length_bytes_(wire::VarintSize(expected_bytes)) {
  request_.Reserve(expected_bytes);
}

wire::Writer* GroupedRequest::Find(PyObject* resource, PyObject* scope) {
  wire::Writer*& writer = writers_[{resource, scope}];
  if (!writer) {
    seen_.push_back(nb::borrow(resource));
    seen_.push_back(nb::borrow(scope));
    Resource* group = FindOrAdd(&resources_, resource, EncodeResource(resource));
    Scope* items = FindOrAdd(&group->scopes, scope, EncodeScope(scope));
    writer = Begin(*group, items);
  }
  last_resource_ = resource;
  last_scope_ = scope;
  return last_ = writer;
}

template <class Group>
Group* GroupedRequest::FindOrAdd(std::vector<Group>* groups, PyObject* object, EncodedPtr encoded) {
  for (Group& group : *groups) {
    if (group.context.object.ptr() == object || *group.context.encoded == *encoded) return &group;
  }
  // Hashing runs Python code: not before there are two to compare.
  Py_hash_t hash = -1;
  if (!groups->empty()) {
    hash = HashOf(object);
    Context& first = groups->front().context;
    if (groups->size() == 1) first.hash = HashOf(first.object.ptr());
    for (Group& group : *groups) {
      const Context& known = group.context;
      if (hash != -1 && known.hash == hash && Equal(known.object.ptr(), object)) return &group;
    }
  }
  groups->push_back({{nb::borrow(object), std::move(encoded), hash}});
  return &groups->back();
}

wire::Writer* GroupedRequest::Begin(const Resource& resource, Scope* scope) {
  if (scope->items) return scope->items.get();
  const bool first_resource = &resource == &resources_.front();
  if (!first_resource || scope != &resource.scopes.front()) {
    scope->items = std::make_unique<wire::Writer>();
    return scope->items.get();
  }
  if (!begun_) {
    begun_ = true;
    first_resource_ = request_.Begin(kGroup, length_bytes_);
    request_.Raw(resource.context.encoded->message);
    first_scope_ = request_.Begin(kScopes, length_bytes_);
    request_.Raw(scope->context.encoded->message);
  }
  return &request_;
}

std::string GroupedRequest::Finish() {
  if (resources_.empty()) return {};
  const Resource& first = resources_.front();
  request_.Raw(first.scopes.front().context.encoded->schema_url);
  request_.End(first_scope_);
  for (size_t i = 1; i < first.scopes.size(); ++i) AppendScope(first.scopes[i]);
  request_.Raw(first.context.encoded->schema_url);
  request_.End(first_resource_);
  for (size_t i = 1; i < resources_.size(); ++i) Append(resources_[i]);
  return request_.Take();
}

void GroupedRequest::Append(const Resource& resource) {
  const auto group = request_.Begin(kGroup, length_bytes_);
  request_.Raw(resource.context.encoded->message);
  for (const Scope& scope : resource.scopes) AppendScope(scope);
  request_.Raw(resource.context.encoded->schema_url);
  request_.End(group);
}

void GroupedRequest::AppendScope(const Scope& scope) {
  const auto group = request_.Begin(kScopes, length_bytes_);
  request_.Raw(scope.context.encoded->message);
  request_.Raw(scope.items->view());
  request_.Raw(scope.context.encoded->schema_url);
  request_.End(group);
}

}  // namespace otlp_arrow::python
