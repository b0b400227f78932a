// Preloaded into a program: counts what its threads allocate, each for itself. With PYTHONMALLOC=malloc Python's objects
// count like everything else.
#define _GNU_SOURCE
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static __thread long allocations __attribute__((tls_model("initial-exec")));
static __thread long bytes __attribute__((tls_model("initial-exec")));

long allocations_of_this_thread(void) { return allocations; }
long allocated_bytes_of_this_thread(void) { return bytes; }

void *malloc(size_t size) {
  ++allocations;
  bytes += (long)size;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  ++allocations;
  bytes += (long)(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  ++allocations;
  bytes += (long)size;
  return __libc_realloc(old, size);
}
